// Input: an expression, a time zone, seconds since 1970, a line each. Fires come in order, each
// strictly later than asked, none is left out between two, and in UTC each is a moment that the
// expression names.
#include "runtime/policy/schedule.hpp"

#include <algorithm>
#include <charconv>

#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

namespace {

LocalSecond wall(Instant at) {
  return LocalSecond{std::chrono::floor<std::chrono::seconds>(at).time_since_epoch()};
}

void hold_in_utc(const Cron& cron, Instant after, Instant fire) {
  hold(cron.matches(wall(fire)), "it fires when the expression says");
  // The second before the fire, the first ones asked for, and steps between: none of them fits.
  const auto step = std::max<std::int64_t>(1, (fire - after) / std::chrono::seconds{200});
  for (Instant at = after + std::chrono::seconds{1}; at < fire; at += std::chrono::seconds{step})
    hold(!cron.matches(wall(at)), "no fire is passed over");
  if (fire - std::chrono::seconds{1} > after)
    hold(!cron.matches(wall(fire - std::chrono::seconds{1})), "nor the second before it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  const auto cron = Cron::parse(parts[0]);
  const auto schedule = Schedule::make(parts[0], parts[1]);
  if (!schedule) return 0;
  hold(cron.ok(), "a schedule has an expression");
  std::int64_t seconds = 0;
  std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), seconds);
  const Instant after{
      std::chrono::seconds{std::clamp<std::int64_t>(seconds, -2'000'000'000, 4'000'000'000)}};
  const auto fires = schedule->upcoming(after, 3);
  Instant last = after;
  for (const Instant fire : fires) {
    hold(fire > last, "strictly later");
    hold(fire - last < std::chrono::years{61}, "within its horizon");
    if (parts[1] == "UTC") hold_in_utc(*cron, last, fire);
    if (fire - Millis{1} > last)
      hold(schedule->next(fire - Millis{1}) == fire, "asked later the next is the same");
    last = fire;
  }
  return 0;
}
