#include "actors/safeguards/held_tasks.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "actors/safeguards/approved_deletes.hpp"
#include "actors/schedules/task_queue.hpp"
#include "storage/schedule_jobs.hpp"

namespace quell {

namespace {

// Counting more would change no answer.
constexpr std::uint64_t counted_most = 1'000'000;
constexpr std::size_t slice = 500;  // schedules a commit

storage::TaskDeleteOp order_of(const TaskDeleteRequest& request, Uuid task, Instant now) {
  storage::TaskDeleteOp order;
  order.now = order.message.requested_at = order.message.next_try = now;
  order.message.task = task;
  order.message.project = request.project;
  order.message.request_id = request.request_id;
  order.message.who = request.who;
  order.message.reason = request.reason;
  order.message.jobs = request.jobs;
  order.if_version = request.if_version;
  return order;
}

storage::DocOp approved_doc(Uuid task, Instant now) {
  return {.kind = approved_task_kind, .id = task.text(), .body = "{}", .until = now + alert_keep};
}

// A group may have thousands, and while one commit is made nobody else's is.
struct Slices {
  std::shared_ptr<NodeContext> context;
  HeldTasks order;
  std::optional<Uuid> approved;
  std::function<void(Result<TasksOrdered>)> answer;
  TasksOrdered done = {};

  void order_next(const std::shared_ptr<Slices>& self) {
    const Instant now = context->clock->now();
    const std::size_t from = done.results.size(), all = order.tasks.size();
    const std::size_t to = std::min(all, from + slice);
    auto ops = std::make_shared<storage::Batch>();
    for (std::size_t i = from; i < to; ++i) {
      const Uuid& task = order.tasks[i];
      storage::TaskDeleteOp one = order_of(order.asked, task, now);
      one.audit = {now, order.asked.who, "task.delete_requested", task.text(),
                   detail_of(order.asked)};
      ops->task_deletes.push_back(std::move(one));
      if (approved) ops->docs.push_back(approved_doc(task, now));
    }
    if (approved && to == all) ops->docs.push_back(made_doc(*approved));
    make_task_queue(context)->publish(std::move(ops), [self](Result<storage::Outcome> outcome) {
      if (!outcome) return self->answer(outcome.error());
      std::vector<storage::TaskDeleteResult>& results = self->done.results;
      results.insert(results.end(), outcome->task_deletes.begin(), outcome->task_deletes.end());
      if (results.size() < self->order.tasks.size()) return self->order_next(self);
      self->answer(std::move(self->done));
    });
  }
};

}  // namespace

std::string detail_of(const TaskDeleteRequest& request, std::string_view refusal) {
  nlohmann::ordered_json detail{{"request_id", request.request_id},
                                {"jobs", to_string(request.jobs)},
                                {"reason", request.reason}};
  if (!refusal.empty()) detail["refused"] = refusal;
  return detail.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<TasksTake> taken_by(storage::Reader& reader, const HeldTasks& order) {
  TasksTake take;
  const TaskDeleteRequest& asked = order.asked;
  if (asked.jobs == JobsOfTask::cancel) return take;  // it deletes none
  for (const Uuid& task : order.tasks) {
    const auto row = reader.schedule(task);
    if (!row) return row.error();
    if (!*row || (!asked.project.empty() && (*row)->project != asked.project)) continue;
    if ((*row)->status == ScheduleStatus::pending_delete) {
      const auto known = reader.task_messages(task, {}, 1);
      if (!known) return known.error();
      if (!known->empty() && !is_stronger(asked.jobs, known->front().jobs)) continue;
    }
    const auto jobs = storage::count_of_schedule(reader, task, asked.jobs == JobsOfTask::remove,
                                                 counted_most - take.jobs);
    if (!jobs) return jobs.error();
    take.jobs += *jobs;
    if (*jobs > 0) ++take.calls;
    if (take.jobs >= counted_most) break;
  }
  return take;
}

void order_tasks(const std::shared_ptr<NodeContext>& context, const HeldTasks& order,
                 std::optional<Uuid> approved, std::function<void(Result<TasksOrdered>)> answer) {
  auto slices = std::make_shared<Slices>(Slices{context, order, approved, std::move(answer)});
  slices->order_next(slices);
}

}  // namespace quell
