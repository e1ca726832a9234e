#include "runtime/outbound/llm.hpp"

#include <nlohmann/json.hpp>

#include "runtime/kinds/arguments.hpp"
#include "runtime/kinds/standard.hpp"
#include "runtime/kinds/text.hpp"

namespace quell {

namespace {

constexpr Millis llm_timeout_max{std::chrono::hours{24}};
constexpr double price_max = 1e9;

void take_messages(Arguments& in, LlmRequest& request) {
  const auto* messages = in.value("messages");
  if (messages == nullptr || !messages->is_array() || messages->empty())
    return in.wrong("llm needs args.messages, an array of {\"role\",\"content\"}");
  for (const auto& message : *messages) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string())
      return in.wrong("each of args.messages must be an object with a role");
    request.message_json(message.dump());
  }
}

void take_prices(Arguments& in, LlmRequest& request) {
  const auto* prices = in.value("prices");
  if (prices == nullptr) return;
  const auto price = [&](const char* name) {
    const bool fits = prices->is_object() && prices->contains(name) && (*prices)[name].is_number();
    const double value = fits ? (*prices)[name].get<double>() : -1;
    if (value < 0 || value > price_max)
      in.wrong("args.prices must be {\"input\",\"output\"}: the price of a million tokens each");
    return value;
  };
  const double input = price("input"), output = price("output");
  request.prices(LlmPrices(input, output));
}

Result<LlmRequest> llm_request(const std::string& args) {
  Arguments in("llm", args);
  LlmRequest request(in.needed_text("model"));
  const std::string base_url = in.needed_text("base_url");
  if (!base_url.empty() && !base_url.starts_with("http://") && !base_url.starts_with("https://"))
    in.wrong("args.base_url must begin with http:// or https://");
  request.base_url(base_url).secret(in.text("secret", {}));
  take_messages(in, request);
  if (in.value("max_tokens") != nullptr)
    request.max_tokens(static_cast<int>(in.integer("max_tokens", 1, 1, 1 << 30)));
  if (const auto temperature = in.number("temperature", 0, 10)) request.temperature(*temperature);
  if (const auto* extra = in.value("extra"); extra != nullptr) {
    if (!extra->is_object()) in.wrong("args.extra must be an object of the provider's own fields");
    request.extra_json(extra->is_object() ? extra->dump() : std::string());
  }
  for (auto& [name, value] : in.text_pairs("headers")) {
    if (lower_case(name) == "authorization")
      in.wrong("args.headers must not hold a key: store it as a secret and name it in args.secret");
    request.header(name, value);
  }
  take_prices(in, request);
  request.timeout(in.seconds("timeout_s", Millis{600'000}, llm_timeout_max));
  if (in.value("idle_timeout_s") != nullptr)
    request.idle_timeout(in.seconds("idle_timeout_s", Millis{0}, llm_timeout_max));
  if (auto fine = in.verdict(); !fine) return fine.error();
  return request;
}

Task llm(JobContext job) {
  Result<LlmRequest> read = llm_request(job.args_text());
  if (!read) throw JobError("invalid-field", read.error().detail, false);
  LlmRequest request = std::move(read).value();
  LlmReply reply = co_await job.llm(std::move(request));
  co_return reply.json();
}

}  // namespace

Kind llm_kind() {
  Kind kind;
  kind.run = llm;
  kind.sentence =
      "Asks a language model by an OpenAI-compatible server; words come as they are said.";
  kind.check = [](const std::string& args) -> Result<void> {
    auto request = llm_request(args);
    if (!request) return request.error();
    return {};
  };
  return kind;
}

}  // namespace quell
