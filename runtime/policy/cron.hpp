// A cron expression as a set of local clock times: what it means, without zones and without a
// clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace quell {

using LocalSecond = std::chrono::local_seconds;  // what a clock on the wall shows

// [second] minute hour day-of-month month day-of-week, or @hourly @daily @midnight @weekly @monthly
// @yearly @annually. Each field: * or ?, numbers, names (jan-dec, sun-sat), a-b, */n, a-b/n, a/n
// (from a on), and lists of these. Sunday is 0 or 7. As in Vixie cron, when neither day field
// begins with *, a day that fits either of them fits.
class Cron {
 public:
  static Result<Cron> parse(std::string_view text);

  bool matches(LocalSecond at) const;
  // The first match from `from` on and before `end`; looks at most 60 years ahead.
  std::optional<LocalSecond> first_match(LocalSecond from, LocalSecond end) const;
  // How many there are from `from` on and before `end`; in the time that a walk over the days
  // takes.
  std::int64_t count(LocalSecond from, LocalSecond end) const;
  // An hour field that begins with * means "in every such hour": it follows elapsed time, also
  // where clocks change.
  bool follows_elapsed_time() const { return any_hour_; }

 private:
  Cron() = default;
  bool day_matches(std::chrono::year_month_day date) const;
  std::optional<std::chrono::seconds> time_from(std::chrono::seconds of_day) const;
  std::int64_t times_before(std::chrono::seconds of_day) const;

  std::uint64_t seconds_ = 1;
  std::uint64_t minutes_ = 0;
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t months_ = 0;
  std::uint64_t weekdays_ = 0;
  bool any_hour_ = false;
  bool either_day_ = false;
};

}  // namespace quell
