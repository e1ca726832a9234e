#include "actors/schedules/task_eraser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <caf/all.hpp>
#include <random>
#include <set>

#include "actors/control_actor.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/safeguards/held_tasks.hpp"
#include "actors/schedules/awaited_tasks.hpp"
#include "actors/schedules/schedule_messages.hpp"
#include "actors/schedules/task_queue.hpp"
#include "actors/send.hpp"
#include "runtime/base/failpoint.hpp"
#include "storage/schedule_jobs.hpp"

namespace quell {

namespace {

constexpr int at_once = 16;  // tasks in work here
constexpr Millis lease_beyond_wait{10'000};
// So long runs have to end before the try counts as one that failed.
constexpr Millis cancel_look{250}, seen_look{100}, patience_last{300'000};
constexpr std::size_t jobs_at_once = 20'000;  // of one delete call
constexpr const char* reconciler = "reconciler";

class TaskEraser : public ControlActor {
 public:
  TaskEraser(caf::actor_config& config, const ControlSeat& seat,
             std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat),
        context_(std::move(context)),
        queue_(make_task_queue(context_)),
        random_(std::random_device{}()) {}

  caf::behavior make_behavior() override {
    look_later(Millis{0});
    reconcile_later();
    return {
        [this](LookAtTasks) { look(); },
        [this](ReconcileTasks) { reconcile(); },
        [this](TasksRead& read) { tasks_read(read); },
        [this](TaskLeased& leased) { this->leased(leased); },
        [this](TaskJobsRead& read) { jobs_read(read); },
        [this](TaskJobsErased& erased) { jobs_erased(erased); },
        [this](TaskErased& erased) { task_erased(erased); },
        [this](const StuckTasksRead& read) { stuck_read(read); },
        [this](AwaitTask& waiter) { await(std::move(waiter)); },
        [this](AwaitedTaskOver over) { awaited_.time_is_up(over.waiter); },
        [this](const AwaitedTasksSeen& seen) { awaited_seen(seen); },
    };
  }

  void on_exit() override {
    for (auto* timer : {&timer_, &reconcile_timer_, &seen_timer_})
      if (*timer) context_->timers->cancel(**timer);
    queue_.reset();
    context_.reset();
  }

 private:
  using Message = storage::TaskMessage;

  template <class What>
  void later(std::optional<Timers::Id>& timer, Millis delay, What what) {
    if (timer) context_->timers->cancel(*timer);
    timer = context_->timers->after(delay, [self = weak(this), what] { tell(self, what); });
  }
  void look_later(Millis delay) { later(timer_, delay, LookAtTasks{}); }

  // In a fleet one node does it, and none while deletions stand still.
  bool may_work() const {
    return context_->roles->leads(Role::timekeeper) &&
           deletion_mode(context_->deletion_rules()) == DeletionMode::live;
  }

  // ---- the queue ----
  void look() {
    look_later(context_->settings->poll);
    if (!may_work()) {
      worked_ = false;
      return;
    }
    if (std::exchange(looking_, true)) {
      look_again_ = true;
      return;
    }
    // Whoever did this before is no more, and what it had taken is nobody's. Should it be there
    // still, two delete the same.
    const bool is_new = !std::exchange(worked_, true);
    queue_->due(at_once, is_new, [self = weak(this)](Result<std::vector<Message>> messages) {
      tell(self, TasksRead{std::move(messages)});
    });
  }

  void tasks_read(TasksRead& read) {
    looking_ = false;
    if (read.messages)
      for (Message& message : *read.messages) {
        if (in_work_.size() >= static_cast<std::size_t>(at_once)) break;
        if (!in_work_.insert(message.task).second) continue;
        reports_.erase(message.task);
        if (is_untouched(message))
          reports_[message.task] = {TaskFate::deleted, false, {}, {}, counts_json({})};
        queue_->lease(message, wait() + lease_beyond_wait,
                      [self = weak(this), message](const Result<bool>& leased) {
                        tell(self, TaskLeased{message, leased});
                      });
      }
    if (std::exchange(look_again_, false)) look();
  }

  // Nobody took it before, so what is deleted for it is known here: nothing yet.
  static bool is_untouched(const Message& message) {
    return message.next_try == message.requested_at && message.who != reconciler;
  }

  void leased(TaskLeased& leased) {
    if (!leased.leased || !*leased.leased || fails_here(Failpoint::task_taken_after))
      return done(leased.message);
    read_jobs(leased.message);
  }

  // For what a stop and an erase take, when all is well.
  Millis wait() const {
    return std::max(context_->settings->delete_wait, context_->settings->stop_deadline);
  }

  void done(const Message& message) { in_work_.erase(message.task); }

  // ---- the jobs ----
  void read_jobs(const Message& message) {
    context_->readers->run([self = weak(this), message](storage::Reader& reader) {
      const auto approved = reader.doc(approved_task_kind, message.task.text());
      if (!approved) return tell(self, TaskJobsRead{message, approved.error()});
      tell(self,
           TaskJobsRead{message,
                        storage::jobs_of_schedule(reader, message.task,
                                                  message.jobs == JobsOfTask::remove, jobs_at_once),
                        approved->has_value()});
    });
  }

  void jobs_read(TaskJobsRead& read) {
    if (!read.jobs) return put_back(read.message, to_string(read.jobs.error()));
    if (read.jobs->empty()) return remove(read.message, read.was_approved);
    if (read.message.jobs == JobsOfTask::cancel) return cancel(read.message, *read.jobs);
    DeleteRequest request;
    request.jobs = std::move(*read.jobs);
    request.who = read.message.who;
    request.reason = read.message.reason;
    const bool is_judged = read.was_approved || read.message.tries > 0;
    request.path = is_judged ? judged_task_path : task_path;
    request.project = read.message.project;
    request.wait = wait();
    request.origin = DeletionOrigin::schedule;
    request.confirm = true;
    tell_first(context_->deleter,
               EraseJobs{std::move(request),
                         [self = weak(this), message = read.message](Result<DeleteReport> report) {
                           tell(self, TaskJobsErased{message, std::move(report)});
                         }});
  }

  // Runs that are told to stop take their time, and those of a node that is gone end when the
  // others call it dead; that is no failure.
  Millis patience() const {
    return context_->settings->lease + context_->settings->stop_deadline * 2;
  }

  void cancel(Message message, const std::vector<JobId>& jobs) {
    const Instant now = context_->clock->now();
    auto ops = std::make_shared<storage::Batch>();
    const RetentionRules kept = RetentionRules::of(*context_->settings);
    for (const JobId& job : jobs)
      ops->steers.push_back({job, JobEvent::cancel, message.who, now, message.project,
                             expires_at(kept, JobState::cancelled, now)});
    const bool is_patient = now - message.requested_at < patience();
    message.next_try = now + cancel_look;
    if (is_patient) ops->task_words.push_back({message, storage::TaskWord::lease, {}, now});
    tell_first(context_->clerk, WriteOps{std::move(ops), {}});
    if (!is_patient) return put_back(std::move(message), "a cancelled job has not ended");
    done(message);
    look_later(cancel_look);
  }

  void jobs_erased(TaskJobsErased& erased) {
    const Message& message = erased.message;
    if (fails_here(Failpoint::task_jobs_after)) return done(message);
    if (!erased.report) return put_back(message, to_string(erased.report.error()));
    const DeleteReport& report = *erased.report;
    context_->look_for_spikes(message.project, report);
    for (const JobOutcome& one : report.outcomes)
      if (one.fate == JobFate::failed)
        return put_back(message, fmt::format("job {} cannot be deleted: {}", one.job.text(),
                                             one.error ? to_string(*one.error) : "refused"));
    if (!report.complete)
      return put_back(message,
                      fmt::format("{} of its jobs are still being deleted", report.counts.pending));
    TaskDeleteReport& told = reports_[message.task];
    told = {TaskFate::deleted, false, report.delete_id, report.receipt, counts_json(report.counts)};
    read_jobs(message);  // none is born any more, but one call has its limit
  }

  // ---- its end ----
  void remove(const Message& message, bool was_approved) {
    const auto known = reports_.find(message.task);
    const bool had_jobs = known != reports_.end() && known->second.delete_id;
    const std::string call = had_jobs ? "\"" + known->second.delete_id->text() + "\"" : "null";
    const std::string detail = fmt::format(R"({{"jobs":"{}","delete_id":{},"tries":{}}})",
                                           to_string(message.jobs), call, message.tries + 1);
    queue_->acknowledge(message, detail, was_approved,
                        [self = weak(this), message](const Result<bool>& erased) {
                          tell(self, TaskErased{message, erased});
                        });
  }

  void task_erased(const TaskErased& erased) {
    const Message& message = erased.message;
    if (!erased.erased) return put_back(message, to_string(erased.erased.error()));
    done(message);
    const auto known = reports_.find(message.task);
    TaskDeleteReport report{TaskFate::deleted};
    if (known != reports_.end()) report = known->second;
    report.jobs = message.jobs;
    reports_.erase(message.task);
    look_later(Millis{0});
    if (!*erased.erased) return;  // somebody else did, or gave it up: whoever waits sees it there
    context_->metrics->task_deletes += 1;
    awaited_.over(message.task, report);
  }

  bool gives_up(const Message& message) const {
    return message.tries + 1 >= context_->settings->task_delete_tries;
  }

  void put_back(Message message, std::string error) {
    done(message);
    const int doublings = std::min(message.tries, 20);
    const Millis wait =
        std::min(context_->settings->delete_retry * (1 << doublings), patience_last);
    message.error = std::move(error);
    message.next_try = context_->clock->now() + wait;
    const bool enough = gives_up(message);
    (enough ? context_->metrics->task_deletes_failed : context_->metrics->task_delete_tries) += 1;
    if (enough && context_->settings->log)
      context_->settings->log(
          LogLevel::error, "a schedule could not be deleted and is DELETE_FAILED: " + message.error,
          "\"task_uuid\":\"" + message.task.text() + "\"");
    queue_->put_back(std::move(message),
                     enough ? storage::TaskWord::give_up : storage::TaskWord::retry);
  }

  // ---- what is stuck ----
  void reconcile_later() {
    const auto jitter = context_->settings->task_reconcile_jitter.count();
    std::uniform_int_distribution<std::int64_t> part(0, std::max<std::int64_t>(0, jitter));
    later(reconcile_timer_, context_->settings->task_reconcile + Millis{part(random_)},
          ReconcileTasks{});
  }

  void reconcile() {
    reconcile_later();
    if (!may_work()) return;
    storage::ScheduleQuery stuck;
    stuck.leaving_since = context_->clock->now() - context_->settings->task_reconcile_after;
    stuck.limit = context_->settings->task_reconcile_batch;
    context_->readers->run([self = weak(this), stuck](storage::Reader& reader) {
      tell(self, StuckTasksRead{reader.schedules(stuck)});
    });
  }

  // Each is touched by that, and so is not stuck again before its time: nothing piles up.
  void stuck_read(const StuckTasksRead& read) {
    if (!read.tasks || read.tasks->empty()) return;
    const Instant now = context_->clock->now();
    auto ops = std::make_shared<storage::Batch>();
    for (const storage::ScheduleRow& row : *read.tasks) {
      if (in_work_.contains(row.id)) continue;
      Message message;
      message.task = row.id;
      message.requested_at = message.next_try = now;
      message.request_id = "reconciler-" + context_->ids->next().text();
      message.who = reconciler;
      ops->task_words.push_back({std::move(message), storage::TaskWord::again, {}, now});
      ops->audits.push_back({now, reconciler, "task.delete_again", row.id.text(), "{}"});
    }
    context_->metrics->tasks_issued_again += ops->task_words.size();
    tell(context_->clerk,
         WriteOps{std::move(ops), [self = weak(this)](const Result<storage::Outcome>&) {
                    tell(self, LookAtTasks{});
                  }});
  }

  // ---- who waits ----
  void await(AwaitTask waiter) {
    const std::uint64_t serial = awaited_.add(waiter.task, std::move(waiter.answer));
    context_->timers->after(waiter.wait,
                            [self = weak(this), serial] { tell(self, AwaitedTaskOver{serial}); });
    if (!seen_timer_) see_later();
  }

  // Another node may delete it.
  void see_later() {
    seen_timer_ =
        context_->timers->after(seen_look, [self = weak(this)] { tell(self, AwaitedTasksSeen{}); });
  }

  void awaited_seen(const AwaitedTasksSeen& seen) {
    // What is in work here is told with its receipt, in a moment.
    for (const Uuid& task : seen.gone)
      if (!in_work_.contains(task)) awaited_.over(task, {TaskFate::deleted});
    for (const auto& [task, error] : seen.failed) {
      if (in_work_.contains(task)) continue;
      TaskDeleteReport report{TaskFate::failed};
      report.error = error;
      awaited_.over(task, report);
    }
    if (!seen.gone.empty() || !seen.failed.empty()) return;
    seen_timer_.reset();
    if (awaited_.empty()) return;
    see_later();
    context_->readers->run([self = weak(this), tasks = awaited_.tasks()](storage::Reader& reader) {
      AwaitedTasksSeen seen;
      for (const Uuid& task : tasks) {
        const auto row = reader.schedule(task);
        if (!row) continue;
        if (!*row) seen.gone.push_back(task);
        if (*row && (*row)->status == ScheduleStatus::delete_failed)
          seen.failed.emplace_back(task, (*row)->error);
      }
      if (!seen.gone.empty() || !seen.failed.empty()) tell(self, std::move(seen));
    });
  }

  std::shared_ptr<NodeContext> context_;
  std::unique_ptr<TaskQueue> queue_;
  std::mt19937_64 random_;
  std::set<Uuid> in_work_;
  std::map<Uuid, TaskDeleteReport> reports_;  // of their jobs, until the task is gone
  AwaitedTasks awaited_;
  std::optional<Timers::Id> timer_, reconcile_timer_, seen_timer_;
  bool looking_ = false, look_again_ = false, worked_ = false;
};

}  // namespace

caf::actor spawn_task_eraser(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<TaskEraser>(system, ControlPlace::task_eraser, *context, context);
}

}  // namespace quell
