// A head that is accepted says one thing only: it reads the same when it is written anew from what
// was understood.
#include "http/server/framing.hpp"

#include "tests/fuzz/property.hpp"

using namespace quell::http;
using quell::fuzz::hold;

namespace {

bool is_inside(std::string_view piece, const std::string& whole) {
  return piece.empty() || (piece.data() >= whole.data() &&
                           piece.data() + piece.size() <= whole.data() + whole.size());
}

std::string written(const Head& head) {
  std::string text{head.request.method};
  text.append(" ").append(head.request.target).append(" HTTP/1.1\r\n");
  for (const Field& field : head.request.fields)
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  return text + "\r\n";
}

void hold_to_one_meaning(const Head& head, const HeadLimits& limits) {
  const Request& request = head.request;
  int hosts = 0, lengths = 0, encodings = 0;
  for (const Field& field : request.fields) {
    hold(is_inside(field.name, *request.head) && is_inside(field.value, *request.head),
         "a field shows a piece of the head");
    hold(field.value.find_first_of("\r\n") == std::string_view::npos, "no field hides a line");
    hosts += same_text(field.name, "host");
    lengths += same_text(field.name, "content-length");
    encodings += same_text(field.name, "transfer-encoding");
  }
  hold(hosts == 1, "one host");
  hold(lengths + encodings <= 1, "one way to end the body");
  hold(head.framing.content_length.has_value() == (lengths == 1), "a length is what was given");
  hold(head.framing.chunked == (encodings == 1), "chunked is what was given");
  hold(request.target.size() <= limits.uri && request.fields.size() <= limits.fields, "bounds");
  hold(request.target.substr(0, request.path.size()) == request.path, "the path begins the target");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string block{quell::fuzz::text_of(data, size)};
  const HeadLimits limits;
  const auto head = read_head(block, limits);
  if (!head) return 0;
  hold_to_one_meaning(*head, limits);
  const auto again = read_head(written(*head), {.header = 1 << 20});
  hold(again.ok(), "what was understood can be said again");
  hold(again->request.target == head->request.target, "the target stays");
  hold(again->request.fields.size() == head->request.fields.size(), "the fields stay");
  hold(again->framing.content_length == head->framing.content_length, "the length stays");
  std::vector<std::pair<std::string, std::string>> query;
  if (parse_query(head->request.query, query))
    for (const auto& [name, value] : query)
      hold(name.size() + value.size() <= head->request.query.size(), "decoding never grows");
  return 0;
}
