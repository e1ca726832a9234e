#include "runtime/policy/schedule.hpp"

#include <date/tz.h>

#include <algorithm>
#include <exception>

namespace quell {

namespace {

namespace chr = std::chrono;
using SysSecond = chr::sys_seconds;
using Seconds = chr::seconds;

// Beyond these years neither the zone data nor a fire means anything, and arithmetic stays far from
// overflow.
constexpr SysSecond earliest = chr::sys_days{chr::year{1} / 1 / 1};
constexpr SysSecond latest = chr::sys_days{chr::year{9999} / 1 / 1};
constexpr chr::years horizon{60};

// A stretch of time in which the zone keeps one offset from UTC.
struct Stretch {
  SysSecond begin;
  SysSecond end;
  Seconds offset;
};

Stretch stretch_at(const date::time_zone* zone, SysSecond at) {
  if (zone == nullptr) return {earliest, latest, Seconds{0}};
  const date::sys_info info = zone->get_info(at);
  return {std::max(info.begin, earliest), std::min(info.end, latest), info.offset};
}

LocalSecond local(SysSecond at, Seconds offset) {
  return LocalSecond{at.time_since_epoch() + offset};
}
SysSecond universal(LocalSecond at, Seconds offset) {
  return SysSecond{at.time_since_epoch() - offset};
}

const date::time_zone* find_zone(std::string_view name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {  // the library's way to say that there is none
    return nullptr;
  }
}

bool is_utc(std::string_view name) {
  return name == "UTC" || name == "Etc/UTC";
}

Seconds offset_before(const date::time_zone* zone, const Stretch& stretch) {
  return stretch.begin > earliest ? stretch_at(zone, stretch.begin - Seconds{1}).offset
                                  : stretch.offset;
}

// Spring: what the wall clock jumped over fires at the jump.
bool fires_at_jump(const Cron& cron, const Stretch& stretch, Seconds before, SysSecond from) {
  const LocalSecond skipped_from = local(stretch.begin, before);
  const LocalSecond skipped_to = local(stretch.begin, stretch.offset);
  return from == stretch.begin && skipped_from < skipped_to &&
         cron.first_match(skipped_from, skipped_to).has_value();
}

// The first fire of a schedule with definite hours in [from, stretch.end), given the offset before
// the stretch.
std::optional<SysSecond> definite_match(const Cron& cron, const Stretch& stretch, Seconds before,
                                        SysSecond from) {
  if (fires_at_jump(cron, stretch, before, from)) return stretch.begin;
  // Autumn: until the wall clock is past what it showed before, everything has been there once.
  const LocalSecond begin = std::max(local(from, stretch.offset), local(stretch.begin, before));
  const auto match = cron.first_match(begin, local(stretch.end, stretch.offset));
  if (!match) return std::nullopt;
  return universal(*match, stretch.offset);
}

}  // namespace

Result<Schedule> Schedule::make(std::string_view cron, std::string_view zone) {
  Result<Cron> parsed = Cron::parse(cron);
  if (!parsed) return parsed.error();
  const date::time_zone* found = is_utc(zone) ? nullptr : find_zone(zone);
  if (found == nullptr && !is_utc(zone))
    return Error{ErrorCode::invalid_field,
                 "'" + std::string(zone) + "' is no time zone of this system, like Europe/Berlin"};
  return Schedule(*parsed, found);
}

std::optional<Instant> Schedule::next(Instant after) const {
  const SysSecond start = chr::floor<Seconds>(after) + Seconds{1};
  if (start < earliest || start >= latest) return std::nullopt;
  const SysSecond give_up = std::min(latest, start + chr::floor<Seconds>(horizon));
  SysSecond from = start;
  while (from < give_up) {
    const Stretch stretch = stretch_at(zone_, from);
    std::optional<SysSecond> fire;
    if (cron_.follows_elapsed_time()) {
      const auto match =
          cron_.first_match(local(from, stretch.offset), local(stretch.end, stretch.offset));
      if (match) fire = universal(*match, stretch.offset);
    } else {
      fire = definite_match(cron_, stretch, offset_before(zone_, stretch), from);
    }
    if (fire) return Instant{*fire};
    if (stretch.end <= from) return std::nullopt;
    from = stretch.end;
  }
  return std::nullopt;
}

std::int64_t Schedule::count(Instant after, Instant until) const {
  SysSecond from = std::max(chr::floor<Seconds>(after) + Seconds{1}, earliest);
  const SysSecond end = std::min(chr::floor<Seconds>(until) + Seconds{1}, latest);
  std::int64_t n = 0;
  while (from < end) {
    const Stretch stretch = stretch_at(zone_, from);
    const SysSecond to = std::min(stretch.end, end);
    if (to <= from) break;
    LocalSecond begin = local(from, stretch.offset);
    if (!cron_.follows_elapsed_time()) {
      const Seconds before = offset_before(zone_, stretch);
      if (fires_at_jump(cron_, stretch, before, from)) {
        ++n;
        begin += Seconds{1};
      }
      begin = std::max(begin, local(stretch.begin, before));
    }
    // In an autumn's hour that is there again, nothing may be left to count.
    const LocalSecond past = local(to, stretch.offset);
    if (begin < past) n += cron_.count(begin, past);
    from = to;
  }
  return n;
}

std::vector<Instant> Schedule::upcoming(Instant after, std::size_t count) const {
  std::vector<Instant> fires;
  while (fires.size() < count) {
    const auto fire = next(fires.empty() ? after : fires.back());
    if (!fire) break;
    fires.push_back(*fire);
  }
  return fires;
}

bool is_time_zone(std::string_view name) {
  return is_utc(name) || find_zone(name) != nullptr;
}

std::string wall_time_text(Instant at, std::string_view zone) {
  const SysSecond second = chr::floor<Seconds>(at);
  const date::time_zone* found = is_utc(zone) ? nullptr : find_zone(zone);
  const Seconds offset = stretch_at(found, second).offset;
  const auto minutes = chr::duration_cast<chr::minutes>(chr::abs(offset)).count();
  return date::format("%FT%T", SysSecond{second + offset}) + (offset < Seconds{0} ? "-" : "+") +
         date::format("%H:%M", chr::minutes{minutes});
}

}  // namespace quell
