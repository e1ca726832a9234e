#include "runtime/outbound/llm.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/task/task.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
constexpr std::size_t max_stream = std::size_t{256} << 20;  // some 200 bytes of wire a token

std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

LlmRequest& LlmRequest::message(const std::string& role, const std::string& text) & {
  messages_.push_back(written(Json{{"role", role}, {"content", text}}));
  return *this;
}

std::string LlmRequest::body() const {
  Json body = extra_.empty() ? Json::object() : json_from_outside(extra_);
  if (!body.is_object()) throw JobError("invalid-field", "extra is no JSON object", false);
  body["model"] = model_;
  body["messages"] = Json::array();
  for (const std::string& message : messages_) body["messages"].push_back(json_of_ours(message));
  if (max_tokens_) body["max_tokens"] = *max_tokens_;
  if (temperature_) body["temperature"] = *temperature_;
  body["stream"] = true;
  body["stream_options"] = Json{{"include_usage", true}};
  return written(body);
}

HttpRequest LlmRequest::http(Millis idle_timeout) const {
  std::string url = base_url_;
  while (url.ends_with('/')) url.pop_back();
  HttpRequest request(url + "/chat/completions");
  request.method("POST").body(body()).bearer_secret(secret_);
  request.header("Content-Type", "application/json").header("Accept", "text/event-stream");
  for (const auto& [name, value] : headers_) request.header(name, value);
  request.timeout(timeout_)
      .idle_timeout(idle_timeout_.value_or(idle_timeout))
      .max_body(max_stream)
      .redirects(0);
  return request;
}

// Four bytes a token is the providers' own rule of thumb.
std::int64_t LlmRequest::estimated_input_tokens() const {
  std::size_t bytes = 0;
  for (const std::string& message : messages_) bytes += message.size();
  return static_cast<std::int64_t>(bytes / 4);
}

std::string LlmReply::json() const {
  Json json{{"text", text_},
            {"model", model_},
            {"finish_reason", finish_reason_},
            {"usage",
             {{"input_tokens", usage_.input_tokens},
              {"output_tokens", usage_.output_tokens},
              {"estimated", usage_.estimated}}}};
  if (cost_) json["cost"] = *cost_;
  if (!tool_calls_.empty()) json["tool_calls"] = json_of_ours(tool_calls_);
  return written(json);
}

LlmReply LlmReply::from_json(const std::string& text) {
  const Json json = json_of_ours(text);
  LlmReply reply(json.at("model"), json.at("text"), json.at("finish_reason"));
  LlmUsage usage;
  usage.input_tokens = json.at("usage").at("input_tokens");
  usage.output_tokens = json.at("usage").at("output_tokens");
  usage.estimated = json.at("usage").at("estimated");
  std::optional<double> cost;
  if (json.contains("cost")) cost = json["cost"].get<double>();
  reply.used(usage, cost);
  if (json.contains("tool_calls")) reply.tool_calls(json["tool_calls"].dump());
  return reply;
}

}  // namespace quell
