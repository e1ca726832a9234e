#include "http/api/views/json_writer.hpp"

#include <array>
#include <charconv>

#include "http/api/views/json_scanner.hpp"
#include "runtime/base/hex.hpp"
#include "runtime/base/utf8.hpp"

namespace quell::http {

namespace {

void append_digits(std::string& out, unsigned value, int width) {
  std::array<char, 10> digits{};
  for (int i = width; i-- > 0; value /= 10)
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), static_cast<std::size_t>(width));
}

bool take_digits(std::string_view& text, std::size_t width, int& out) {
  if (text.size() < width) return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + width, out);
  if (fault != std::errc{} || end != text.data() + width || text[0] == '-') return false;
  text.remove_prefix(width);
  return true;
}

bool take_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, int& millis) {
  if (!take_char(text, ".")) return true;
  int scale = 100;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    millis += (text.front() - '0') * scale;
    scale /= 10;
    ++digits;
  }
  return digits > 0 && digits <= 9;
}

bool take_zone(std::string_view& text, int& minutes_east) {
  if (take_char(text, "Zz")) return true;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!take_digits(text, 2, hours) || !take_char(text, ":") || !take_digits(text, 2, minutes))
    return false;
  minutes_east = sign * (hours * 60 + minutes);
  return hours < 24 && minutes < 60;
}

void append_escape(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (byte >= 0x80) {
    out += "\xef\xbf\xbd";  // not UTF-8: the replacement character
    return;
  }
  out += "\\u00";
  append_hex(out, byte);
}

}  // namespace

// Names, log lines and errors may come from anywhere; a reply is UTF-8 whatever they were.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80 ? 1 : utf8_length(text.substr(i));
    if (length > 0 && byte >= 0x20 && byte != '"' && byte != '\\') {
      i += length;
      continue;
    }
    out.append(text, clean, i - clean);
    clean = ++i;
    append_escape(out, byte);
  }
  out.append(text, clean);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

void append_number(std::string& out, double value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

std::string time_text(Instant at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const auto millis = static_cast<unsigned>((at - day).count());
  std::string out;
  out.reserve(24);
  append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, millis / 3'600'000, 2);
  out += ':';
  append_digits(out, millis / 60'000 % 60, 2);
  out += ':';
  append_digits(out, millis / 1000 % 60, 2);
  out += '.';
  append_digits(out, millis % 1000, 3);
  out += 'Z';
  return out;
}

std::optional<Instant> parse_time(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, millis = 0, east = 0;
  if (!take_digits(text, 4, y) || !take_char(text, "-") || !take_digits(text, 2, mo) ||
      !take_char(text, "-") || !take_digits(text, 2, d) || !take_char(text, "Tt ") ||
      !take_digits(text, 2, h) || !take_char(text, ":") || !take_digits(text, 2, mi) ||
      !take_char(text, ":") || !take_digits(text, 2, s) || !take_fraction(text, millis) ||
      !take_zone(text, east) || !text.empty())
    return std::nullopt;
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            std::chrono::day{static_cast<unsigned>(d)}};
  if (!date.ok() || h > 23 || mi > 59 || s > 59) return std::nullopt;
  return Instant{sys_days{date}} + hours{h} + minutes{mi} + seconds{s} + Millis{millis} -
         minutes{east};
}

std::string& ObjectWriter::key(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  append_quoted(out_, name);
  out_ += ':';
  return out_;
}

void ObjectWriter::text_or_null(std::string_view name, std::string_view value) {
  if (value.empty())
    null(name);
  else
    text(name, value);
}

void ObjectWriter::json(std::string_view name, std::string_view value) {
  key(name).append(value.empty() ? std::string_view{"null"} : value);
}

void ObjectWriter::time(std::string_view name, const std::optional<Instant>& at) {
  if (at)
    text(name, time_text(*at));
  else
    null(name);
}

}  // namespace quell::http
