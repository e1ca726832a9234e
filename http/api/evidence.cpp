#include "http/api/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/api/deletion_report.hpp"
#include "http/api/evidence_readme.hpp"
#include "http/api/traced.hpp"
#include "http/api/views/json_writer.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/base/hex.hpp"
#include "runtime/signing/receipt_signer.hpp"
#include "storage/audit_check.hpp"

namespace quell::http {

namespace {

using nlohmann::ordered_json;
using storage::Reader;

constexpr int page_rows = 1'000;

std::string audit_line(const storage::AuditRow& row) {
  std::string line;
  {
    ObjectWriter view(line);
    view.number("no", row.no);
    view.number("at_ms", row.at.time_since_epoch().count());
    view.text("who", row.who);
    view.text("what", row.what);
    view.text("ref", row.ref);
    view.text("detail", row.detail);
    view.text("digest", row.digest);
    view.text("hash", row.hash);
  }
  return line + '\n';
}

std::string sum_of(std::string_view bytes) {
  return hex(sha256(bytes));
}

class Maker {
 public:
  Maker(Reader& reader, const EvidenceOrder& order) : reader_(reader), order_(order) {}

  Result<Evidence> make() {
    if (Result<void> done = take_audit(); !done) return done.error();
    if (Result<void> done = take_receipts(); !done) return done.error();
    const auto report = report_deletions(reader_, order_.since, order_.until, ReportBy::who);
    if (!report) return report.error();
    const auto check = storage::check_audit(reader_, {});
    if (!check) return check.error();
    out_.chain_holds = !check->fault;
    add("report.json", report_json(*report));
    add("report.csv", report_csv(*report));
    add("public.pem", order_.public_key);
    out_.files.insert(out_.files.begin(), EvidenceFile{"README.txt", std::string(evidence_readme)});
    sign(*check);
    return std::move(out_);
  }

 private:
  void add(std::string name, std::string bytes) {
    out_.files.push_back({std::move(name), std::move(bytes)});
  }

  static Error too_much(std::size_t most, const char* what) {
    return {
        ErrorCode::body_too_large,
        fmt::format("The span holds more than {} {}; take a shorter one with until.", most, what)};
  }

  // Rows by number, from the first of the span to the last, sealed ones only: no gap is left.
  Result<void> take_audit() {
    const auto from = audit_before(reader_, order_.since);
    if (!from) return from.error();
    std::vector<storage::AuditRow> rows;
    std::optional<storage::AuditRow> before;
    for (std::int64_t after = *from;;) {
      const auto page = reader_.audit(after, page_rows);
      if (!page) return page.error();
      for (const storage::AuditRow& row : *page) {
        if (rows.empty() && row.at < order_.since) {
          before = row;
          continue;
        }
        if (row.hash.empty()) {
          out_.waiting += row.at < order_.until ? 1 : 0;
          continue;
        }
        if (rows.size() == evidence_rows_most) return too_much(evidence_rows_most, "audit rows");
        rows.push_back(row);
      }
      if (std::ssize(*page) < page_rows) break;
      after = page->back().no;
    }
    while (!rows.empty() && rows.back().at >= order_.until) rows.pop_back();
    std::string text;
    for (const storage::AuditRow& row : rows) text += audit_line(row);
    audit_ = {{"rows", rows.size()},
              {"first", rows.empty() ? 0 : rows.front().no},
              {"last", rows.empty() ? 0 : rows.back().no},
              {"hash_before", before ? before->hash : std::string(64, '0')},
              {"hash_last", rows.empty() ? std::string() : rows.back().hash},
              {"waiting_for_seal", out_.waiting}};
    out_.audit_rows = std::ssize(rows);
    add("audit.jsonl", std::move(text));
    return {};
  }

  Result<void> take_receipts() {
    const auto calls =
        calls_between(reader_, order_.since, order_.until, evidence_receipts_most + 1);
    if (!calls) return calls.error();
    if (calls->size() > evidence_receipts_most)
      return too_much(evidence_receipts_most, "delete calls");
    ordered_json without = ordered_json::array(), others = ordered_json::array();
    for (const storage::CallView& call : *calls) {
      const std::string id = call.delete_id.text();
      const ReceiptCheck check = check_receipt(call.receipt, order_.public_key, std::nullopt);
      const nlohmann::json envelope = json_of_ours(call.receipt);
      if (check.state == "none" || check.state == "unsigned") {
        without.push_back(id);
        continue;
      }
      if (check.state == "other_key")
        others.push_back({{"delete_id", id}, {"key_id", check.key_id}});
      const auto payload = from_base64(envelope["payload"].get_ref<const std::string&>());
      const nlohmann::json& line = envelope["signatures"].front();
      const auto signature = from_base64(line.value("sig", ""));
      add("receipts/" + id + ".json", payload ? text_of(*payload) : std::string());
      add("receipts/" + id + ".sig", signature ? text_of(*signature) : std::string());
      ++out_.receipts;
    }
    receipts_ = {{"signed", out_.receipts},
                 {"without_receipt", std::move(without)},
                 {"signed_by_another_node", std::move(others)}};
    return {};
  }

  void sign(const AuditCheck& check) {
    ordered_json manifest{{"what", "quell evidence"},
                          {"version", 1},
                          {"made_at", time_text(order_.made_at)},
                          {"made_for", order_.who},
                          {"since", time_text(order_.since)},
                          {"until", time_text(order_.until)}};
    if (const auto key = key_id_of(order_.public_key)) manifest["key_id"] = *key;
    manifest["whole_audit_log"] = {{"holds", !check.fault},
                                   {"sealed_rows", check.sealed},
                                   {"head", check.head.no},
                                   {"head_hash", hex(check.head.hash)}};
    if (check.fault) manifest["whole_audit_log"]["fault_no"] = check.fault_no;
    manifest["audit"] = audit_;
    manifest["receipts"] = receipts_;
    ordered_json& files = manifest["files"] = ordered_json::object();
    for (const EvidenceFile& file : out_.files) files[file.name] = sum_of(file.bytes);
    std::string text = manifest.dump(1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
    std::string signature = order_.signature(text);
    add("manifest.json", std::move(text));
    add("manifest.sig", std::move(signature));
    std::string sums;
    for (const EvidenceFile& file : out_.files)
      sums += sum_of(file.bytes) + "  " + file.name + '\n';
    add("SHA256SUMS", std::move(sums));
  }

  Reader& reader_;
  const EvidenceOrder& order_;
  Evidence out_;
  ordered_json audit_, receipts_;
};

}  // namespace

Result<Evidence> make_evidence(Reader& reader, const EvidenceOrder& order) {
  return Maker(reader, order).make();
}

}  // namespace quell::http
