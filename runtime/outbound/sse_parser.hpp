// Server-sent events out of whatever pieces the network cuts a stream into: the form in which
// language models send their words.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace quell {

struct SseEvent {
  std::string type;  // "" means "message"
  std::string data;  // lines joined by \n
};

// As the HTML standard says, 9.2.6, save ids and reconnection times: lines end with \n, \r\n or \r,
// comments begin with ':', an event ends with an empty line.
class SseParser {
 public:
  using Take = std::function<void(SseEvent)>;

  // False: an event is larger than `most` bytes; nothing more can be read.
  bool feed(std::string_view piece, const Take& take);
  // The stream is over: an event that lacks only its empty line is given out.
  void finish(const Take& take);

  static constexpr std::size_t most = std::size_t{4} << 20;

 private:
  void end_line(const Take& take);
  void give(const Take& take);

  std::string line_;
  SseEvent event_;
  bool has_data_ = false, after_cr_ = false, at_start_ = true;
};

}  // namespace quell
