#include "actors/schedules/timekeeper.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "actors/control_actor.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/schedules/fires.hpp"
#include "actors/schedules/schedule_messages.hpp"
#include "actors/send.hpp"
#include "actors/writes/kept_until.hpp"

namespace quell {

namespace {

constexpr int slice_max = 500;  // schedules of one transaction
constexpr std::size_t births_max = 1'000;
// The wall clock was put to another time: all that was planned is planned anew.
constexpr Millis jump_min{1'000};

class Timekeeper : public ControlActor {
 public:
  Timekeeper(caf::actor_config& config, const ControlSeat& seat,
             std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat), context_(std::move(context)) {}

  caf::behavior make_behavior() override {
    look_later(Millis{0});
    return {
        [this](LookAtSchedules) { look(); },
        [this](SchedulesRead& read) { schedules_read(read); },
        [this](const FiresWritten& written) { fires_written(written); },
    };
  }

  void on_exit() override {
    if (timer_) context_->timers->cancel(*timer_);
    context_.reset();
  }

 private:
  Millis poll() const { return context_->settings->poll; }

  void look_later(Millis delay) {
    if (timer_) context_->timers->cancel(*timer_);
    timer_ = context_->timers->after(delay, [self = weak(this)] { tell(self, LookAtSchedules{}); });
  }

  bool clock_jumped() {
    const Millis offset = context_->clock->now().time_since_epoch() - context_->clock->monotonic();
    const Millis before = std::exchange(offset_, offset);
    return offset > before + jump_min || offset < before - jump_min;
  }

  void look() {
    if (busy_) {
      look_again_ = true;
      return;
    }
    const bool jumped = clock_jumped();
    if (!context_->roles->leads(Role::timekeeper)) {
      led_ = false;
      return look_later(poll());
    }
    // Whoever led before may have had another clock, or other laws of the zones.
    if (!std::exchange(led_, true) || jumped) plan_anew_from_ = Uuid{};
    busy_ = true;
    look_again_ = false;
    context_->readers->run([self = weak(this), now = context_->clock->now(),
                            from = plan_anew_from_](storage::Reader& reader) {
      storage::ScheduleQuery due;
      due.due_by = now;
      due.limit = slice_max;
      SchedulesRead read{reader.schedules(due), {}, false, {}};
      if (from) {
        storage::ScheduleQuery page;
        page.after = from;
        page.status = ScheduleStatus::active;
        page.limit = slice_max;
        if (auto all = reader.schedules(page)) read.all = std::move(*all);
        read.more = read.all.size() == static_cast<std::size_t>(slice_max);
      }
      if (auto next = reader.next_wake()) read.next = *next;
      tell(self, std::move(read));
    });
  }

  void schedules_read(const SchedulesRead& read) {
    busy_ = false;
    if (!read.due) return look_later(poll());
    const Instant now = context_->clock->now();
    auto fires = std::make_shared<std::vector<storage::FireOp>>();
    std::size_t births = 0;
    bool more = read.more || std::exchange(look_again_, false);
    for (const storage::ScheduleRow& row : *read.due) {
      if (births >= births_max) {
        more = true;
        break;
      }
      add(*fires, row, now);
      births += fires->empty() ? 0 : fires->back().jobs.size();
    }
    if (plan_anew_from_) {
      for (const storage::ScheduleRow& row : read.all)
        if (!row.wake || *row.wake > now) add(*fires, row, now);
      if (read.more)
        plan_anew_from_ = read.all.back().id;
      else
        plan_anew_from_.reset();
    }
    if (!fires->empty()) return write(std::move(fires));
    if (more) return look();
    const Millis wait = read.next ? std::max(Millis{1}, *read.next - now) : poll();
    look_later(std::min(wait, poll()));
  }

  void add(std::vector<storage::FireOp>& fires, const storage::ScheduleRow& row, Instant now) {
    const KnownSchedule& known = schedules_.find(row);
    if (!known.times) say_unknown(row, known);
    auto op = fire_of(row, known,
                      {now, context_->settings->schedule_grace, poll(),
                       context_->queue_is_closed(known.terms.job.queue)});
    if (!op) return;
    if (op->overlap == Overlap::cancel_old && !op->jobs.empty())
      op->cancelled_expires = kept_until(*context_->settings, JobState::cancelled, now);
    fires.push_back(std::move(*op));
  }

  void say_unknown(const storage::ScheduleRow& row, const KnownSchedule& known) const {
    if (context_->settings->log)
      context_->settings->log(
          LogLevel::error,
          "a schedule cannot fire: its times cannot be told here any more, is "
          "the zone known to this system?",
          "\"task_uuid\":\"" + row.id.text() + "\",\"zone\":\"" + known.terms.times.zone + "\"");
  }

  void write(std::shared_ptr<const std::vector<storage::FireOp>> fires) {
    busy_ = true;
    auto ops = std::make_shared<storage::Batch>();
    ops->fires = *fires;
    tell(context_->clerk,
         WriteOps{std::move(ops), [self = weak(this), fires](Result<storage::Outcome> outcome) {
                    if (outcome)
                      tell(self, FiresWritten{fires, std::move(outcome->fires)});
                    else
                      tell(self, FiresWritten{fires, outcome.error()});
                  }});
  }

  void fires_written(const FiresWritten& written) {
    busy_ = false;
    if (!written.results) return look_later(poll());  // nothing is known: what is due is read again
    bool any = false;
    for (std::size_t i = 0; i < written.fires->size(); ++i) {
      const storage::FireOp& op = written.fires->at(i);
      const storage::FireResult& result = written.results->at(i);
      if (result.answer == storage::FireAnswer::fenced) continue;
      any = true;
      context_->metrics->fires_missed += static_cast<std::uint64_t>(op.missed);
      if (result.answer != storage::FireAnswer::fired) continue;
      note_lag(op);
    }
    if (!any) return look_later(poll());  // all were changed meanwhile, or cannot be written
    look();
  }

  void note_lag(const storage::FireOp& op) {
    const Millis lag = context_->clock->now() - op.jobs.back().due;
    context_->metrics->fire_lag_ms =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, lag.count()));
  }

  std::shared_ptr<NodeContext> context_;
  std::optional<Timers::Id> timer_;
  KnownSchedules schedules_;
  std::optional<Uuid> plan_anew_from_;  // until all are planned anew
  Millis offset_{0};                    // of the wall clock from the monotonic one
  bool led_ = false, busy_ = false, look_again_ = false;
};

}  // namespace

caf::actor spawn_timekeeper(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Timekeeper>(system, ControlPlace::timekeeper, *context, context);
}

}  // namespace quell
