// How a Node is asked to delete a schedule: the law first, then the queue.
#include <nlohmann/json.hpp>

#include "actors/node/node_runtime.hpp"
#include "actors/schedules/schedule_messages.hpp"
#include "actors/schedules/task_queue.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

std::string detail_of(const TaskDeleteRequest& request, std::string_view refusal = {}) {
  nlohmann::ordered_json detail{{"request_id", request.request_id},
                                {"jobs", to_string(request.jobs)},
                                {"reason", request.reason}};
  if (!refusal.empty()) detail["refused"] = refusal;
  return detail.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

storage::TaskDeleteOp order_of(const TaskDeleteRequest& request, Instant now) {
  storage::TaskDeleteOp order;
  order.now = order.message.requested_at = order.message.next_try = now;
  order.message.task = request.task;
  order.message.project = request.project;
  order.message.request_id = request.request_id;
  order.message.who = request.who;
  order.message.reason = request.reason;
  order.message.jobs = request.jobs;
  return order;
}

}  // namespace

void NodeRuntime::delete_task(TaskDeleteRequest request,
                              std::function<void(Result<TaskDeleteReport>)> answer) {
  const Instant now = system_clock().now();
  const DeletionRules rules = deletion_rules();
  const auto permit = admit_deletion(
      rules,
      {.origin = DeletionOrigin::schedule, .confirm = request.confirm, .dry_run = request.dry_run});
  if (!permit) {
    auto ops = std::make_shared<storage::Batch>();
    ops->audits.push_back({now, request.who, "delete.refused", request.task.text(),
                           detail_of(request, info(permit.error().code).wire)});
    return tell_first(context_->clerk,
                      WriteOps{std::move(ops),
                               [answer, reason = permit.error()](const Result<storage::Outcome>&) {
                                 answer(reason);  // refused, whether it could be noted or not
                               }});
  }
  if (*permit == DeletionPermit::would_delete)
    return answer(TaskDeleteReport{TaskFate::would_delete, rules.frozen});
  if (stopping_) return answer(Error{ErrorCode::draining});
  // The answer is given between two commits, so whoever waits is known before the order is taken.
  auto ordered = [eraser = context_->task_eraser, task = request.task, wait = request.wait,
                  answer = std::move(answer)](const Result<storage::TaskDeleteResult>& result) {
    if (!result) return answer(result.error());
    if (result->answer == storage::TaskDeleteAnswer::gone)
      return answer(TaskDeleteReport{TaskFate::already_deleted});
    if (wait <= Millis{0}) return answer(TaskDeleteReport{TaskFate::pending});
    tell(eraser,
         AwaitTask{task, wait, [answer](const TaskDeleteReport& report) { answer(report); }});
  };
  make_task_queue(context_)->publish(
      order_of(request, now),
      {now, request.who, "task.delete_requested", request.task.text(), detail_of(request)},
      std::move(ordered));
}

}  // namespace quell
