// A program may print without end: what is kept of it is bounded, and its lines are handed on as
// they come.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace quell {

// The last `max` bytes of a stream, at the price of a quarter more memory.
class OutputTail {
 public:
  explicit OutputTail(std::size_t max) : max_(max) {}
  void add(std::string_view bytes) {
    kept_.append(bytes);
    if (kept_.size() > max_ + max_ / 4) kept_.erase(0, kept_.size() - max_);
  }
  std::string take() {
    if (kept_.size() > max_) kept_.erase(0, kept_.size() - max_);
    return std::move(kept_);
  }

 private:
  std::size_t max_;
  std::string kept_;
};

class LineSplitter {
 public:
  static constexpr std::size_t line_bytes_max = 65536;

  template <class Line>
  void add(std::string_view bytes, Line line) {
    while (!bytes.empty()) {
      const std::size_t room = line_bytes_max - part_.size();
      const std::size_t end = bytes.substr(0, room).find('\n');
      const bool whole = end != std::string_view::npos;
      const std::size_t taken = whole ? end : std::min(room, bytes.size());
      part_.append(bytes.substr(0, taken));
      bytes.remove_prefix(whole ? taken + 1 : taken);
      if (whole || part_.size() == line_bytes_max) flush(line, true);
    }
  }
  template <class Line>
  void flush(Line line, bool also_empty = false) {
    if (!part_.empty() || also_empty) line(std::exchange(part_, {}));
  }

 private:
  std::string part_;
};

}  // namespace quell
