#include "http/api/views/delete_views.hpp"

#include <fmt/format.h>

#include "http/api/problem.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/assert.hpp"

namespace quell::http {

namespace {

bool counts_like(const JobOutcome& outcome, CountsAs kind) {
  return outcome.fate == JobFate::deleted && outcome.was && outcome.verdict &&
         counts_as(*outcome.was, *outcome.verdict) == kind;
}

void optional_number(ObjectWriter& writer, std::string_view name, const std::optional<int>& value) {
  if (value)
    writer.number(name, *value);
  else
    writer.null(name);
}

void append_steps(std::string& out, const JobOutcome& outcome, bool replicate) {
  ObjectWriter steps(out);
  steps.flag("mark", outcome.mark);
  steps.flag("stop", outcome.stop);
  steps.flag("release", outcome.release);
  steps.flag("erase", outcome.erase);
  if (replicate) steps.flag("replicate", outcome.replicate);
  steps.flag("answer", outcome.fate != JobFate::pending);
}

// What is known of how the job ended; unknown is null, never 0.
void append_proof(std::string& out, const JobOutcome& outcome) {
  ObjectWriter proof(out);
  if (outcome.verdict) {
    proof.text("verdict", to_string(*outcome.verdict));
    proof.text("sentence", sentence(*outcome.verdict));
    proof.flag("proven", proof_of(*outcome.verdict) == Proof::proven);
  } else {
    proof.null("verdict");
  }
  optional_number(proof, "epoch", outcome.epoch);
  proof.text_or_null("queue", outcome.queue);
  optional_number(proof, "effects_aborted", outcome.effects_aborted);
  proof.number("deliveries_removed", outcome.deliveries_removed);
  proof.number("deliveries_aborted_maybe_delivered", outcome.deliveries_aborted);
  proof.json("run", outcome.run_report.value_or(""));
  proof.time("copy_kept_until", outcome.copy_until);
}

void append_outcomes(std::string& out, const DeleteReport& report, OutcomeDetail detail) {
  out += '[';
  bool first = true;
  for (const JobOutcome& outcome : report.outcomes) {
    if (detail == OutcomeDetail::failed_only && outcome.fate != JobFate::failed &&
        outcome.fate != JobFate::pending)
      continue;
    if (!first) out += ',';
    first = false;
    append_outcome(out, outcome, detail, report.requires_replica);
  }
  out += ']';
}

bool is_success(const DeleteReport& report) {
  return !report.dry_run && report.counts.pending == 0 && report.counts.failed == 0;
}

// The fields that every delete reply has.
void append_common(ObjectWriter& reply, const DeleteReport& report) {
  const DeleteCounts& counts = report.counts;
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  reply.number("deleted_count", report.dry_run ? 0 : number(counts.deleted));
  reply.number("tasks_revoked", number(counts.killed));
  reply.number("redis_removed", number(counts.dequeued));
  reply.number("queue_removed", number(counts.dequeued));
  reply.text("message", delete_message(report));
  reply.text("delete_id", report.delete_id.text());
  if (report.dry_run) reply.flag("dry_run", true);
  if (report.frozen) reply.flag("frozen", true);
  append_counts(reply.key("counts"), counts);
}

void point_to(Response& response, const DeleteId& id) {
  response.status = 202;
  response.headers.emplace_back("Location", deletion_path(id));
  response.headers.emplace_back("Retry-After", "1");
}

std::string_view single_status(const JobOutcome& outcome) {
  switch (outcome.fate) {
    case JobFate::deleted:
      return "DELETED";
    case JobFate::pending:
      return "PENDING_DELETE";
    case JobFate::would_delete:
      return "WOULD_DELETE";
    default:
      return "ALREADY_DELETED";
  }
}

void append_single(std::string& out, const DeleteReport& report, const JobOutcome& outcome,
                   const DeleteId& ticket) {
  ObjectWriter reply(out);
  reply.flag("success", is_success(report));
  reply.text("status", single_status(outcome));
  reply.text("job_id", outcome.job.text());
  reply.text("outcome", to_string(outcome.fate));
  append_common(reply, report);
  if (outcome.was) reply.text("was", to_string(*outcome.was));
  if (outcome.deleted_at) reply.time("deleted_at", outcome.deleted_at);
  append_steps(reply.key("steps"), outcome, report.requires_replica);
  append_proof(reply.key("proof"), outcome);
  append_outcomes(reply.key("outcomes"), report, OutcomeDetail::brief);
  if (outcome.fate == JobFate::pending) reply.text("operation", deletion_path(ticket));
  reply.time("at", report.at);
  reply.json("receipt", report.receipt);
}

}  // namespace

std::string deletion_path(const DeleteId& id) {
  return "/api/v1/deletions/" + id.text();
}

std::string delete_message(const DeleteReport& report) {
  const DeleteCounts& counts = report.counts;
  const std::size_t distinct = report.outcomes.size();
  const char* jobs = distinct == 1 ? "job" : "jobs";
  if (report.dry_run) {
    std::size_t would = 0;
    for (const JobOutcome& outcome : report.outcomes)
      would += outcome.fate == JobFate::would_delete ? 1 : 0;
    return fmt::format("Dry run: {} of {} {} would be deleted; nothing was.{}", would, distinct,
                       jobs, report.frozen ? " Deletions are frozen." : "");
  }
  std::string text = fmt::format("{} of {} {} deleted", counts.deleted, distinct, jobs);
  if (counts.killed > 0)
    text += fmt::format(", {} run{} stopped", counts.killed, counts.killed == 1 ? "" : "s");
  if (counts.dequeued > 0) text += fmt::format(", {} removed from the queue", counts.dequeued);
  if (counts.slots_freed > 0)
    text +=
        fmt::format(", {} slot{} freed", counts.slots_freed, counts.slots_freed == 1 ? "" : "s");
  if (counts.unproven > 0)
    text += fmt::format(", {} without proof that the run has ended", counts.unproven);
  if (counts.already_gone > 0)
    text += fmt::format(", {} {} already gone", counts.already_gone,
                        counts.already_gone == 1 ? "was" : "were");
  if (counts.pending > 0)
    text += fmt::format(", {} {} still being deleted", counts.pending,
                        counts.pending == 1 ? "is" : "are");
  if (counts.failed > 0) text += fmt::format(", {} failed", counts.failed);
  return text + ".";
}

void append_counts(std::string& out, const DeleteCounts& counts) {
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  ObjectWriter view(out);
  view.number("requested", number(counts.requested));
  view.number("distinct", number(counts.distinct));
  view.number("deleted", number(counts.deleted));
  view.number("dequeued", number(counts.dequeued));
  view.number("killed", number(counts.killed));
  view.number("finished_first", number(counts.finished_first));
  view.number("at_rest", number(counts.at_rest));
  view.number("unproven", number(counts.unproven));
  view.number("slots_freed", number(counts.slots_freed));
  view.number("already_gone", number(counts.already_gone));
  view.number("pending", number(counts.pending));
  view.number("failed", number(counts.failed));
}

void append_outcome(std::string& out, const JobOutcome& outcome, OutcomeDetail detail,
                    bool replicate) {
  ObjectWriter view(out);
  view.text("job_id", outcome.job.text());
  view.text("outcome", to_string(outcome.fate));
  if (outcome.was) view.text("was", to_string(*outcome.was));
  if (outcome.verdict) view.text("verdict", to_string(*outcome.verdict));
  if (counts_like(outcome, CountsAs::killed)) view.flag("killed", true);
  if (counts_like(outcome, CountsAs::dequeued)) view.flag("dequeued", true);
  if (outcome.slots_freed) view.number("slots_freed", *outcome.slots_freed);
  if (outcome.fate == JobFate::pending || detail == OutcomeDetail::full)
    append_steps(view.key("steps"), outcome, replicate);
  if (outcome.delete_id && (outcome.joined || outcome.fate == JobFate::pending))
    view.text("delete_id", outcome.delete_id->text());
  if (outcome.joined) view.flag("joined", true);
  if (outcome.deleted_at) view.time("deleted_at", outcome.deleted_at);
  if (outcome.copy_until) view.time("copy_kept_until", outcome.copy_until);
  if (outcome.error) view.json("problem", problem_json(*outcome.error));
  if (detail == OutcomeDetail::full && outcome.fate == JobFate::deleted)
    append_proof(view.key("proof"), outcome);
}

Response bulk_delete_response(const DeleteReport& report, OutcomeDetail detail) {
  Response response;
  if (report.counts.pending > 0) point_to(response, report.delete_id);
  response.body.reserve(512 + report.outcomes.size() * 160);
  {
    ObjectWriter reply(response.body);
    reply.flag("success", is_success(report));
    append_common(reply, report);
    append_outcomes(reply.key("outcomes"), report, detail);
    if (report.counts.pending > 0) reply.text("operation", deletion_path(report.delete_id));
    reply.time("at", report.at);
    reply.json("receipt", report.receipt);
  }
  return response;
}

Response single_delete_response(const DeleteReport& report, bool unknown_is_gone,
                                std::string_view instance, std::string_view request_id) {
  QUELL_ASSERT(report.outcomes.size() == 1);
  const JobOutcome& outcome = report.outcomes.front();
  if (outcome.fate == JobFate::not_found && !unknown_is_gone)
    return problem_response({ErrorCode::job_not_found}, instance, request_id);
  if (outcome.fate == JobFate::failed)
    return problem_response(outcome.error.value_or(Error{ErrorCode::internal}), instance,
                            request_id);
  Response response;
  const DeleteId ticket = outcome.delete_id.value_or(report.delete_id);
  if (outcome.fate == JobFate::pending) point_to(response, ticket);
  append_single(response.body, report, outcome, ticket);
  return response;
}

}  // namespace quell::http
