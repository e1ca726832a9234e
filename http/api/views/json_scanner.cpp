#include "http/api/views/json_scanner.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "http/api/views/json_text.hpp"
#include "runtime/base/hex.hpp"
#include "runtime/base/utf8.hpp"

namespace quell::http {

namespace {

unsigned code_unit(std::string_view four) {
  unsigned unit = 0;
  for (const char c : four) unit = unit * 16 + static_cast<unsigned>(hex_digit(c));
  return unit;
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// Other readers take a number that no double holds for infinity, or for no number at all.
bool is_finite(std::string_view number) {
  if (number.size() < 300 && number.find_first_of("eE") == std::string_view::npos) return true;
  return std::isfinite(std::strtod(std::string(number).c_str(), nullptr));
}

}  // namespace

bool JsonScanner::refuse(std::string_view why) {
  if (fault_.empty()) fault_ = why;
  return false;
}

void JsonScanner::space() {
  while (more() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
    ++at_;
}

bool JsonScanner::whole() {
  space();
  if (!value(0)) return false;
  space();
  return more() ? refuse("something follows the value") : true;
}

bool JsonScanner::value(int depth) {
  if (!more()) return refuse("the text ends where a value should be");
  switch (text_[at_]) {
    case '{':
      return object(depth + 1);
    case '[':
      return array(depth + 1);
    case '"':
      return string();
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      return number();
  }
}

// Names that are written differently may be equal once unescaped, so those are compared unescaped.
bool JsonScanner::is_new_name(std::vector<std::string_view>& names, std::string_view quoted) {
  const auto plain = [](std::string_view name) {
    return name.find('\\') == std::string_view::npos;
  };
  const bool all_plain = plain(quoted) && std::all_of(names.begin(), names.end(), plain);
  names.push_back(quoted);
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    if (all_plain ? names[i] == quoted : unescape_json(names[i]) == unescape_json(quoted))
      return false;
  }
  return true;
}

bool JsonScanner::object(int depth) {
  if (depth > json_depth_limit) return refuse("the nesting is deeper than 64");
  ++at_;
  space();
  if (more() && text_[at_] == '}') return ++at_, true;
  std::vector<std::string_view> names;
  std::size_t members = 0;
  std::set<std::string>
      many;  // beyond a few names; by order, for a hash of theirs is theirs to choose
  for (;;) {
    if (!more() || text_[at_] != '"') return refuse("a member's name should be here");
    const std::size_t begin = at_;
    if (!string()) return false;
    const std::string_view quoted = text_.substr(begin, at_ - begin);
    if (++members > json_members_limit) return refuse("an object has more than 10,000 members");
    if (names.size() < 16) {
      if (!is_new_name(names, quoted)) return refuse("a member's name is used twice");
    } else {
      if (many.empty())
        for (const std::string_view name : names) many.insert(unescape_json(name));
      if (!many.insert(unescape_json(quoted)).second)
        return refuse("a member's name is used twice");
    }
    space();
    if (!more() || text_[at_] != ':') return refuse("a colon should be here");
    ++at_;
    space();
    if (!value(depth)) return false;
    space();
    if (!more()) return refuse("the object does not end");
    if (text_[at_] == '}') return ++at_, true;
    if (text_[at_] != ',') return refuse("a comma or a brace should be here");
    ++at_;
    space();
  }
}

bool JsonScanner::array(int depth) {
  if (depth > json_depth_limit) return refuse("the nesting is deeper than 64");
  ++at_;
  space();
  if (more() && text_[at_] == ']') return ++at_, true;
  for (;;) {
    if (!value(depth)) return false;
    space();
    if (!more()) return refuse("the array does not end");
    if (text_[at_] == ']') return ++at_, true;
    if (text_[at_] != ',') return refuse("a comma or a bracket should be here");
    ++at_;
    space();
  }
}

bool JsonScanner::string() {
  for (++at_; more();) {
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte == '"') return ++at_, true;
    if (byte == '\\') {
      if (!escape()) return false;
    } else if (byte < 0x20) {
      return refuse("a control character must be escaped");
    } else if (byte >= 0x80) {
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return refuse("the text is not valid UTF-8");
      at_ += length;
    } else {
      ++at_;
    }
  }
  return refuse("the string does not end");
}

bool JsonScanner::escape() {
  ++at_;
  if (!more()) return refuse("the string does not end");
  if (text_[at_] == 'u') return unicode_escape();
  if (std::string_view{"\"\\/bfnrt"}.find(text_[at_]) == std::string_view::npos)
    return refuse("the escape is not known");
  ++at_;
  return true;
}

bool JsonScanner::unicode_escape() {
  const auto four = [this](std::size_t from) {
    if (from + 4 > text_.size()) return false;
    return std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(from),
                       text_.begin() + static_cast<std::ptrdiff_t>(from) + 4,
                       [](char c) { return hex_digit(c) >= 0; });
  };
  if (!four(at_ + 1)) return refuse("four hexadecimal digits should be here");
  const unsigned unit = code_unit(text_.substr(at_ + 1, 4));
  if (unit == 0) return refuse("NUL is not taken");
  at_ += 5;
  if (unit < 0xd800 || unit > 0xdfff) return true;
  if (unit > 0xdbff || text_.substr(at_, 2) != "\\u" || !four(at_ + 2))
    return refuse("half of a surrogate pair");
  const unsigned low = code_unit(text_.substr(at_ + 2, 4));
  if (low < 0xdc00 || low > 0xdfff) return refuse("half of a surrogate pair");
  at_ += 6;
  return true;
}

bool JsonScanner::digits() {
  const std::size_t begin = at_;
  while (more() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
  return at_ > begin;
}

bool JsonScanner::number() {
  if (text_[at_] == '-') ++at_;
  const std::size_t first = at_;
  if (!digits()) return refuse("no value begins like this");
  if (text_[first] == '0' && at_ - first > 1) return refuse("a number may not begin with zero");
  if (more() && text_[at_] == '.') {
    ++at_;
    if (!digits()) return refuse("a digit should follow the point");
  }
  if (more() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (more() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (!digits()) return refuse("a digit should be in the exponent");
  }
  return is_finite(text_.substr(first, at_ - first)) ||
         refuse("a number is larger than a double holds");
}

bool JsonScanner::word(std::string_view expected) {
  if (text_.substr(at_, expected.size()) != expected) return refuse("no value begins like this");
  at_ += expected.size();
  return true;
}

std::string unescape_json(std::string_view quoted) {
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  if (text.find('\\') == std::string_view::npos) return std::string{text};
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u': {
        unsigned code = code_unit(text.substr(i + 1, 4));
        i += 4;
        if (code >= 0xd800 && code <= 0xdbff) {
          const unsigned low = code_unit(text.substr(i + 3, 4));
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          i += 6;
        }
        append_utf8(out, code);
        break;
      }
      default:
        out += text[i];
    }
  }
  return out;
}

}  // namespace quell::http
