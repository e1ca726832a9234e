// How a Node is asked to delete schedules: the law first, then the spike guard, then the queue.
#include "actors/node/node_runtime.hpp"
#include "actors/safeguards/held_keys.hpp"
#include "actors/safeguards/held_tasks.hpp"
#include "actors/schedules/schedule_messages.hpp"
#include "actors/send.hpp"

namespace quell {

void NodeRuntime::delete_task(TaskDeleteRequest request,
                              std::function<void(Result<TaskDeleteReport>)> answer) {
  // The answer is given between two commits, so whoever waits is known before the order is taken.
  auto ordered = [eraser = context_->task_eraser, task = request.task, wait = request.wait,
                  answer = std::move(answer)](const Result<TasksOrdered>& done) {
    if (!done) return answer(done.error());
    if (done->would_delete > 0)
      return answer(TaskDeleteReport{TaskFate::would_delete, done->frozen});
    const storage::TaskDeleteResult& result = done->results.front();
    if (result.answer == storage::TaskDeleteAnswer::gone)
      return answer(TaskDeleteReport{TaskFate::already_deleted});
    if (result.answer == storage::TaskDeleteAnswer::changed) {
      TaskDeleteReport changed{TaskFate::changed};
      changed.version = result.version;
      return answer(std::move(changed));
    }
    if (wait <= Millis{0}) return answer(TaskDeleteReport{TaskFate::pending});
    // Who did not see its end knows of the order that stood at its beginning.
    tell(eraser, AwaitTask{task, wait, [answer, jobs = result.jobs](TaskDeleteReport report) {
                             if (!report.jobs) report.jobs = jobs;
                             answer(std::move(report));
                           }});
  };
  const std::vector<Uuid> one{request.task};
  delete_tasks(one, std::move(request), std::move(ordered));
}

void NodeRuntime::delete_tasks(std::vector<Uuid> tasks, TaskDeleteRequest request,
                               std::function<void(Result<TasksOrdered>)> answer) {
  const Instant now = system_clock().now();
  const DeletionRules rules = deletion_rules();
  const auto permit = admit_deletion(
      rules,
      {.origin = DeletionOrigin::schedule, .confirm = request.confirm, .dry_run = request.dry_run});
  if (!permit) {
    auto ops = std::make_shared<storage::Batch>();
    for (const Uuid& task : tasks)
      ops->audits.push_back({now, request.who, "delete.refused", task.text(),
                             detail_of(request, info(permit.error().code).wire)});
    return tell_first(context_->clerk,
                      WriteOps{std::move(ops),
                               [answer, reason = permit.error()](const Result<storage::Outcome>&) {
                                 answer(reason);  // refused, whether it could be noted or not
                               }});
  }
  if (*permit == DeletionPermit::would_delete)
    return answer(TasksOrdered{{}, tasks.size(), rules.frozen});
  if (stopping_) return answer(Error{ErrorCode::draining});
  HeldTasks order{std::move(tasks), std::move(request)};
  if (!settings_.spike_hold) return order_tasks(context_, order, {}, std::move(answer));
  readers_->run(
      [this, order = std::move(order), answer = std::move(answer)](storage::Reader& reader) {
        const auto before = held_under(reader, order.asked.held_key);
        if (!before) return answer(before.error());
        if (before->refusal) return answer(*before->refusal);
        const auto take = taken_by(reader, order);
        if (!take) return answer(take.error());
        if (take->jobs == 0) return order_tasks(context_, order, {}, answer);
        const auto live = live_jobs(reader);
        if (!live) return answer(live.error());
        SpikeWatch::Own own{ids_.next(), system_clock().now(), take->jobs, *live};
        own.calls = take->calls;
        const auto spike = SpikeWatch::would_cross(reader, SpikeRules::of(settings_), own);
        if (!spike) return answer(spike.error());
        if (!*spike) return order_tasks(context_, order, {}, answer);
        Alert alert{.id = own.id, .spike = **spike, .at = own.at};
        alert.who = order.asked.who;
        alert.path = task_path;
        alert.project = order.asked.project;
        HeldDelete held;
        held.tasks = order;
        hold(alert, held, order.asked.held_key, answer);
      });
}

}  // namespace quell
