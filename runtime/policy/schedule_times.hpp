// When a task is due, by whichever of the three ways it was told: a cron expression, a fixed
// interval, or one time; between its start and its end. And what of that fires at a moment, also
// when the clock jumped, or nobody was there for years.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/id.hpp"
#include "runtime/law/schedule_status.hpp"
#include "runtime/policy/schedule.hpp"

namespace quell {

// As it was told. Exactly one of `cron`, `every` and `at` is there.
struct TimesTold {
  std::string cron = {}, zone = "UTC";
  Millis every{0};
  std::optional<Instant> at = {};
  std::optional<Instant> start = {}, end = {};  // nothing is due before `start`, nor from `end` on
  Millis jitter{0};                             // each fire waits a part of it, always the same one
  Misfire misfire = Misfire::once;
  int misfire_limit = 10;  // of `all`
  bool operator==(const TimesTold&) const = default;
};

// Whether both are due at the same moments: the rest is what becomes of these.
bool are_same_moments(const TimesTold& one, const TimesTold& other);

inline constexpr std::size_t fires_at_once = 1'000;  // of one schedule, in one transaction

// What happens now: these fire, these were missed, and the next one is due then.
struct FirePlan {
  std::vector<Instant> fires;
  std::int64_t missed = 0;
  std::optional<Instant> next;
};

class ScheduleTimes {
 public:
  // `anchor`: what an interval counts from when there is no start.
  static Result<ScheduleTimes> make(const TimesTold& told, Instant anchor);

  std::optional<Instant> next(Instant after) const;
  std::vector<Instant> upcoming(Instant after, std::size_t count) const;
  // How many have been due since `due`, which is one of them.
  std::int64_t overdue(Instant due, Instant now) const;
  // When a fire that is due then is to happen: behind it by its part of the jitter.
  Instant wake(const Uuid& task, Instant due) const;
  // `due` is what the schedule waits for. What is later than `grace` behind its time is missed, and
  // the policy decides.
  FirePlan plan(const Uuid& task, Instant due, Instant now, Millis grace) const;

 private:
  ScheduleTimes(TimesTold told, std::optional<Schedule> cron, Instant anchor)
      : told_(std::move(told)), cron_(cron), anchor_(anchor) {}
  std::optional<Instant> next_told(Instant after) const;
  std::vector<Instant> latest(Instant from, Instant to, std::size_t most) const;
  std::int64_t count(Instant from, Instant to) const;

  TimesTold told_;
  std::optional<Schedule> cron_;
  Instant anchor_;
};

// The job that a fire bears has the same id whoever bears it, and however often: a hash of what it
// is of, behind the time when it was due.
Uuid fire_id(const Uuid& task, Instant due);
// The unique key of that job, where the schedule gives it none.
std::string fire_key(const Uuid& task, Instant due);

}  // namespace quell
