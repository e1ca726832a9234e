// Events do not depend on where the network cuts the stream, and hold no more bytes than came.
#include "runtime/outbound/sse_parser.hpp"

#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  Events whole, cut;
  SseParser one, other;
  const auto to = [](Events& events) {
    return [&events](SseEvent event) {
      events.emplace_back(std::move(event.type), std::move(event.data));
    };
  };
  hold(one.feed(text, to(whole)), "a small stream fits");
  one.finish(to(whole));
  fuzz::in_pieces(text, static_cast<unsigned>(size), [&](std::string_view piece) {
    hold(other.feed(piece, to(cut)), "so do its pieces");
  });
  other.finish(to(cut));
  hold(whole == cut, "the same events, however the stream is cut");
  std::size_t bytes = 0;
  for (const auto& [type, said] : whole) {
    bytes += type.size() + said.size();
    hold(type.find_first_of("\r\n") == std::string::npos, "a type is one line");
    hold(said.find('\r') == std::string::npos, "ends of lines are all the same");
  }
  hold(bytes <= size, "no byte is made up");
  return 0;
}
