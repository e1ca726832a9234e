#include "actors/operations/operation_outcomes.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/assert.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::ordered_json;
using storage::SteerAnswer;

void add(std::string& items, const Json& one) {
  if (!items.empty()) items += ',';
  items += one.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* name_of(CountsAs what) {
  switch (what) {
    case CountsAs::dequeued:
      return "dequeued";
    case CountsAs::killed:
      return "killed";
    case CountsAs::finished_first:
      return "finished_first";
    case CountsAs::at_rest:
      return "at_rest";
    case CountsAs::unproven:
      return "unproven";
  }
  QUELL_ASSERT(!"outside the list");
  return "";
}

Json problem(const Error& error) {
  return {{"code", info(error.code).wire}, {"detail", error.detail}};
}

void count_own(Operation& operation, const JobOutcome& one) {
  auto& counts = operation.counts;
  counts["slots_freed"] += one.slots_freed.value_or(0);
  counts[one.fate == JobFate::deleted ? "deleted" : "pending"] += 1;
  if (one.fate == JobFate::deleted)
    counts[name_of(counts_as(*one.was, *one.verdict))] += 1;
  else if (one.erase && one.was && one.verdict && *one.verdict != Verdict::stuck)
    operation.awaiting[name_of(counts_as(*one.was, *one.verdict))] += 1;
  else
    operation.open.push_back(one.job);
}

void count_one(Operation& operation, const JobOutcome& one, std::string& items) {
  auto& counts = operation.counts;
  const bool is_done = one.fate == JobFate::deleted || one.fate == JobFate::pending;
  if (is_done && one.delete_id == operation.id) return count_own(operation, one);
  Json shown{{"job_id", one.job.text()}};
  switch (one.fate) {
    case JobFate::deleted:
    case JobFate::pending:
      // Another call marked it first: its tombstone is that call's, and so is the deletion.
      shown["outcome"] = "already_gone";
      shown["joined"] = true;
      break;
    case JobFate::already_gone:
      shown["outcome"] = "already_gone";
      break;
    case JobFate::not_found:
    case JobFate::would_delete:
      shown["outcome"] = "not_found";
      break;
    case JobFate::failed:
      counts["failed"] += 1;
      shown["outcome"] = "failed";
      if (one.error) shown["problem"] = problem(*one.error);
      return add(items, shown);
  }
  counts["already_gone"] += 1;
  if (one.delete_id) shown["delete_id"] = one.delete_id->text();
  add(items, shown);
}

void add_deleted(DeleteCounts& counts, CountsAs what, std::uint64_t n) {
  counts.deleted += n;
  switch (what) {
    case CountsAs::dequeued:
      counts.dequeued += n;
      break;
    case CountsAs::killed:
      counts.killed += n;
      break;
    case CountsAs::finished_first:
      counts.finished_first += n;
      break;
    case CountsAs::at_rest:
      counts.at_rest += n;
      break;
    case CountsAs::unproven:
      counts.unproven += n;
      break;
  }
}

// What was counted as pending is on its way still, or gone, and then its proof is in its tombstone;
// one that was restored and deleted by another call since has taken that along. Of what was not
// counted only what can be seen is said.
Result<void> count_open(storage::Reader& reader, Uuid operation, JobId job, bool is_counted,
                        DeleteCounts& counts) {
  const auto found = reader.get({job}, false);
  if (!found) return found.error();
  const storage::Found& one = found->front();
  if (one.job && one.job->delete_id == operation) {
    counts.pending += 1;
    return {};
  }
  std::optional<storage::Tombstone> tomb = one.tomb;
  if (!tomb && one.job) {  // restored since
    auto rows = reader.trace_rows(job, "", 1);
    if (!rows) return rows.error();
    tomb = std::move(rows->tomb);
  }
  if (tomb && tomb->delete_id == operation)
    add_deleted(counts, counts_as(tomb->was, tomb->verdict), 1);
  else if (is_counted)
    add_deleted(counts, CountsAs::unproven, 1);
  return {};
}

}  // namespace

std::string count_erased(Operation& operation, const DeleteReport& report) {
  std::string items;
  for (const JobOutcome& one : report.outcomes) count_one(operation, one, items);
  if (report.durability)
    operation.durability =
        std::min(operation.durability.value_or(*report.durability), *report.durability);
  return items;
}

std::string count_steered(Operation& operation, const std::vector<JobId>& jobs,
                          const std::vector<storage::SteerResult>& results) {
  QUELL_ASSERT(jobs.size() == results.size());
  const bool cancels = operation.verb == OperationVerb::cancel;
  std::string items;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const storage::SteerResult& result = results[i];
    const char* outcome = "gone";
    if (result.answer == SteerAnswer::moved)
      outcome = cancels ? "cancelled" : "retried";
    else if (result.answer == SteerAnswer::requested)
      outcome = "requested";
    else if (result.answer == SteerAnswer::refused)
      outcome = "refused";
    operation.counts[outcome] += 1;
    Json shown{{"job_id", jobs[i].text()}, {"outcome", outcome}};
    if (result.answer != SteerAnswer::gone && result.answer != SteerAnswer::not_found)
      shown["status"] = to_string(result.state);
    add(items, shown);
  }
  return items;
}

std::string count_unknown(Operation& operation, const std::vector<JobId>& jobs) {
  std::string items;
  for (const JobId& job : jobs) {
    operation.counts["unknown"] += 1;
    add(items, {{"job_id", job.text()}, {"outcome", "unknown"}});
  }
  return items;
}

std::string count_forbidden(Operation& operation, const std::vector<JobId>& jobs) {
  std::string items;
  for (const JobId& job : jobs) {
    operation.counts["refused"] += 1;
    const Error error{ErrorCode::forbidden, "The caller may not run a job of this kind."};
    add(items, {{"job_id", job.text()}, {"outcome", "refused"}, {"problem", problem(error)}});
  }
  return items;
}

Result<DeleteCounts> look_at_open(storage::Reader& reader, const Operation& operation) {
  DeleteCounts counts;
  for (const JobId& job : operation.open)
    if (const auto fine = count_open(reader, operation.id, job, true, counts); !fine)
      return fine.error();
  for (const JobId& job : operation.slice)
    if (const auto fine = count_open(reader, operation.id, job, false, counts); !fine)
      return fine.error();
  return counts;
}

DeleteCounts final_counts(const Operation& operation, const DeleteCounts& open) {
  const auto in = [](const std::map<std::string, std::int64_t>& all, const char* name) {
    const auto at = all.find(name);
    return at == all.end() ? std::uint64_t{0} : static_cast<std::uint64_t>(at->second);
  };
  DeleteCounts counts = open;
  for (const CountsAs what : {CountsAs::dequeued, CountsAs::killed, CountsAs::finished_first,
                              CountsAs::at_rest, CountsAs::unproven})
    add_deleted(counts, what,
                in(operation.counts, name_of(what)) + in(operation.awaiting, name_of(what)));
  counts.slots_freed = in(operation.counts, "slots_freed");
  counts.already_gone = in(operation.counts, "already_gone");
  counts.failed = in(operation.counts, "failed");
  counts.requested = counts.distinct =
      counts.deleted + counts.already_gone + counts.failed + counts.pending;
  QUELL_ASSERT(add_up(counts));
  return counts;
}

void set_counts(Operation& operation, const DeleteCounts& counts) {
  operation.counts.clear();
  const Json all = ordered_json_of_ours(counts_json(counts));
  for (const auto& [name, n] : all.items()) operation.counts[name] = n;
}

storage::DocOp outcomes_doc(Operation& operation, Uuid page, const std::string& items,
                            Instant now) {
  std::string body = R"({"before":)";
  body += operation.outcomes ? '"' + operation.outcomes->text() + '"' : "null";
  body += R"(,"outcomes":[)" + items + "]}";
  operation.outcomes = page;
  return {.kind = operation_outcomes_kind,
          .id = page.text(),
          .project = operation.project,
          .body = std::move(body),
          .until = now + operation_part_keep};
}

std::optional<OutcomePage> outcomes_of(const storage::Doc& doc) {
  const std::size_t at = doc.body.find(R"("outcomes":[)");
  if (at == std::string::npos || doc.body.size() < at + 14) return std::nullopt;
  OutcomePage page;
  page.items = doc.body.substr(at + 12, doc.body.size() - at - 14);
  const std::size_t before = doc.body.find(R"("before":")");
  if (before != std::string::npos && before < at)
    page.before = Uuid::parse(doc.body.substr(before + 10, 36));
  return page;
}

}  // namespace quell
