#include "runtime/policy/cron.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <span>
#include <vector>

namespace quell {

namespace {

namespace chr = std::chrono;

constexpr std::size_t text_max = 256;
// Feb 29 on a given weekday comes back after 28 years, or after 40 across a century without a leap
// day.
constexpr chr::years search_max{60};

constexpr std::array month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                 "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned min;
  unsigned max;  // what * and an open step reach
  std::span<const char* const> names = {};
  bool sunday_is_7_too = false;
};

constexpr std::array fields{Field{"second", 0, 59},
                            Field{"minute", 0, 59},
                            Field{"hour", 0, 23},
                            Field{"day of month", 1, 31},
                            Field{"month", 1, 12, month_names},
                            Field{"day of week", 0, 6, weekday_names, true}};

Error fault(std::string detail) {
  return Error{ErrorCode::invalid_cron, std::move(detail)};
}

Error bad_value(const Field& field, std::string_view text) {
  return fault("'" + std::string(text) + "' is no " + std::string(field.name) + " (" +
               std::to_string(field.min) + " to " + std::to_string(field.max) + ")");
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.size() > 4 || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<unsigned> value_of(const Field& field, std::string_view text, bool ends_a_range) {
  for (std::size_t at = 0; at < field.names.size(); ++at)
    if (text == field.names[at])  // "sat-sun" means Saturday and the Sunday behind it
      return field.sunday_is_7_too && at == 0 && ends_a_range
                 ? 7
                 : static_cast<unsigned>(at) + field.min;
  const auto value = number(text);
  const unsigned max = field.sunday_is_7_too ? 7 : field.max;
  if (!value || *value < field.min || *value > max) return std::nullopt;
  return value;
}

// One item of a list: *, a, a-b, each with an optional /step.
Result<std::uint64_t> parse_item(const Field& field, std::string_view item) {
  const std::size_t slash = item.find('/');
  const std::string_view base = item.substr(0, slash);
  unsigned step = 1;
  if (slash != std::string_view::npos) {
    const auto given = number(item.substr(slash + 1));
    if (!given || *given == 0 || *given > field.max - field.min + 1)
      return fault("'" + std::string(item) + "' has a step that does not fit the " +
                   std::string(field.name));
    step = *given;
  }
  unsigned from = field.min, to = field.max;
  if (base != "*" && base != "?") {
    const std::size_t dash = base.find('-');
    const auto first = value_of(field, base.substr(0, dash), false);
    if (!first) return bad_value(field, base.substr(0, dash));
    from = *first;
    if (dash != std::string_view::npos) {
      const auto last = value_of(field, base.substr(dash + 1), true);
      if (!last) return bad_value(field, base.substr(dash + 1));
      to = *last;
    } else if (slash == std::string_view::npos) {
      to = from;
    }
    if (from > to) return fault("'" + std::string(item) + "' runs backwards; write two ranges");
  }
  std::uint64_t bits = 0;
  for (unsigned value = from; value <= to; value += step) bits |= std::uint64_t{1} << value;
  if (field.sunday_is_7_too && (bits & (1u << 7)) != 0) bits = (bits & 0x7f) | 1;
  return bits;
}

Result<std::uint64_t> parse_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const Result<std::uint64_t> item = parse_item(field, text.substr(0, comma));
    if (!item) return item.error();
    bits |= *item;
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return bits;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return found;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    found.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<std::string_view> expansion(std::string_view word) {
  if (word == "@hourly") return "0 * * * *";
  if (word == "@daily" || word == "@midnight") return "0 0 * * *";
  if (word == "@weekly") return "0 0 * * 0";
  if (word == "@monthly") return "0 0 1 * *";
  if (word == "@yearly" || word == "@annually") return "0 0 1 1 *";
  return std::nullopt;
}

bool has(std::uint64_t bits, unsigned at) {
  return (bits >> at & 1) != 0;
}

// The lowest set bit from `at` on.
std::optional<unsigned> next_bit(std::uint64_t bits, unsigned at) {
  if (at > 63 || bits >> at == 0) return std::nullopt;
  return at + static_cast<unsigned>(std::countr_zero(bits >> at));
}

unsigned lowest(std::uint64_t bits) {
  return static_cast<unsigned>(std::countr_zero(bits));
}

bool is_open(std::string_view field) {
  return field.starts_with('*') || field.starts_with('?');
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  if (text.size() > text_max)
    return fault("the expression is longer than " + std::to_string(text_max) + " characters");
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::vector<std::string_view> parts = words(lower);
  if (parts.size() == 1 && parts[0].starts_with('@')) {
    const auto expanded = expansion(parts[0]);
    if (!expanded)
      return fault("'" + std::string(parts[0]) +
                   "' is not known; @hourly @daily @weekly @monthly @yearly are");
    parts = words(*expanded);
  }
  if (parts.size() != 5 && parts.size() != 6)
    return fault("an expression has 5 fields, or 6 with seconds first; this has " +
                 std::to_string(parts.size()));
  if (parts.size() == 5) parts.insert(parts.begin(), "0");
  std::array<std::uint64_t, fields.size()> bits{};
  for (std::size_t at = 0; at < fields.size(); ++at) {
    const Result<std::uint64_t> parsed = parse_field(fields[at], parts[at]);
    if (!parsed) return parsed.error();
    bits[at] = *parsed;
  }
  Cron cron;
  cron.seconds_ = bits[0];
  cron.minutes_ = bits[1];
  cron.hours_ = bits[2];
  cron.days_ = bits[3];
  cron.months_ = bits[4];
  cron.weekdays_ = bits[5];
  cron.any_hour_ = is_open(parts[2]);
  cron.either_day_ = !is_open(parts[3]) && !is_open(parts[5]);
  const LocalSecond start = chr::local_days{chr::year{2000} / 1 / 1};
  if (!cron.first_match(start, LocalSecond::max()))
    return fault("the expression names a date that never comes");
  return cron;
}

bool Cron::day_matches(chr::year_month_day date) const {
  if (!has(months_, static_cast<unsigned>(date.month()))) return false;
  const bool day = has(days_, static_cast<unsigned>(date.day()));
  const bool weekday = has(weekdays_, chr::weekday{chr::local_days{date}}.c_encoding());
  return either_day_ ? day || weekday : day && weekday;
}

bool Cron::matches(LocalSecond at) const {
  const auto day = chr::floor<chr::days>(at);
  return day_matches(chr::year_month_day{day}) && time_from(at - day) == at - day;
}

// The first time of day that fits, from `of_day` on.
std::optional<chr::seconds> Cron::time_from(chr::seconds of_day) const {
  const chr::hh_mm_ss clock{of_day};
  auto hour = static_cast<unsigned>(clock.hours().count());
  auto minute = static_cast<unsigned>(clock.minutes().count());
  auto second = next_bit(seconds_, static_cast<unsigned>(clock.seconds().count()));
  if (!second) ++minute;
  auto found_minute = next_bit(minutes_, minute);
  if (!has(hours_, hour) || !found_minute) {
    const auto later = next_bit(hours_, hour + 1);
    if (!later) return std::nullopt;
    hour = *later;
    found_minute = lowest(minutes_);
    second = lowest(seconds_);
  } else if (!second || *found_minute != static_cast<unsigned>(clock.minutes().count())) {
    second = lowest(seconds_);
  }
  return chr::hours{hour} + chr::minutes{*found_minute} + chr::seconds{*second};
}

// The times of a day that fits, before `of_day`.
std::int64_t Cron::times_before(chr::seconds of_day) const {
  const std::int64_t in_minute = std::popcount(seconds_);
  const std::int64_t in_hour = in_minute * std::popcount(minutes_);
  if (of_day >= chr::days{1}) return in_hour * std::popcount(hours_);
  const chr::hh_mm_ss clock{of_day};
  const auto hour = static_cast<unsigned>(clock.hours().count());
  const auto minute = static_cast<unsigned>(clock.minutes().count());
  const auto second = static_cast<unsigned>(clock.seconds().count());
  const auto below = [](std::uint64_t bits, unsigned bit) -> std::int64_t {
    return std::popcount(bits & ((std::uint64_t{1} << bit) - 1));
  };
  std::int64_t n = below(hours_, hour) * in_hour;
  if (!has(hours_, hour)) return n;
  n += below(minutes_, minute) * in_minute;
  return has(minutes_, minute) ? n + below(seconds_, second) : n;
}

std::int64_t Cron::count(LocalSecond from, LocalSecond end) const {
  std::int64_t n = 0;
  for (auto day = chr::floor<chr::days>(from); LocalSecond{day} < end; day += chr::days{1}) {
    if (!day_matches(chr::year_month_day{day})) continue;
    const chr::seconds begin = std::max(chr::seconds{0}, from - day);
    n += times_before(std::min<chr::seconds>(chr::days{1}, end - day)) - times_before(begin);
  }
  return n;
}

std::optional<LocalSecond> Cron::first_match(LocalSecond from, LocalSecond end) const {
  auto day = chr::floor<chr::days>(from);
  const auto last = std::min(end, LocalSecond{day + chr::floor<chr::days>(search_max)});
  chr::seconds of_day = from - day;
  while (LocalSecond{day} < last) {
    const chr::year_month_day date{day};
    if (!has(months_, static_cast<unsigned>(date.month()))) {
      day = chr::local_days{(date.year() / date.month() + chr::months{1}) / 1};
      of_day = chr::seconds{0};
      continue;
    }
    if (day_matches(date))
      if (const auto time = time_from(of_day)) {
        const LocalSecond found = day + *time;
        if (found >= last) return std::nullopt;
        return found;
      }
    day += chr::days{1};
    of_day = chr::seconds{0};
  }
  return std::nullopt;
}

}  // namespace quell
