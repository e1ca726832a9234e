// A store with schedules in it, and what is done to them.
#pragma once

#include "runtime/policy/schedule_times.hpp"
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {

class ScheduleStore : public StoreTest {
 protected:
  SchedulePutOp put_op(const Uuid& id, std::optional<std::int64_t> if_version = 0) {
    SchedulePutOp op;
    op.row.id = id;
    op.row.name = "nightly";
    op.row.group = "reports";
    op.row.terms = "{}";
    op.row.next = op.row.wake = in(60);
    op.now = now();
    op.if_version = if_version;
    return op;
  }
  SchedulePutResult put(const SchedulePutOp& op) {
    return apply_one(&Batch::schedule_puts, op).schedule_puts.at(0);
  }
  Uuid made() {
    const Uuid id = new_id();
    EXPECT_TRUE(put(put_op(id)).written);
    return id;
  }
  ScheduleRow row(const Uuid& id) { return std::move(reader().schedule(id)).value().value(); }
  bool is_there(const Uuid& id) { return std::move(reader().schedule(id)).value().has_value(); }
  FireJob job_due(const Uuid& task, Instant due) {
    FireJob one{due, job()};
    one.job.id = fire_id(task, due);
    one.job.unique_key = fire_key(task, due);
    one.job.options.schedule = task.text();
    return one;
  }
  FireOp fire_op(const Uuid& task, Overlap overlap = Overlap::allow) {
    const ScheduleRow is = row(task);
    FireOp op;
    op.task = task;
    op.version = is.version;
    op.if_next = is.next;
    op.if_waiting = is.waiting;
    op.now = now();
    op.overlap = overlap;
    if (is.waiting) op.jobs.push_back(job_due(task, *is.waiting));
    if (is.next) op.jobs.push_back(job_due(task, *is.next));
    op.next = op.wake = is.next.value_or(now()) + std::chrono::seconds(60);
    op.look_again = in(1);
    return op;
  }
  FireResult fire(const FireOp& op) { return apply_one(&Batch::fires, op).fires.at(0); }
  FireResult fire(const Uuid& task, Overlap overlap = Overlap::allow) {
    return fire(fire_op(task, overlap));
  }
  TaskMessage message(const Uuid& task, const std::string& request = "r1") {
    TaskMessage one;
    one.task = task;
    one.requested_at = one.next_try = now();
    one.request_id = request;
    one.who = "somebody";
    return one;
  }
  TaskDeleteAnswer ask_delete(const TaskMessage& one) {
    return apply_one(&Batch::task_deletes, TaskDeleteOp{one, now()}).task_deletes.at(0).answer;
  }
  bool say(TaskWord word, const TaskMessage& one, std::optional<Instant> if_next_try = {}) {
    return apply_one(&Batch::task_words, TaskWordOp{one, word, if_next_try, now()})
        .task_words.at(0);
  }
  bool erase(const Uuid& task, const std::string& request = "r1") {
    return apply_one(&Batch::task_erases, TaskEraseOp{task, request, now(), "{}"})
        .task_erases.at(0);
  }
  std::vector<TaskMessage> due_messages() {
    return std::move(reader().task_messages({}, now(), 10)).value();
  }
};

}  // namespace quell::storage
