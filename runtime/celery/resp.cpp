#include "runtime/celery/resp.hpp"

#include <charconv>

namespace quell::celery {

namespace {
constexpr std::size_t longest_length = 11;  // a length's mark and digits
}  // namespace

void RespReader::add(std::string_view bytes) {
  if (taken_ > 0) bytes_.erase(0, taken_);
  taken_ = 0;
  bytes_ += bytes;
}

RespReader::Flow RespReader::broken(std::string why) {
  fault_ = std::move(why);
  bytes_.clear();
  taken_ = 0;
  words_.clear();
  return Flow::broken;
}

// A line of a mark and a number that is not negative.
RespReader::Length RespReader::length(char mark, std::size_t most, std::size_t& value) {
  const std::string_view left = std::string_view(bytes_).substr(taken_);
  if (left.empty()) return Length::more;
  if (left.front() != mark) {
    fault_ = "a command is an array of bulk strings";
    return Length::broken;
  }
  const std::size_t end = left.find("\r\n");
  if (end == std::string_view::npos && left.size() <= longest_length + 1) return Length::more;
  const bool is_length = end <= longest_length;  // the same, however it is cut
  const std::string_view digits = left.substr(1, is_length ? end - 1 : 0);
  const auto [stop, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || wrong != std::errc{} || stop != digits.data() + digits.size()) {
    fault_ = "a length is not a number";
    return Length::broken;
  }
  if (value > most) {
    fault_ = "a length is larger than this door takes";
    return Length::broken;
  }
  taken_ += end + 2;
  return Length::read;
}

RespReader::Flow RespReader::next(Words& command) {
  if (!fault_.empty()) return Flow::broken;
  while (words_left_ == 0) {
    std::size_t count = 0;
    const Length read = length('*', limits_.words, count);
    if (read == Length::more) return Flow::more;
    if (read == Length::broken) return broken(fault_);
    words_left_ = count;  // an empty array is no command, and no fault
    sum_ = 0;
  }
  for (; words_left_ > 0; --words_left_) {
    if (!has_word_) {
      const Length read = length('$', limits_.word, word_);
      if (read == Length::more) return Flow::more;
      if (read == Length::broken) return broken(fault_);
      sum_ += word_;
      if (sum_ > limits_.command) return broken("a command is larger than this door takes");
      has_word_ = true;
    }
    if (held() < word_ + 2) return Flow::more;
    if (bytes_.compare(taken_ + word_, 2, "\r\n") != 0)
      return broken("a bulk string has another length than it says");
    words_.emplace_back(bytes_, taken_, word_);
    taken_ += word_ + 2;
    has_word_ = false;
  }
  command = std::move(words_);
  words_.clear();
  return Flow::command;
}

namespace resp {

namespace {
std::string line(char mark, std::string_view text) {
  std::string out(1, mark);
  for (const char c : text) out += c == '\r' || c == '\n' ? ' ' : c;
  return out += "\r\n";
}
std::string head(char mark, std::size_t count) {
  return mark + std::to_string(count) + "\r\n";
}
}  // namespace

std::string simple(std::string_view text) {
  return line('+', text);
}
std::string error(std::string_view text) {
  return line('-', text);
}
std::string number(std::int64_t value) {
  return ":" + std::to_string(value) + "\r\n";
}
std::string bulk(std::string_view text) {
  return head('$', text.size()).append(text).append("\r\n");
}
std::string nothing(int protocol) {
  return protocol == 3 ? "_\r\n" : "$-1\r\n";
}
std::string no_array(int protocol) {
  return protocol == 3 ? "_\r\n" : "*-1\r\n";
}
std::string array_of(std::size_t count) {
  return head('*', count);
}
std::string push_of(std::size_t count, int protocol) {
  return head(protocol == 3 ? '>' : '*', count);
}
std::string map_of(std::size_t pairs, int protocol) {
  return protocol == 3 ? head('%', pairs) : head('*', pairs * 2);
}

}  // namespace resp

}  // namespace quell::celery
