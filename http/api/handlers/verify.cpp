// Whether what was deleted is gone: looked for, behind the writer's back, in every table that the
// schema has, and asked of every node, whatever the store says.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/signing/receipt_signer.hpp"
#include "storage/audit_check.hpp"
#include "storage/audit_entry.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::size_t ids_a_look = 500, listed_at_most = 1'000;
// Of a delete of more jobs than that, the runs that are told of are looked up.
constexpr std::size_t asked_at_most = 100'000;

struct Question {
  std::vector<JobId> jobs;
  std::optional<DeleteId> delete_id;
  std::string receipt;  // JSON text; ""
};

struct Findings {
  std::uint64_t checked = 0, tombstones = 0, rows_left = 0;
  std::vector<storage::Remnant> left;
  std::vector<std::pair<JobId, Instant>> copies;
  std::uint64_t copies_kept = 0;
  std::vector<JobId> unknown;
  std::uint64_t never_seen = 0;
  std::optional<bool> signature;  // of the receipt
  std::string receipt_fault;
  // Of a receipt that names a delete instead of its jobs; each is known by the tombstone it left.
  std::uint64_t told = 0, found_by_delete = 0;
  AuditCheck audit;
  std::vector<JobId> asked;  // by their ids
  FleetRuns fleet;           // its runs are those of deleted jobs

  bool holds() const {
    return rows_left == 0 && never_seen == 0 && signature.value_or(true) && !audit.fault &&
           told <= found_by_delete && fleet.runs.empty() && fleet.silent.empty();
  }
};

template <class T>
void list(std::vector<T>& to, T item) {
  if (to.size() < listed_at_most) to.push_back(std::move(item));
}

// A receipt stays true when the tombstones that it tells of are long forgotten.
Result<void> look_for(storage::Reader& reader, const std::vector<JobId>& jobs, bool is_told,
                      Findings& out) {
  const auto found = reader.get(jobs, false);
  if (!found) return found.error();
  const auto remnants = reader.remnants(jobs);
  if (!remnants) return remnants.error();
  out.checked += jobs.size();
  if (out.asked.size() <= asked_at_most)
    out.asked.insert(out.asked.end(), jobs.begin(), jobs.end());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto& [job, tomb] = (*found)[i];
    if (tomb) ++out.tombstones;
    if (tomb && tomb->copy_until) {
      ++out.copies_kept;
      list(out.copies, std::pair(jobs[i], *tomb->copy_until));
    }
    if (!job && !tomb && !is_told) {
      ++out.never_seen;
      list(out.unknown, jobs[i]);
    }
  }
  for (const storage::Remnant& one : *remnants) {
    const bool is_allowed = one.table == "tomb" || one.table == "archive";
    if (is_allowed) continue;
    out.rows_left += static_cast<std::uint64_t>(one.rows);
    list(out.left, one);
  }
  return {};
}

Result<void> look_for_all(storage::Reader& reader, const Question& asked, bool is_told,
                          Findings& out) {
  for (std::size_t at = 0; at < asked.jobs.size(); at += ids_a_look) {
    const auto from = asked.jobs.begin() + static_cast<std::ptrdiff_t>(at);
    const auto to =
        from + static_cast<std::ptrdiff_t>(std::min(ids_a_look, asked.jobs.size() - at));
    if (auto looked = look_for(reader, {from, to}, is_told, out); !looked) return looked;
  }
  if (!asked.delete_id) return {};
  std::optional<JobId> after;
  for (;;) {
    const auto page = reader.tombstones(*asked.delete_id, after, static_cast<int>(ids_a_look));
    if (!page) return page.error();
    if (page->empty()) return {};
    std::vector<JobId> jobs;
    for (const storage::Tombstone& tomb : *page) jobs.push_back(tomb.job);
    after = jobs.back();
    out.found_by_delete += jobs.size();
    if (auto looked = look_for(reader, jobs, true, out); !looked) return looked;
  }
}

// What the receipt says was deleted, and the head of the audit log that it carries.
void read_receipt(const std::string& public_key, Question& asked, std::vector<AuditHead>& heads,
                  Findings& out) {
  const Result<std::string> payload = verify_receipt(json_from_outside(asked.receipt), public_key);
  out.signature = payload.ok();
  if (!payload) {
    out.receipt_fault = "No signature of this server's key fits the receipt.";
    return;
  }
  const nlohmann::json told = json_of_ours(*payload);
  for (const nlohmann::json& one : told.value("outcomes", nlohmann::json::array()))
    if (one.value("outcome", "") == "deleted")
      if (const auto id = Uuid::parse(one.value("job_id", ""))) asked.jobs.push_back(*id);
  // An operation's may tell of a million: it names the delete.
  if (told.contains("operation")) {
    asked.delete_id = Uuid::parse(told.value("delete_id", ""));
    out.told = told.value("counts", nlohmann::json::object()).value("deleted", std::uint64_t{0});
  }
  const auto head = told.find("audit_head");
  if (head == told.end() || !head->is_object()) return;
  if (const auto hash = storage::digest_of_hex(head->value("hash", "")))
    heads.push_back({head->value("no", std::int64_t{0}), *hash});
}

void say_what_is_not_found(Findings& out) {
  if (out.told <= out.found_by_delete) return;
  out.receipt_fault = fmt::format(
      "The receipt tells of {} deleted jobs and {} tombstones name its delete: the others are "
      "forgotten, or came back and were deleted by another call; ask for them by their ids.",
      out.told, out.found_by_delete);
}

std::string findings_json(const Findings& found) {
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  std::string out;
  {
    ObjectWriter view(out);
    view.flag("holds", found.holds());
    view.number("checked", number(found.checked));
    view.number("tombstones", number(found.tombstones));
    view.number("rows_left", number(found.rows_left));
    append_list(view.key("left"), found.left, [](std::string& to, const storage::Remnant& one) {
      ObjectWriter row(to);
      row.text("job_id", one.job.text());
      row.text("table", one.table);
      row.text("column", one.column);
      row.number("rows", one.rows);
    });
    view.number("copies_kept", number(found.copies_kept));
    append_list(view.key("copies"), found.copies, [](std::string& to, const auto& copy) {
      ObjectWriter one(to);
      one.text("job_id", copy.first.text());
      one.time("copy_kept_until", copy.second);
    });
    view.number("never_seen", number(found.never_seen));
    append_list(view.key("unknown"), found.unknown,
                [](std::string& to, JobId id) { append_quoted(to, id.text()); });
    if (found.signature)
      view.text("receipt_signature", *found.signature ? "valid" : "invalid");
    else
      view.null("receipt_signature");
    view.text_or_null("receipt_fault", found.receipt_fault);
    append_list(view.key("runs"), found.fleet.runs, [](std::string& to, const auto& run) {
      ObjectWriter one(to);
      one.text("job_id", run.first.text());
      one.text("worker_id", run.second.text());
    });
    view.number("workers_asked", number(found.fleet.answered + found.fleet.silent.size()));
    append_list(view.key("workers_silent"), found.fleet.silent,
                [](std::string& to, NodeId id) { append_quoted(to, id.text()); });
    ObjectWriter audit(view.key("audit"));
    audit.flag("holds", !found.audit.fault);
    audit.number("sealed", found.audit.sealed);
    if (found.audit.fault) audit.text("fault", to_string(*found.audit.fault));
    if (found.audit.fault) audit.number("fault_no", found.audit.fault_no);
  }
  return out;
}

std::optional<Question> read_question(RequestContext& call) {
  const std::optional<JsonValue> body = call.body();
  if (!body) return std::nullopt;
  Question asked;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  std::vector<std::string> ids;
  fields.texts("job_ids", ids, static_cast<std::size_t>(call.api.settings().ids_max), 64);
  for (const std::string& text : ids) {
    const auto id = Uuid::parse(text);
    if (id)
      asked.jobs.push_back(*id);
    else
      fields.wrong("job_ids", "'" + text + "' is not an id; ids are UUIDs.");
  }
  std::string delete_id;
  if (fields.text("delete_id", delete_id, 64)) {
    asked.delete_id = Uuid::parse(delete_id);
    if (!asked.delete_id) fields.wrong("delete_id", "This is not an id; ids are UUIDs.");
  }
  fields.object("receipt", asked.receipt, call.api.settings().bulk_body_max);
  fields.refuse_rest();
  if (!faults.empty()) return call.fail(faults_problem(std::move(faults))), std::nullopt;
  if (asked.jobs.empty() && !asked.delete_id && asked.receipt.empty())
    return call.fail({ErrorCode::invalid_field,
                      "Say what is to be verified: job_ids, delete_id or receipt."}),
           std::nullopt;
  return asked;
}

// What runs is none of ours but for the jobs that were asked for, or that the delete erased.
Result<void> keep_runs_of(storage::Reader& reader, const std::optional<DeleteId>& delete_id,
                          Findings& found) {
  std::sort(found.asked.begin(), found.asked.end());
  std::vector<std::pair<JobId, NodeId>> runs;
  for (const auto& run : found.fleet.runs) {
    bool is_meant = std::binary_search(found.asked.begin(), found.asked.end(), run.first);
    if (!is_meant && delete_id) {
      const auto one = reader.get({run.first}, false);
      if (!one) return one.error();
      is_meant = one->front().tomb && one->front().tomb->delete_id == *delete_id;
    }
    if (is_meant) runs.push_back(run);
  }
  found.fleet.runs = std::move(runs);
  return {};
}

void ask_the_fleet(const RequestPtr& call, const std::optional<DeleteId>& delete_id,
                   const std::shared_ptr<Findings>& found) {
  // A delete tells of jobs that nobody has named here: then every run is told of.
  call->api.node().ask_runs(
      delete_id ? std::vector<JobId>{} : found->asked,
      call->on_loop<FleetRuns>([call, delete_id, found](Result<FleetRuns> told) {
        if (!told) return call->fail(told.error());
        found->fleet = std::move(*told);
        call->read([call, delete_id, found](storage::Reader& reader) {
          if (auto kept = keep_runs_of(reader, delete_id, *found); !kept)
            return call->fail(kept.error());
          call->reply(200, findings_json(*found));
        });
      }));
}

}  // namespace

void verify_deletion(RequestPtr call) {
  if (!call->allow_only({})) return;
  // Whether a row is left says something of every project's jobs.
  if (!call->is_of_all_projects("Verifying is")) return;
  auto question = read_question(*call);
  if (!question) return;
  call->read([call, asked = std::move(*question)](storage::Reader& reader) mutable {
    const auto kept = std::make_shared<Findings>();
    Findings& found = *kept;
    std::vector<AuditHead> heads;
    if (asked.delete_id) {
      const auto known = reader.call(*asked.delete_id);
      if (!known) return call->fail(known.error());
      if (!*known) return call->fail({ErrorCode::resource_not_found});
    }
    if (auto looked = look_for_all(reader, asked, false, found); !looked)
      return call->fail(looked.error());
    if (!asked.receipt.empty()) {
      Question told;
      told.receipt = asked.receipt;
      read_receipt(call->api.node().public_key_pem(), told, heads, found);
      found.found_by_delete = 0;
      if (auto looked = look_for_all(reader, told, true, found); !looked)
        return call->fail(looked.error());
      say_what_is_not_found(found);
      if (!asked.delete_id) asked.delete_id = told.delete_id;
    }
    auto audit = storage::check_audit(reader, heads);
    if (!audit) return call->fail(audit.error());
    found.audit = std::move(audit).value();
    call->post([call, kept, delete_id = asked.delete_id] { ask_the_fleet(call, delete_id, kept); });
  });
}

}  // namespace quell::http::handlers
