#include "actors/deletes/delete_report.hpp"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "runtime/base/assert.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/base/hex.hpp"

namespace quell {

using Json = nlohmann::ordered_json;

// A job that did not run is held by its deliveries alone: their verdict says nothing of a run.
CountsAs counts_as(JobState was, Verdict verdict) {
  if (proof_of(verdict) == Proof::unproven) return CountsAs::unproven;
  if (is_final(was)) return CountsAs::at_rest;
  if (was != JobState::running) return CountsAs::dequeued;
  switch (verdict) {
    case Verdict::finished_first:
      return CountsAs::finished_first;
    case Verdict::stopped:
    case Verdict::reaped:
    case Verdict::process_died:
      return CountsAs::killed;
    default:
      return CountsAs::dequeued;
  }
}

DeleteCounts count(const std::vector<JobOutcome>& outcomes, std::size_t requested) {
  DeleteCounts counts;
  counts.requested = requested;
  counts.distinct = outcomes.size();
  for (const JobOutcome& one : outcomes) {
    counts.slots_freed += static_cast<std::uint64_t>(one.joined ? 0 : one.slots_freed.value_or(0));
    switch (one.fate) {
      case JobFate::pending:
        counts.pending += 1;
        continue;
      case JobFate::failed:
        counts.failed += 1;
        continue;
      case JobFate::already_gone:
      case JobFate::not_found:
        counts.already_gone += 1;
        continue;
      case JobFate::would_delete:
        counts.distinct -= 1;
        continue;  // a dry run counts nothing as done
      case JobFate::deleted:
        break;
    }
    counts.deleted += 1;
    QUELL_ASSERT(one.was && one.verdict);
    switch (counts_as(*one.was, *one.verdict)) {
      case CountsAs::dequeued:
        counts.dequeued += 1;
        break;
      case CountsAs::killed:
        counts.killed += 1;
        break;
      case CountsAs::finished_first:
        counts.finished_first += 1;
        break;
      case CountsAs::at_rest:
        counts.at_rest += 1;
        break;
      case CountsAs::unproven:
        counts.unproven += 1;
        break;
    }
  }
  QUELL_ASSERT(add_up(counts));
  return counts;
}

DeleteReport report_of(const storage::CallView& call,
                       const std::vector<storage::Tombstone>& tombstones) {
  DeleteReport report;
  report.delete_id = call.delete_id;
  report.at = call.at;
  report.complete = true;
  for (const storage::Tombstone& tombstone : tombstones) {
    JobOutcome& one = report.outcomes.emplace_back();
    one.job = tombstone.job;
    one.fate = JobFate::deleted;
    one.was = tombstone.was;
    one.verdict = tombstone.verdict;
    one.delete_id = tombstone.delete_id;
    one.deleted_at = tombstone.at;
    one.copy_until = tombstone.copy_until;
    one.deliveries_known = false;
  }
  // Who reads this so late knows of these that they are gone, and not how: another call has that.
  for (const JobId& job : call.joined) {
    JobOutcome& one = report.outcomes.emplace_back();
    one.job = job;
    one.fate = JobFate::already_gone;
    one.joined = true;
    one.deliveries_known = false;
  }
  report.counts = count(report.outcomes, report.outcomes.size());
  return report;
}

std::string_view to_string(JobFate fate) {
  constexpr std::array names{"deleted", "already_gone", "not_found",
                             "pending", "failed",       "would_delete"};
  return names.at(static_cast<std::size_t>(fate));
}

namespace {

Json counts_object(const DeleteCounts& c) {
  return {{"requested", c.requested},     {"distinct", c.distinct},
          {"deleted", c.deleted},         {"dequeued", c.dequeued},
          {"killed", c.killed},           {"finished_first", c.finished_first},
          {"at_rest", c.at_rest},         {"unproven", c.unproven},
          {"slots_freed", c.slots_freed}, {"already_gone", c.already_gone},
          {"pending", c.pending},         {"failed", c.failed}};
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::string word_or_null(const std::optional<T>& value) {
  return value ? fmt::format(R"("{}")", to_string(*value)) : "null";
}

Json outcome_object(const JobOutcome& one) {
  Json out{{"job_id", one.job.text()}, {"outcome", to_string(one.fate)}};
  out["was"] = one.was ? Json(to_string(*one.was)) : Json(nullptr);
  out["verdict"] = one.verdict ? Json(to_string(*one.verdict)) : Json(nullptr);
  out["epoch"] = or_null(one.epoch);
  out["slots_freed"] = or_null(one.slots_freed);
  out["effects_aborted"] = or_null(one.effects_aborted);
  out["deliveries"] = nullptr;
  if (one.deliveries_known)
    out["deliveries"] = {{"removed", one.deliveries_removed},
                         {"aborted_maybe_delivered", one.deliveries_aborted}};
  out["copy_kept_until"] =
      one.copy_until ? Json(one.copy_until->time_since_epoch().count()) : Json(nullptr);
  if (one.run_report && !one.run_report->empty()) {
    auto shown = ordered_json_of_ours(*one.run_report);
    out["run"] = shown.is_discarded() ? Json(nullptr) : std::move(shown);
  }
  if (one.joined) out["joined"] = true;
  return out;
}

}  // namespace

// Written by hand: a delete by filter has a line of these for each of a million jobs.
std::string outcome_fields(const std::string& who, const DeleteReport& report,
                           const JobOutcome& one) {
  std::string replicate;
  if (report.requires_replica) replicate = fmt::format(R"(,"replicate":{})", one.replicate);
  return fmt::format(
      R"("job_id":"{}","outcome":"{}","was":{},"verdict":{},"steps":{{"mark":{},"stop":{},)"
      R"("release":{},"erase":{}{}}},"slots_freed":{},"delete_id":"{}","who":{})",
      one.job.text(), to_string(one.fate), word_or_null(one.was), word_or_null(one.verdict),
      one.mark, one.stop, one.release, one.erase, replicate,
      one.slots_freed ? std::to_string(*one.slots_freed) : "null", report.delete_id.text(),
      Json(who).dump(-1, ' ', true, Json::error_handler_t::replace));
}

std::string counts_json(const DeleteCounts& counts) {
  return counts_object(counts).dump();
}

std::string receipt_payload(const DeleteReport& report, const DeleteRequest& request,
                            const AuditHead& audit_head) {
  Json out{{"version", 1},
           {"delete_id", report.delete_id.text()},
           {"at_ms", report.at.time_since_epoch().count()},
           {"who", request.who},
           {"reason", request.reason},
           {"durability", to_string(report.durability.value_or(storage::Durability::local))},
           {"counts", counts_object(report.counts)}};
  out["audit_head"] = nullptr;
  if (audit_head.no > 0)
    out["audit_head"] = {{"no", audit_head.no}, {"hash", hex(audit_head.hash)}};
  out["outcomes"] = Json::array();
  for (const JobOutcome& one : report.outcomes) out["outcomes"].push_back(outcome_object(one));
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace quell
