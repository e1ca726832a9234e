// A trace as JSON.
#include <fmt/format.h>

#include "http/api/traced.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/operation_view.hpp"
#include "http/api/views/schedule_views.hpp"
#include "http/api/views/views.hpp"
#include "http/api/views/webhook_views.hpp"

namespace quell::http {

namespace {

std::string_view name_of(Traced::What what) {
  switch (what) {
    case Traced::What::job:
      return "job";
    case Traced::What::deletion:
      return "deletion";
    case Traced::What::schedule:
      return "schedule";
    case Traced::What::delivery:
      return "delivery";
    case Traced::What::other:
      return "other";
    case Traced::What::nothing:
      break;
  }
  return "nothing";
}

void append_told_attempt(std::string& out, const ToldAttempt& one) {
  ObjectWriter view(out);
  view.number("n", one.n);
  view.time("started_at", one.started);
  view.time("ended_at", one.ended);
  view.text("outcome", one.outcome);
  view.text_or_null("code", one.code);
  view.text_or_null("node", one.node);
}

void append_effects(std::string& out, const HostEffects& one) {
  ObjectWriter view(out);
  view.text("host", one.host);
  view.number("calls", one.calls);
  view.number("bytes_in", one.bytes_in);
  view.number("bytes_out", one.bytes_out);
  view.number("ms", one.took.count());
}

void append_delivery_fact(std::string& out, const DeliveryFact& one) {
  ObjectWriter view(out);
  view.text_or_null("endpoint", one.endpoint);
  view.text("event", one.event);
  view.number("tries", one.tries);
  view.text("state", one.in_flight ? "in_flight" : one.due ? "waiting" : "ended");
}

void append_deleted(std::string& out, const Traced& traced) {
  const LifeFacts::Deleted& deleted = *traced.facts.deleted;
  ObjectWriter view(out);
  view.text("delete_id", deleted.delete_id.text());
  view.time("at", deleted.at);
  view.text_or_null("who", deleted.who);
  view.text_or_null("why", deleted.why);
  view.text("path", deleted.path);
  view.text("was", traced.facts.is_there ? "" : to_string(*traced.facts.state));
  view.text("verdict", to_string(deleted.verdict));
  view.text("verdict_sentence", sentence(deleted.verdict));
  view.flag("proven", proof_of(deleted.verdict) == Proof::proven);
  view.time("remembered_until", deleted.until);
}

void append_leaving(std::string& out, const LifeFacts::Leaving& leaving) {
  ObjectWriter view(out);
  view.text("delete_id", leaving.delete_id.text());
  view.time("at", leaving.at);
  view.text("who", leaving.who);
  view.text_or_null("why", leaving.why);
  view.number("holders", leaving.holders);
  view.number("tries", leaving.tries);
  view.text_or_null("error", leaving.error);
  view.flag("forced", leaving.forced);
}

void append_receipt(std::string& out, const ReceiptCheck& receipt) {
  ObjectWriter view(out);
  view.text("state", receipt.state);
  view.text_or_null("key_id", receipt.key_id);
  view.json("counts", receipt.counts);
  view.json("own", receipt.own);
  if (receipt.audit_no)
    view.number("audit_no", *receipt.audit_no);
  else
    view.null("audit_no");
  view.json("receipt", receipt.receipt);
}

void append_audit(std::string& out, const storage::AuditRow& row) {
  ObjectWriter view(out);
  view.number("no", row.no);
  view.time("at", row.at);
  view.text("who", row.who);
  view.text("what", row.what);
  view.text("ref", row.ref);
  view.json("detail", row.detail);
}

void append_event(std::string& out, const LifeEvent& one) {
  ObjectWriter view(out);
  view.time("at", one.at);
  view.text("what", one.what);
  view.text("text", one.text);
}

void append_job_members(ObjectWriter& view, const Traced& traced) {
  const LifeFacts& facts = traced.facts;
  view.text("status", facts.is_there ? to_string(*facts.state) : "gone");
  view.text("was", to_string(*facts.state));
  view.text_or_null("project", facts.project);
  view.text_or_null("queue", facts.queue);
  view.text_or_null("kind", facts.kind);
  view.text_or_null("schedule_id", facts.schedule);
  view.time("submitted_at", facts.id.time());
  view.text_or_null("submitted_by", facts.submitted_by);
  view.time("started_at", facts.started);
  view.time("finished_at", facts.finished);
  view.text_or_null("node", facts.runs_on.empty() ? facts.ran_on : facts.runs_on);
  view.number("attempt", facts.attempt);
  view.number("lost", facts.lost);
  append_list(view.key("attempts"), facts.attempts, append_told_attempt);
  append_list(view.key("effects"), facts.effects, append_effects);
  append_list(view.key("deliveries"), facts.deliveries, append_delivery_fact);
  if (facts.leaving)
    append_leaving(view.key("leaving"), *facts.leaving);
  else
    view.null("leaving");
  if (facts.deleted)
    append_deleted(view.key("deleted"), traced);
  else
    view.null("deleted");
  view.flag("restored", facts.restored);
  view.time("copy_kept_until", facts.copy_until);
}

// Of what is no job the audit tells the life, and the row that is there what it is now.
LifeLine line_of_other(const Traced& traced) {
  LifeLine line;
  for (const AuditFact& row : traced.facts.audit)
    line.events.push_back(
        {row.at, row.what, fmt::format("{}: {} (audit {}).", row.who, row.what, row.no)});
  order_by_time(line.events);  // two writers commit in another order than they began
  switch (traced.what) {
    case Traced::What::deletion:
      line.fate = traced.waiting > 0 ? Fate::leaving : Fate::deleted;
      line.sentence = fmt::format("A delete call{}: {} jobs are gone by it, {} still leave.",
                                  traced.call ? " by " + traced.call->who : std::string(),
                                  traced.erased, traced.waiting);
      if (!traced.call)
        line.not_kept.emplace_back("the call and its receipt; the audit tells of it");
      break;
    case Traced::What::schedule:
      line.fate = traced.schedule_is_gone ? Fate::deleted : Fate::alive;
      line.sentence =
          traced.schedule
              ? fmt::format("A schedule, {}: it has fired {} times.", traced.schedule->name,
                            traced.schedule->fired)
              : std::string("A schedule that is gone; the audit says by whom and when.");
      break;
    case Traced::What::delivery:
      line.fate = Fate::alive;
      line.sentence = fmt::format(
          "A webhook delivery of {}, {} tries{}.", traced.delivery->event, traced.delivery->tries,
          traced.delivery->job.is_nil() ? "" : ", of job " + traced.delivery->job.text());
      line.not_kept.emplace_back("deliveries go with their job: ask for the job then");
      break;
    default:
      line.fate = traced.operation ? Fate::alive : Fate::deleted;
      line.sentence = "Neither a job, a delete, a schedule nor a delivery; the audit tells of it.";
      break;
  }
  return line;
}

}  // namespace

std::string traced_json(const Traced& traced, Uuid id) {
  const bool is_job = traced.what == Traced::What::job || traced.what == Traced::What::nothing;
  const LifeLine line = is_job ? life_line(traced.facts) : line_of_other(traced);
  std::string out;
  {
    ObjectWriter view(out);
    view.text("id", id.text());
    view.text("found_as", name_of(traced.what));
    view.text("fate", to_string(line.fate));
    view.text("sentence", line.sentence);
    if (traced.what == Traced::What::job) append_job_members(view, traced);
    if (traced.call) {
      ObjectWriter call(view.key("call"));
      call.text("delete_id", traced.call->delete_id.text());
      call.text("who", traced.call->who);
      call.text_or_null("reason", traced.call->reason);
      call.text("path", traced.call->path);
      call.time("at", traced.call->at);
      call.json("counts", traced.call->counts);
    } else {
      view.null("call");
    }
    append_receipt(view.key("receipt"), traced.receipt);
    if (traced.what == Traced::What::deletion) {
      view.number("erased", traced.erased);
      view.number("waiting", traced.waiting);
    }
    if (traced.operation)
      append_operation(view.key("operation"), *traced.operation);
    else
      view.null("operation");
    if (traced.schedule)
      append_schedule(view.key("schedule"), *traced.schedule);
    else
      view.null("schedule");
    view.flag("schedule_is_gone", traced.schedule_is_gone);
    if (traced.delivery) append_delivery(view.key("delivery"), *traced.delivery);
    append_list(view.key("life"), line.events, append_event);
    append_list(view.key("audit"), traced.audit, append_audit);
    append_list(view.key("not_kept"), line.not_kept,
                [](std::string& to, const std::string& one) { append_quoted(to, one); });
    view.time("forgotten_until", traced.facts.forgotten);
  }
  return out;
}

}  // namespace quell::http
