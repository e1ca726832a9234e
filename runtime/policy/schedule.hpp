// When does a task fire next, on the wall clock of its own time zone, also on the two nights a year
// when that clock jumps?
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"
#include "runtime/policy/cron.hpp"

namespace date {
class time_zone;
}

namespace quell {

// Where clocks change:
// - An expression with a definite hour fires once for each time it names. A time that is skipped
// (spring) fires at the
//   moment of the jump, several of them as one; a time that comes twice (autumn) fires the first
//   time only.
// - An expression whose hour begins with * follows elapsed time: it fires whenever the wall clock
// fits, so neither less
//   nor more often than in any other hour.
// The zones are the system's (tzdata). The date library reads their changes up to 2037; from 2038
// on a zone keeps its winter offset.
class Schedule {
 public:
  static Result<Schedule> make(std::string_view cron, std::string_view zone = "UTC");

  // The first fire strictly after; nothing if there is none within 60 years.
  std::optional<Instant> next(Instant after) const;
  // How many there are after the one and until the other; without a walk from fire to fire.
  std::int64_t count(Instant after, Instant until) const;
  std::vector<Instant> upcoming(Instant after, std::size_t count) const;

 private:
  Schedule(Cron cron, const date::time_zone* zone) : cron_(cron), zone_(zone) {}

  Cron cron_;
  const date::time_zone* zone_;  // none: UTC; else it lives as long as the process
};

bool is_time_zone(std::string_view name);
// As the wall clock of a zone shows it, with its offset: 2026-03-29T03:00:00+02:00. In UTC when the
// zone is not known.
std::string wall_time_text(Instant at, std::string_view zone);

}  // namespace quell
