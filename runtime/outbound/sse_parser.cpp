#include "runtime/outbound/sse_parser.hpp"

#include <utility>

namespace quell {

bool SseParser::feed(std::string_view piece, const Take& take) {
  while (!piece.empty()) {
    if (after_cr_ && piece.front() == '\n') piece.remove_prefix(1);  // the rest of a \r\n
    after_cr_ = false;
    const std::size_t end = piece.find_first_of("\r\n");
    line_ += piece.substr(0, end);
    if (line_.size() + event_.data.size() > most) return false;
    if (end == std::string_view::npos) return true;
    after_cr_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    end_line(take);
  }
  return true;
}

void SseParser::finish(const Take& take) {
  if (!line_.empty()) end_line(take);
  give(take);
}

void SseParser::end_line(const Take& take) {
  std::string_view line = line_;
  if (at_start_ && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  at_start_ = false;
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value;
  if (colon != std::string_view::npos) value = line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);

  if (line.empty()) {
    give(take);
  } else if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  } else if (field == "event") {
    event_.type = std::string(value);
  }
  line_.clear();
}

void SseParser::give(const Take& take) {
  SseEvent event = std::move(event_);
  event_ = {};
  if (std::exchange(has_data_, false)) take(std::move(event));
}

}  // namespace quell
