// The spike guard around a node's deletes: an alert behind what was committed, and, where the
// setting says so, a delete that waits for a person's approval.
#include <nlohmann/json.hpp>

#include "actors/deletes/delete_admission.hpp"
#include "actors/node/node_runtime.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "runtime/policy/webhook_outbox.hpp"

namespace quell {

namespace {

std::string detail_of(const Alert& alert) {
  return nlohmann::ordered_json{{"cause", to_string(alert.spike.cause)},
                                {"count", alert.spike.count},
                                {"limit", alert.spike.limit},
                                {"who", alert.who},
                                {"holds", alert.holds}}
      .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

NodeEvent event_of(const Alert& alert) {
  NodeEvent event;
  event.type = alert_event;
  event.data = "{\"alert_id\":\"" + alert.id.text() + "\"," + detail_of(alert).substr(1);
  event.at = alert.at;
  return event;
}

// Those who listen in the call's project; of a call of all projects, in the one that is there.
void add_notices(const SubscriptionSet& listeners, const Alert& alert, storage::Batch& ops) {
  const std::string project = alert.project.empty() ? "default" : alert.project;
  storage::NoticeOp notice;
  for (const std::string& one : listeners.endpoints(project, alert_event))
    notice.deliveries.push_back(
        {notice_id(one, alert_event, alert.id, alert.id), one, std::string(alert_event),
         alert_body(alert.at, {alert.id, to_string(alert.spike.cause), alert.who, alert.path,
                               alert.spike.count, alert.spike.limit, alert.holds}),
         alert.at});
  if (!notice.deliveries.empty()) ops.notices.push_back(std::move(notice));
}

}  // namespace

void NodeRuntime::raise(Alert alert) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(alert_doc(alert, 0));  // another node may have raised it
  add_notices(*endpoints_->subscriptions(), alert, *ops);
  auto told = [this, alert](const Result<storage::Outcome>& outcome) {
    if (!outcome || !outcome->docs.front().written) return;
    metrics_.alerts += 1;
    say(LogLevel::warning, "spike of deletions: " + sentence_of(alert.spike),
        "\"alert_id\":\"" + alert.id.text() + "\"");
    events_.tell(event_of(alert));
    auto audit = std::make_shared<storage::Batch>();
    audit->audits.push_back(
        {system_clock().now(), alert.who, "alert.raised", alert.id.text(), detail_of(alert)});
    tell(context_->clerk, WriteOps{std::move(audit), {}});
  };
  tell(context_->clerk, WriteOps{std::move(ops), std::move(told)});
}

// `live_before` comes as the unfinished jobs that the call took; what is left is read.
void NodeRuntime::look_for_spikes(const SpikeWatch::Own& call) {
  if (stopping_) return;
  readers_->run([this, own = call](storage::Reader& reader) mutable {
    const auto left = own.live_before > 0 ? live_jobs(reader) : Result<std::uint64_t>(0);
    if (!left) return;
    own.live_before += *left;
    auto alerts = spikes_.crossed(reader, SpikeRules::of(settings_), own);
    if (!alerts) return;
    for (Alert& alert : *alerts) raise(std::move(alert));
  });
}

// `answer` hears the refusal; its detail begins with the alert's id. So many may wait at once: what
// deletes in a loop must not fill the store with what it asks for.
void NodeRuntime::hold(Alert asked, const HeldDelete& held, std::function<void(Error)> answer) {
  asked.holds = true;
  readers_->run([this, alert = std::move(asked), held,
                 answer = std::move(answer)](storage::Reader& reader) {
    const auto waiting = reader.docs(held_kind, "");
    if (!waiting) return answer(waiting.error());
    const Error refusal{ErrorCode::deletion_hold,
                        alert.id.text() + ": " + sentence_of(alert.spike) + "."};
    if (waiting->size() >= held_max)
      return answer(Error{ErrorCode::deletion_hold,
                          "100 deletes wait for an approval already; this one was not kept."});
    auto ops = std::make_shared<storage::Batch>();
    ops->docs.push_back(alert_doc(alert, 0));
    ops->docs.push_back(held_doc(alert, held));
    add_notices(*endpoints_->subscriptions(), alert, *ops);
    ops->audits.push_back({alert.at, alert.who, "delete.held", alert.id.text(), detail_of(alert)});
    auto kept = [this, alert, answer, refusal](const Result<storage::Outcome>& outcome) {
      if (!outcome) return answer(outcome.error());
      metrics_.alerts += 1;
      say(LogLevel::warning, "a delete is held: " + sentence_of(alert.spike),
          "\"alert_id\":\"" + alert.id.text() + "\"");
      events_.tell(event_of(alert));
      answer(refusal);
    };
    tell_first(context_->clerk, WriteOps{std::move(ops), std::move(kept)});
  });
}

void NodeRuntime::act_on_alert(Uuid id, bool approve, const std::string& who,
                               std::function<void(Result<ApprovedDelete>)> answer) {
  readers_->run([this, id, approve, who, answer = std::move(answer)](storage::Reader& reader) {
    const auto doc = reader.doc(alert_kind, id.text());
    if (!doc) return answer(doc.error());
    auto alert = *doc ? alert_of(**doc) : std::nullopt;
    if (!alert) return answer(Error{ErrorCode::resource_not_found, {}});
    if (alert->state != AlertState::raised)
      return answer(
          Error{ErrorCode::state_conflict,
                "The alert is " + std::string(to_string(alert->state)) + " by " + alert->by + "."});
    HeldDelete held;
    if (approve) {
      if (!alert->holds)
        return answer(Error{ErrorCode::state_conflict, "This alert holds no delete."});
      if (settings_.hold_two_persons && alert->who == who)
        return answer(
            Error{ErrorCode::forbidden, "Another person than who asked for it has to approve it."});
      if (deletion_rules().frozen) return answer(Error{ErrorCode::deletions_frozen, {}});
      const auto kept = reader.doc(held_kind, id.text());
      if (!kept) return answer(kept.error());
      auto found = *kept ? held_of(**kept) : std::nullopt;
      if (!found) return answer(Error{ErrorCode::resource_not_found, {}});
      held = std::move(*found);
    }
    alert->by = who;
    alert->acted = system_clock().now();
    write_alert_act(*alert, (*doc)->version, approve, std::move(held), answer);
  });
}

// Only one of two who act at once does; the delete is made behind the commit that says so.
void NodeRuntime::write_alert_act(Alert alert, std::int64_t version, bool approve, HeldDelete held,
                                  std::function<void(Result<ApprovedDelete>)> answer) {
  alert.state = approve ? AlertState::approved : AlertState::acked;
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(alert_doc(alert, version));
  // It is in hand, or will not be made.
  ops->docs.push_back({.kind = held_kind, .id = alert.id.text(), .body = std::nullopt});
  ops->audits.push_back({*alert.acted, alert.by, approve ? "alert.approved" : "alert.acked",
                         alert.id.text(), detail_of(alert)});
  tell_first(
      context_->clerk,
      WriteOps{std::move(ops), [this, approve, held = std::move(held), answer = std::move(answer)](
                                   const Result<storage::Outcome>& outcome) {
                 if (!outcome) return answer(outcome.error());
                 if (!outcome->docs.front().written)
                   return answer(Error{ErrorCode::state_conflict,
                                       "Somebody else has just acted on this alert."});
                 if (!approve) return answer(ApprovedDelete{});
                 make_approved(held, answer);
               }});
}

void NodeRuntime::make_approved(const HeldDelete& held,
                                std::function<void(Result<ApprovedDelete>)> answer) {
  if (held.operation) {
    OperationOrder order = *held.operation;
    order.approved = order.confirm = true;
    return start_operation(std::move(order), [answer](Result<Operation> started) {
      if (!started) return answer(started.error());
      ApprovedDelete made;
      made.operation = std::move(*started);
      answer(std::move(made));
    });
  }
  DeleteRequest request = *held.request;
  request.approved = request.confirm = true;
  erase(std::move(request), [answer](Result<DeleteReport> report) {
    if (!report) return answer(report.error());
    ApprovedDelete made;
    made.report = std::move(*report);
    answer(std::move(made));
  });
}

}  // namespace quell
