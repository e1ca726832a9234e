// The spike guard around a node's deletes: an alert behind what was committed, and, where the
// setting says so, a delete that waits for a person's approval.
#include "actors/deletes/delete_admission.hpp"
#include "actors/node/node_runtime.hpp"
#include "actors/operations/operation_messages.hpp"
#include "actors/operations/operation_views.hpp"
#include "actors/safeguards/approved_deletes.hpp"
#include "actors/safeguards/held_keys.hpp"
#include "actors/safeguards/held_tasks.hpp"
#include "actors/safeguards/raise.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "runtime/base/failpoint.hpp"
#include "runtime/law/deletion_guard.hpp"

namespace quell {

void NodeRuntime::raise(Alert alert) {
  raise_alerts(context_, {std::move(alert)}, std::make_shared<storage::Batch>());
}

void NodeRuntime::look_for_spikes(const std::string& project, const DeleteReport& report) {
  if (stopping_) return;
  const DeleteCounts& counts = report.counts;
  SpikeWatch::Own call{report.delete_id, report.at, counts.distinct};
  call.project = project;
  // The unfinished jobs that it took; what is left is read.
  call.live_before = counts.killed + counts.dequeued + counts.finished_first + counts.pending;
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
void NodeRuntime::hold(const Alert& alert, const HeldDelete& held, const std::string& key,
                       std::function<void(Error)> answer) {
  if (key.empty()) return keep_held(alert, held, std::move(answer));
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(held_key_doc(key, alert.id, alert.at));
  auto drawn = [this, alert, held, key,
                answer = std::move(answer)](const Result<storage::Outcome>& outcome) {
    if (!outcome) return answer(outcome.error());
    if (outcome->docs.front().written) return keep_held(alert, held, answer);
    // The same call is on its way, or whoever had it died before its alert was there.
    readers_->run([this, alert, held, key, answer](storage::Reader& reader) {
      const auto before = held_under(reader, key);
      if (!before) return answer(before.error());
      if (before->refusal) return answer(*before->refusal);
      Alert same = alert;
      HeldDelete kept = held;
      same.id = before->alert.value_or(alert.id);
      if (kept.operation) kept.operation->id = same.id;
      keep_held(same, kept, answer);
    });
  };
  tell_first(context_->clerk, WriteOps{std::move(ops), std::move(drawn)});
}

void NodeRuntime::keep_held(Alert asked, const HeldDelete& held,
                            std::function<void(Error)> answer) {
  asked.holds = true;
  readers_->run([this, alert = std::move(asked), held,
                 answer = std::move(answer)](storage::Reader& reader) {
    const auto waiting = reader.docs(held_kind, "");
    if (!waiting) return answer(waiting.error());
    const Error refusal = refusal_of_held(alert);
    if (waiting->size() >= held_max)
      return answer(Error{ErrorCode::deletion_hold,
                          "100 deletes wait for an approval already; this one was not kept."});
    auto ops = std::make_shared<storage::Batch>();
    ops->docs.push_back(alert_doc(alert, 0));
    ops->docs.push_back(held_doc(alert, held));
    ops->docs.back().only_with = alert.id.text();
    add_notices(*endpoints_->subscriptions(), alert, *ops);
    ops->audits.push_back({alert.at, alert.who, "delete.held", alert.id.text(), detail_of(alert)});
    auto kept = [this, alert, answer, refusal](const Result<storage::Outcome>& outcome) {
      if (!outcome) return answer(outcome.error());
      if (!outcome->docs.front().written) return answer(refusal);  // it is held already
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
      const auto lawful = admit_deletion(deletion_rules(), {.confirm = true, .approved = true});
      if (!lawful) return answer(lawful.error());
      if (*lawful == DeletionPermit::would_delete)
        return answer(Error{ErrorCode::state_conflict,
                            "This server is in dry-run mode: nothing is deleted."});
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

// Only one of two who act at once does. An operation is born in the commit that says so; a delete
// of ids is made behind it, and stays written down until it is.
void NodeRuntime::write_alert_act(Alert alert, std::int64_t version, bool approve, HeldDelete held,
                                  std::function<void(Result<ApprovedDelete>)> answer) {
  alert.state = approve ? AlertState::approved : AlertState::acked;
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(alert_doc(alert, version));
  ops->audits.push_back({*alert.acted, alert.by, approve ? "alert.approved" : "alert.acked",
                         alert.id.text(), detail_of(alert)});
  std::optional<Operation> operation;
  if (approve && held.operation) {
    static_cast<OperationOrder&>(operation.emplace()) = *held.operation;
    ops->docs.push_back(operation_doc(*operation, 0));
    ops->audits.push_back({*alert.acted, operation->who, "operation.started", operation->id.text(),
                           operation_audit_detail(*operation)});
  }
  held.approved = *alert.acted;
  const bool is_made_behind = approve && (held.request || held.tasks);
  ops->docs.push_back(is_made_behind ? held_doc(alert, held) : made_doc(alert.id));
  for (std::size_t i = 1; i < ops->docs.size(); ++i) ops->docs[i].only_with = alert.id.text();
  auto written = [this, approve, operation, id = alert.id, held = std::move(held),
                  answer = std::move(answer)](const Result<storage::Outcome>& outcome) {
    if (!outcome) return answer(outcome.error());
    if (!outcome->docs.front().written)
      return answer(
          Error{ErrorCode::state_conflict, "Somebody else has just acted on this alert."});
    if (!approve) return answer(ApprovedDelete{});
    if (operation) {
      tell(context_->operations, OperationsDue{});
      return answer(ApprovedDelete{{}, operation, {}});
    }
    if (fails_here(Failpoint::approved_after))
      return answer(Error{ErrorCode::store_unavailable, "failpoint approved.after"});
    if (held.tasks)
      return order_tasks(context_, *held.tasks, id, [answer](Result<TasksOrdered> ordered) {
        if (!ordered) return answer(ordered.error());
        answer(ApprovedDelete{{}, {}, std::move(*ordered)});
      });
    make_approved(context_, id, held, [answer](Result<DeleteReport> report) {
      if (!report) return answer(report.error());
      answer(ApprovedDelete{std::move(*report), {}, {}});
    });
  };
  tell_first(context_->clerk, WriteOps{std::move(ops), std::move(written)});
}

}  // namespace quell
