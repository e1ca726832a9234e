// The part of the random batches that is about schedules.
#include "tests/storage/conformance/random_batches.hpp"

namespace quell::storage {

Uuid RandomBatches::some_task() {
  while (tasks_.size() < 5) tasks_[ids_.next()];
  auto at = tasks_.begin();
  std::advance(at, below(static_cast<int>(tasks_.size())));
  return at->first;
}

std::vector<Uuid> RandomBatches::tasks() const {
  std::vector<Uuid> all;
  for (const auto& [id, task] : tasks_) all.push_back(id);
  return all;
}

void RandomBatches::add_fire(Batch& batch) {
  const Uuid task = some_task();
  const Task& known = tasks_[task];
  FireOp op;
  op.task = task;
  op.version = known.version - (chance(8) ? 1 : 0);
  op.now = now();
  op.by_hand = chance(20);
  op.if_next = chance(92) ? known.next : soon();
  op.if_waiting = known.waiting;
  op.overlap = static_cast<Overlap>(below(4));
  op.missed = below(3);
  op.look_again = soon();
  if (chance(85)) op.next = soon();
  op.wake = op.next;
  for (int n = below(4); n > 0; --n) {
    FireJob one;
    one.due = soon();
    one.job.id = chance(90) ? ids_.next() : some_job();
    one.job.kind = word("kind", 3);
    one.job.queue = word("q", 3);
    one.job.project = word("p", 2);
    one.job.options.schedule = task.text();
    if (chance(40)) one.job.unique_key = word("key", 6);
    one.deliveries = some_deliveries();
    op.jobs.push_back(std::move(one));
  }
  if (chance(30)) op.audit = AuditOp{now(), word("who", 3), "fired", task.text(), "{}"};
  batch.fires.push_back(std::move(op));
}

void RandomBatches::add_task_delete(Batch& batch) {
  const Uuid task = some_task();
  const Task& known = tasks_[task];
  TaskMessage message;
  message.task = task;
  message.requested_at = now();
  message.request_id = chance(50) || known.request.empty() ? word("request", 9) : known.request;
  message.who = word("who", 3);
  message.reason = text();
  message.jobs = static_cast<JobsOfTask>(below(3));
  message.next_try = soon();
  message.error = text();
  if (chance(20)) message.project = word("p", 2);
  const int dice = below(10);
  if (dice < 3) {
    TaskDeleteOp op{message, now()};
    if (chance(50)) op.audit = AuditOp{now(), message.who, "deleted", task.text(), "{}"};
    batch.task_deletes.push_back(std::move(op));
  } else if (dice < 5) {
    batch.task_erases.push_back({task, chance(80) ? known.request : "other", now(), "{}"});
  } else {
    TaskWordOp op{message, static_cast<TaskWord>(below(4)), {}, now()};
    if (op.word != TaskWord::again && chance(80)) op.message.request_id = known.request;
    if (chance(50)) op.if_next_try = known.next_try;
    batch.task_words.push_back(std::move(op));
  }
}

void RandomBatches::add_schedule(Batch& batch) {
  if (chance(20)) return add_task_delete(batch);
  if (chance(60)) return add_fire(batch);
  SchedulePutOp op;
  op.row.id = some_task();
  op.row.project = word("p", 2);
  op.row.group = word("g", 2);
  op.row.name = text();
  op.row.terms = text();
  op.row.status = chance(85) ? ScheduleStatus::active : ScheduleStatus::disabled;
  if (op.row.status == ScheduleStatus::active && chance(90)) op.row.next = soon();
  op.row.wake = op.row.next;
  op.keep_times = chance(20) && op.row.status == ScheduleStatus::active;
  op.look_anew = chance(30);
  if (chance(50)) op.if_next = tasks_[op.row.id].next;
  op.overdue = below(4);
  op.now = now();
  if (chance(50)) op.audit = AuditOp{now(), word("who", 3), "put", op.row.id.text(), "{}"};
  const std::int64_t version = tasks_[op.row.id].version;
  if (chance(90)) op.if_version = chance(90) ? version : version + 1;
  batch.schedule_puts.push_back(std::move(op));
}

void RandomBatches::learn_schedules(const Batch& batch, const Outcome& out) {
  for (std::size_t i = 0; i < out.task_deletes.size(); ++i) {
    const TaskMessage& message = batch.task_deletes[i].message;
    Task& task = tasks_[message.task];
    // A guess of which order stands is enough: a wrong one is fenced, and that is tried too.
    if (out.task_deletes[i].answer == TaskDeleteAnswer::joined &&
        out.task_deletes[i].jobs == message.jobs) {
      task.request = message.request_id;
      task.next_try = message.next_try;
    }
    if (out.task_deletes[i].answer != TaskDeleteAnswer::scheduled) continue;
    task = {task.version + 1, {}, {}, message.request_id, message.next_try};
  }
  for (std::size_t i = 0; i < out.task_words.size(); ++i) {
    const TaskMessage& message = batch.task_words[i].message;
    if (!out.task_words[i]) continue;
    tasks_[message.task].request = message.request_id;
    tasks_[message.task].next_try = message.next_try;
  }
  for (std::size_t i = 0; i < out.task_erases.size(); ++i)
    if (out.task_erases[i]) tasks_[batch.task_erases[i].task] = {};
  for (std::size_t i = 0; i < out.schedule_puts.size(); ++i) {
    Task& task = tasks_[batch.schedule_puts[i].row.id];
    task.version = out.schedule_puts[i].version;
    if (!out.schedule_puts[i].written) continue;
    if (batch.schedule_puts[i].keep_times && task.version > 1) continue;
    task.next = batch.schedule_puts[i].row.next;
    task.waiting.reset();
  }
  for (std::size_t i = 0; i < out.fires.size(); ++i) {
    const FireOp& op = batch.fires[i];
    const FireResult& result = out.fires[i];
    for (const FireJob& job : op.jobs) jobs_.push_back(job.job.id);
    if (op.by_hand || result.answer == FireAnswer::fenced) continue;
    Task& task = tasks_[op.task];
    task.next = op.next;
    task.waiting.reset();
    if (result.waits) task.waiting = op.jobs[op.jobs.size() > 1 && !result.born.empty()].due;
  }
}

}  // namespace quell::storage
