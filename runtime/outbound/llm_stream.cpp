#include "runtime/outbound/llm_stream.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
constexpr std::size_t max_text = std::size_t{16} << 20;

std::string text_at(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// What cannot be a count is not one: below zero it would lower what a job is said to have cost.
std::int64_t count_at(const Json& object, const char* name, std::int64_t fallback) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_number_integer()) return fallback;
  const auto count = at->get<std::int64_t>();
  return count < 0 ? fallback : count;  // also one beyond 64 bits, which the cast makes negative
}

[[noreturn]] void throw_fault(const Json& fault) {
  const std::string said = fault.is_object() ? text_at(fault, "message") : fault.dump();
  const std::string type = fault.is_object() ? text_at(fault, "type") : std::string();
  const bool hopeless = type == "invalid_request_error" || type == "insufficient_quota";
  throw JobError("outbound-failed", "the provider reports: " + said, !hopeless);
}

}  // namespace

void LlmStream::feed(const std::string& piece) {
  const bool fits = parser_.feed(piece, [this](const SseEvent& event) { take(event); });
  if (!fits) throw JobError("outbound-failed", "the provider sent an event without end", false);
  if (text_.size() + tool_bytes_ > max_text)
    throw JobError("outbound-failed", "the reply is longer than 16 MiB", false);
}

void LlmStream::finish() {
  parser_.finish([this](const SseEvent& event) { take(event); });
}

void LlmStream::take(const SseEvent& event) {
  if (done_) return;
  if (event.data == "[DONE]") {
    done_ = true;
    return;
  }
  const Json chunk = json_from_outside(event.data);
  // Not ours to judge: some providers send pings and notes between the chunks.
  if (!chunk.is_object()) return;
  if (chunk.contains("error") && !chunk["error"].is_null()) throw_fault(chunk["error"]);
  if (const std::string model = text_at(chunk, "model"); !model.empty()) model_ = model;
  const auto choices = chunk.find("choices");
  if (choices != chunk.end() && choices->is_array())
    for (const Json& choice : *choices)
      if (choice.is_object() && count_at(choice, "index", 0) == 0) take_choice(choice);
  if (const auto usage = chunk.find("usage"); usage != chunk.end()) take_usage(*usage);
}

void LlmStream::take_choice(const Json& choice) {
  if (const std::string why = text_at(choice, "finish_reason"); !why.empty()) finish_reason_ = why;
  const auto delta = choice.find(choice.contains("message") ? "message" : "delta");
  if (delta == choice.end() || !delta->is_object()) return;
  const std::string words = text_at(*delta, "content");
  text_ += words;
  const bool thought = !text_at(*delta, "reasoning_content").empty();  // paid for, not shown
  const auto calls = delta->find("tool_calls");
  const bool called = calls != delta->end() && calls->is_array();
  if (called) take_tool_calls(*calls);
  // One delta is about one token: near enough until the provider says.
  if (usage_.estimated && (!words.empty() || thought || called)) ++usage_.output_tokens;
}

void LlmStream::take_tool_calls(const Json& calls) {
  for (const Json& call : calls) {
    if (!call.is_object()) continue;
    const auto index = static_cast<int>(count_at(call, "index", std::ssize(tool_calls_)));
    const auto [at, is_new] = tool_calls_.try_emplace(index);
    ToolCall& known = at->second;
    if (is_new) tool_bytes_ += sizeof known;
    if (const std::string id = text_at(call, "id"); !id.empty()) {
      tool_bytes_ += id.size();
      known.id = id;
    }
    const auto function = call.find("function");
    if (function == call.end() || !function->is_object()) continue;
    const std::string name = text_at(*function, "name"), words = text_at(*function, "arguments");
    tool_bytes_ += name.size() + words.size();
    known.name += name;
    known.arguments += words;
  }
}

void LlmStream::take_usage(const Json& usage) {
  if (!usage.is_object()) return;
  usage_.input_tokens = count_at(usage, "prompt_tokens", usage_.input_tokens);
  usage_.output_tokens = count_at(usage, "completion_tokens", usage_.output_tokens);
  usage_.estimated = false;
}

void LlmStream::whole_reply(const std::string& body) {
  if (!json_from_outside(body).is_object())
    throw JobError("outbound-failed", "the provider's reply is not what it says: no JSON object");
  SseEvent event;
  event.data = body;
  take(event);
  done_ = true;
}

std::optional<double> LlmStream::cost() const {
  if (!prices_.known()) return std::nullopt;
  return prices_.cost(usage_.input_tokens, usage_.output_tokens);
}

std::string LlmStream::tool_calls_json() const {
  if (tool_calls_.empty()) return {};
  Json calls = Json::array();
  for (const auto& [index, call] : tool_calls_) {
    const Json function{{"name", call.name}, {"arguments", call.arguments}};
    calls.push_back({{"id", call.id}, {"type", "function"}, {"function", function}});
  }
  return calls.dump(-1, ' ', false, Json::error_handler_t::replace);
}

LlmReply LlmStream::reply() const {
  LlmReply reply(model_, text_, finish_reason_);
  reply.used(usage_, cost()).tool_calls(tool_calls_json());
  return reply;
}

std::string LlmStream::so_far() const {
  return fmt::format("{} bytes of text (about {} tokens)", text_.size(), usage_.output_tokens);
}

}  // namespace quell
