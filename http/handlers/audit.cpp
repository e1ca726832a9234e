// The audit log, and whether its chain holds.
#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/json_writer.hpp"
#include "http/views.hpp"
#include "runtime/audit_chain.hpp"

namespace quell::http::handlers {

namespace {

constexpr int page = 1'000;

std::optional<Digest> digest_of_hex(const std::string& text) {
  Digest digest{};
  if (text.size() != digest.size() * 2) return std::nullopt;
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(value(text[2 * i]) * 16 + value(text[2 * i + 1]));
  return digest;
}

void append_row(std::string& out, const storage::AuditRow& row) {
  ObjectWriter view(out);
  view.number("no", row.no);
  view.time("at", row.at);
  view.text("who", row.who);
  view.text("what", row.what);
  view.text("ref", row.ref);
  view.json("detail", row.detail);
  view.text_or_null("digest", row.digest);
  view.text_or_null("hash", row.hash);
}

std::string check_json(const AuditCheck& check) {
  std::string out;
  {
    ObjectWriter view(out);
    view.flag("holds", !check.fault);
    if (check.fault) {
      view.text("fault", to_string(*check.fault));
      view.number("fault_no", check.fault_no);
    }
    view.number("sealed", check.sealed);
    view.number("waiting", check.waiting);
    view.number("head", check.head.no);
  }
  return out;
}

}  // namespace

void list_audit(CallPtr call) {
  if (!call->only({"after", "limit"})) return;
  const auto after = call->number("after", 0, 0, std::numeric_limits<std::int64_t>::max());
  if (!after) return;
  const auto limit = call->number("limit", 100, 1, page);
  if (!limit) return;
  // Entries name jobs of every project; who belongs to one may not read them.
  if (!call->principal.project.empty())
    return call->fail({ErrorCode::forbidden, "The audit log is for tokens of all projects."});
  call->read([call, from = *after, n = static_cast<int>(*limit)](storage::Reader& reader) {
    const Result<std::vector<storage::AuditRow>> rows = reader.audit(from, n);
    if (!rows) return call->fail(rows.error());
    std::string out = "{\"entries\":";
    append_list(out, rows.value(), append_row);
    const std::int64_t next = rows.value().empty() ? from : rows.value().back().no;
    call->reply(200, out + ",\"next_after\":" + std::to_string(next) + '}');
  });
}

void verify_audit(CallPtr call) {
  if (!call->only({})) return;
  call->read([call](storage::Reader& reader) {
    AuditVerifier verifier;
    for (std::int64_t after = 0;;) {
      const Result<std::vector<storage::AuditRow>> rows = reader.audit(after, page);
      if (!rows) return call->fail(rows.error());
      for (const storage::AuditRow& row : rows.value()) {
        verifier.add({row.no, row.at, row.who, row.what, row.ref, row.detail + row.digest},
                     digest_of_hex(row.hash));
        after = row.no;
      }
      if (static_cast<int>(rows.value().size()) < page) break;
    }
    call->reply(200, check_json(verifier.finish()));
  });
}

}  // namespace quell::http::handlers
