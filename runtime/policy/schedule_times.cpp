#include "runtime/policy/schedule_times.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/digest.hpp"

namespace quell {

namespace {

using namespace std::chrono_literals;

constexpr Millis shortest_interval{1'000};
// The first look back for the last due times; doubled until enough are found.
constexpr Millis first_window{1'000};
constexpr std::size_t looked_through = 100'000;

}  // namespace

bool are_same_moments(const TimesTold& one, const TimesTold& other) {
  return one.cron == other.cron && one.zone == other.zone && one.every == other.every &&
         one.at == other.at && one.start == other.start && one.end == other.end;
}

Result<ScheduleTimes> ScheduleTimes::make(const TimesTold& told, Instant anchor) {
  const int ways = (told.cron.empty() ? 0 : 1) + (told.every > 0ms ? 1 : 0) + (told.at ? 1 : 0);
  if (ways != 1) return Error{ErrorCode::invalid_field, "Give exactly one of cron, every and at."};
  if (told.start && told.end && *told.end <= *told.start)
    return Error{ErrorCode::invalid_field, "end_at is not behind start_at."};
  std::optional<Schedule> cron;
  if (!told.cron.empty()) {
    Result<Schedule> made = Schedule::make(told.cron, told.zone);
    if (!made) return made.error();
    cron = std::move(made).value();
  } else if (!is_time_zone(told.zone)) {
    return Error{ErrorCode::invalid_field,
                 fmt::format("'{}' is no time zone of this system, like Europe/Berlin", told.zone)};
  }
  if (told.every > 0ms && told.every < shortest_interval)
    return Error{ErrorCode::invalid_field, "An interval is one second at least."};
  return ScheduleTimes(told, cron, anchor);
}

std::optional<Instant> ScheduleTimes::next_told(Instant after) const {
  if (told_.at) return *told_.at > after ? told_.at : std::nullopt;
  if (cron_) return cron_->next(after);
  // With a start the first is at the start, else one interval behind the anchor.
  const Instant first = told_.start ? *told_.start : anchor_ + told_.every;
  if (after < first) return first;
  return first + ((after - first) / told_.every + 1) * told_.every;
}

std::optional<Instant> ScheduleTimes::next(Instant after) const {
  if (told_.start) after = std::max(after, *told_.start - 1ms);
  const auto due = next_told(after);
  if (due && told_.end && *due >= *told_.end) return std::nullopt;
  return due;
}

std::vector<Instant> ScheduleTimes::upcoming(Instant after, std::size_t count) const {
  std::vector<Instant> all;
  while (all.size() < count) {
    const auto due = next(all.empty() ? after : all.back());
    if (!due) break;
    all.push_back(*due);
  }
  return all;
}

Instant ScheduleTimes::wake(const Uuid& task, Instant due) const {
  if (told_.jitter <= 0ms) return due;
  const Uuid id = fire_id(task, due);
  std::uint64_t number = 0;
  for (std::size_t i = 9; i < 15; ++i) number = number << 8 | id.bytes[i];
  const auto parts = static_cast<std::uint64_t>(told_.jitter.count()) + 1;
  return due + Millis{static_cast<std::int64_t>(number % parts)};
}

// Looked for from the end, in stretches that grow: ten years of seconds are not walked through.
std::vector<Instant> ScheduleTimes::latest(Instant from, Instant to, std::size_t most) const {
  std::vector<Instant> found;
  if (most == 0 || from > to) return found;
  for (Millis window = first_window;; window *= 2) {
    const bool is_all = window >= to - from;
    const Instant begin = is_all ? from : to - window;
    found.clear();
    for (auto due = next(begin - 1ms); due && *due <= to && found.size() < looked_through;
         due = next(*due))
      found.push_back(*due);
    if (is_all || found.size() >= most) break;
  }
  if (found.size() > most)
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
  return found;
}

std::int64_t ScheduleTimes::count(Instant from, Instant to) const {
  if (told_.start) from = std::max(from, *told_.start);
  if (told_.end) to = std::min(to, *told_.end - 1ms);
  if (to < from) return 0;
  if (told_.at) return *told_.at >= from && *told_.at <= to ? 1 : 0;
  if (cron_) return cron_->count(from - 1ms, to);
  const auto first = next(from - 1ms);
  return first && *first <= to ? (to - *first) / told_.every + 1 : 0;
}

std::int64_t ScheduleTimes::overdue(Instant due, Instant now) const {
  return due > now ? 0 : std::max<std::int64_t>(1, count(due, now));
}

FirePlan ScheduleTimes::plan(const Uuid& task, Instant due, Instant now, Millis grace) const {
  FirePlan plan;
  if (wake(task, due) > now) return {{}, 0, due};
  const Instant on_time_from = now - grace - told_.jitter;
  const bool is_late = due < on_time_from;
  std::size_t most = fires_at_once;
  Instant from = due;
  if (is_late && told_.misfire == Misfire::skip) from = on_time_from;
  if (is_late && told_.misfire == Misfire::once) most = 1;
  if (is_late && told_.misfire == Misfire::all)
    most = std::min(most, static_cast<std::size_t>(told_.misfire_limit));
  if (is_late) {
    plan.fires = latest(from, now, most);
  } else {  // few, and the first of them come first
    for (std::optional<Instant> one = due; one && *one <= now && plan.fires.size() < most;
         one = next(*one))
      plan.fires.push_back(*one);
  }
  plan.next = next(plan.fires.size() == fires_at_once ? plan.fires.back() : now);
  // In their order, so one that waits for its part of the jitter holds those behind it.
  for (std::size_t i = 0; i < plan.fires.size(); ++i) {
    if (wake(task, plan.fires[i]) <= now) continue;
    plan.next = plan.fires[i];
    plan.fires.erase(plan.fires.begin() + static_cast<std::ptrdiff_t>(i), plan.fires.end());
    break;
  }
  if (is_late) {
    const Instant last = plan.next ? std::min(now, *plan.next - 1ms) : now;
    plan.missed =
        std::max<std::int64_t>(0, count(due, last) - static_cast<std::int64_t>(plan.fires.size()));
  }
  return plan;
}

Uuid fire_id(const Uuid& task, Instant due) {
  const auto ms =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, due.time_since_epoch().count()));
  const Digest digest = sha256(fmt::format("fire\n{}\n{}", task.text(), ms));
  Uuid id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::string fire_key(const Uuid& task, Instant due) {
  return fmt::format("schedule/{}/{}", task.text(), due.time_since_epoch().count());
}

}  // namespace quell
