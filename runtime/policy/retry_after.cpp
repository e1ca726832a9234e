#include "runtime/policy/retry_after.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace quell {

namespace {

constexpr Millis longest_wait{std::chrono::hours{24}};
constexpr std::size_t shown_body = 500;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size() || value < 0)
    return std::nullopt;
  return value;
}

// Cut at a character, not inside one, and without what would break a log line.
std::string excerpt(const std::string& body) {
  std::size_t end = std::min(body.size(), shown_body);
  while (end > 0 && end < body.size() && (static_cast<unsigned char>(body[end]) & 0xc0) == 0x80)
    --end;
  std::string text = body.substr(0, end);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

bool may_pass(int status) {
  if (status == 501 || status == 505) return false;  // it can't do this, today or later
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

}  // namespace

std::optional<Instant> parse_http_date(const std::string& text) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::string_view view = text;
  if (view.size() != 29 || view.substr(3, 2) != ", " || view.substr(25) != " GMT")
    return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), view.substr(8, 3));
  const auto day = whole_number(view.substr(5, 2)), year = whole_number(view.substr(12, 4));
  const auto hour = whole_number(view.substr(17, 2)), minute = whole_number(view.substr(20, 2)),
             second = whole_number(view.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year{*year},
      std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
      std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Instant{std::chrono::sys_days{date}} + std::chrono::hours{*hour} +
         std::chrono::minutes{*minute} + std::chrono::seconds{*second};
}

std::optional<Millis> retry_after(const HttpReply& reply, Instant now) {
  const std::string text = reply.header("Retry-After");
  if (text.empty()) return std::nullopt;
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    const auto seconds = whole_number(text);  // nothing: more than an int holds
    return seconds ? std::min(longest_wait, Millis{std::chrono::seconds{*seconds}}) : longest_wait;
  }
  const auto then = parse_http_date(text);
  if (!then) return std::nullopt;
  const Instant from = parse_http_date(reply.header("Date")).value_or(now);
  return std::clamp(std::chrono::duration_cast<Millis>(*then - from), Millis{0}, longest_wait);
}

JobError unwelcome_reply(const std::string& url, const HttpReply& reply, const std::string& body,
                         Instant now) {
  // What follows the path may be a key of the caller's.
  const std::string where = url.substr(0, url.find_first_of("?#"));
  std::string detail = fmt::format("{} from {}", reply.status(), where);
  if (const std::string said = excerpt(body); !said.empty()) detail += ": " + said;
  const bool again = may_pass(reply.status());
  return JobError("outbound-failed", std::move(detail), again,
                  again ? retry_after(reply, now) : std::nullopt);
}

}  // namespace quell
