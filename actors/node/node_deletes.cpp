// How a Node is asked to delete: the law first, then the actors. Who is refused is answered when
// the audit has it.
#include "actors/deletes/delete_admission.hpp"
#include "actors/deletes/restore_call.hpp"
#include "actors/deletes/sweep_messages.hpp"
#include "actors/node/node_runtime.hpp"
#include "actors/operations/operation_messages.hpp"
#include "actors/safeguards/held_keys.hpp"

namespace quell {

DeletionRules NodeRuntime::deletion_rules() const {
  DeletionRules rules = DeletionRules::of(settings_);
  rules.frozen = rules.frozen || freeze_.on();
  return rules;
}

void NodeRuntime::refuse(storage::AuditOp row, Error reason,
                         const std::function<void(Error)>& answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->audits.push_back(std::move(row));
  tell_first(context_->clerk,
             WriteOps{std::move(ops),
                      [reason = std::move(reason), answer](const Result<storage::Outcome>&) {
                        answer(reason);  // refused, whether it could be noted or not
                      }});
}

void NodeRuntime::erase(DeleteRequest request, std::function<void(Result<DeleteReport>)> answer) {
  if (auto lawful = admit(deletion_rules(), request); !lawful)
    return refuse(refusal_of(request, lawful.error().code, system_clock().now()), lawful.error(),
                  answer);
  if (request.dry_run || request.approved || !settings_.spike_hold)
    return send_erase(std::move(request), std::move(answer));
  readers_->run(
      [this, request = std::move(request), answer = std::move(answer)](storage::Reader& reader) {
        const auto before = held_under(reader, request.held_key);
        if (!before) return answer(before.error());
        if (before->refusal) return answer(*before->refusal);
        const auto live = live_jobs(reader);
        if (!live) return answer(live.error());
        const SpikeWatch::Own own{ids_.next(), system_clock().now(), request.jobs.size(), *live};
        const auto spike = SpikeWatch::would_cross(reader, SpikeRules::of(settings_), own);
        if (!spike) return answer(spike.error());
        if (!*spike) return send_erase(request, answer);
        Alert alert{.id = own.id, .spike = **spike, .at = own.at};
        alert.who = request.who;
        alert.path = request.path;
        alert.project = request.project;
        hold(alert, {.request = request}, request.held_key, answer);
      });
}

void NodeRuntime::note_gone(const DeleteReport& report) {
  std::vector<JobId> jobs;
  for (const JobOutcome& one : report.outcomes)
    if (one.fate == JobFate::deleted || one.fate == JobFate::already_gone) jobs.push_back(one.job);
  events_.gone(jobs);
}

// Behind its commit it is looked whether the call is part of a spike.
void NodeRuntime::send_erase(DeleteRequest request,
                             std::function<void(Result<DeleteReport>)> answer) {
  if (request.dry_run)
    return tell_first(context_->deleter, EraseJobs{std::move(request), std::move(answer)});
  auto looked = [this, project = request.project,
                 answer = std::move(answer)](Result<DeleteReport> report) {
    if (report) {
      look_for_spikes(project, *report);
      note_gone(*report);
    }
    answer(std::move(report));
  };
  tell_first(context_->deleter, EraseJobs{std::move(request), std::move(looked)});
}

void NodeRuntime::force_delete(ForceRequest request,
                               std::function<void(Result<DeleteReport>)> answer) {
  if (auto lawful = admit(deletion_rules(), request); !lawful)
    return refuse(refusal_of(request, lawful.error().code, system_clock().now()), lawful.error(),
                  answer);
  tell_first(context_->deleter, ForceDelete{std::move(request), std::move(answer)});
}

void NodeRuntime::restore(RestoreRequest request,
                          std::function<void(Result<RestoreReport>)> answer) {
  if (stopping_) return answer(Error{ErrorCode::draining});
  RestoreCall::begin(context_, std::move(request), std::move(answer));
}

void NodeRuntime::run_retention(RetentionRun run,
                                std::function<void(Result<RetentionReport>)> answer) {
  DeleteRequest law;
  law.who = run.who;
  law.path = "retention";
  law.origin = DeletionOrigin::purge;
  law.confirm = run.confirmed;
  law.dry_run = run.dry_run;
  if (auto lawful = admit(deletion_rules(), law); !lawful)
    return refuse(refusal_of(law, lawful.error().code, system_clock().now()), lawful.error(),
                  answer);
  run.dry_run = law.dry_run;
  tell(context_->sweeper, RunRetention{std::move(run), std::move(answer)});
}

void NodeRuntime::freeze_deletions(FreezeOrder order, std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(Freeze::doc(order));
  ops->audits.push_back({order.at, order.who,
                         order.frozen ? "deletions.frozen" : "deletions.unfrozen", "",
                         freeze_detail(order)});
  auto stored = [this, order, answer = std::move(answer)](const Result<storage::Outcome>& outcome) {
    if (!outcome) return answer(outcome.error());
    freeze_.wrote(order, outcome->docs.front().version);
    NodeEvent event;
    event.type = order.frozen ? "deletions.frozen" : "deletions.unfrozen";
    event.data = freeze_detail(order);
    event.at = order.at;
    events_.tell(event);
    tell(context_->operations, OperationsDue{});
    answer({});
  };
  tell_first(context_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

}  // namespace quell
