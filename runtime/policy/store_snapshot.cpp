#include "runtime/policy/store_snapshot.hpp"

#include <algorithm>

#include "runtime/policy/schedule.hpp"

namespace quell {

namespace {
constexpr Millis an_hour{std::chrono::hours{1}}, a_day{std::chrono::hours{24}}, a_week = a_day * 7;
}  // namespace

std::string snapshot_name(Instant due) {
  std::string text = wall_time_text(due, "UTC");  // 2026-03-29T03:00:00+00:00
  text.resize(std::min(text.size(), sizeof "2026-03-29T03:00:00" - 1));
  return text + "Z";
}

Instant snapshot_until(Instant due, std::optional<Instant> last, Millis keep) {
  const auto opens = [&](Millis span) {
    return !last || due.time_since_epoch() / span != last->time_since_epoch() / span;
  };
  if (opens(a_day)) return due + keep;
  return due + std::min(opens(an_hour) ? a_week : a_day, keep);
}

}  // namespace quell
