// A streamed reply does not depend on where the network cuts it; its tokens and its cost are never
// below zero, it is not larger than what came, and its stored form reads back as it was.
#include "runtime/outbound/llm_stream.hpp"

#include <nlohmann/json.hpp>

#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

namespace {

LlmRequest request() {
  return LlmRequest("m").user("hello").prices(LlmPrices(3, 15));
}

// The provider's fault, or "".
std::string fed(LlmStream& stream, const std::vector<std::string>& pieces) {
  try {
    for (const std::string& piece : pieces) stream.feed(piece);
    stream.finish();
  } catch (const JobError& fault) {
    return fault.code() + fault.detail();
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<std::string> pieces;
  fuzz::in_pieces(text, static_cast<unsigned>(size),
                  [&](std::string_view piece) { pieces.emplace_back(piece); });
  LlmStream whole(request()), cut(request());
  const std::string fault = fed(whole, {std::string(text)});
  hold(fault == fed(cut, pieces), "the same fault, however the stream is cut");
  const LlmReply reply = whole.reply();
  hold(reply.json() == cut.reply().json(), "the same reply, however the stream is cut");
  hold(reply.usage().input_tokens >= 0 && reply.usage().output_tokens >= 0, "no tokens below zero");
  hold(reply.cost().value_or(0) >= 0, "no cost below zero");
  hold(reply.text().size() <= size, "no word is made up");
  hold(LlmReply::from_json(reply.json()).json() == reply.json(), "it reads back as it was written");
  return 0;
}
