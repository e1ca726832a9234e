// A conversation with a language model behind an OpenAI-compatible server, as a request and a
// reply. The key is named, never carried: the host puts the secret's value into the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/settings/setting_types.hpp"
#include "runtime/task/effects.hpp"

namespace quell {

// What a million tokens cost, in whatever currency the job's owner counts.
class LlmPrices {
 public:
  LlmPrices() = default;
  LlmPrices(double input, double output) : input_(input), output_(output), known_(true) {}
  bool known() const { return known_; }
  double cost(std::int64_t input_tokens, std::int64_t output_tokens) const {
    return (input_ * static_cast<double>(input_tokens) +
            output_ * static_cast<double>(output_tokens)) /
           1e6;
  }

 private:
  double input_ = 0, output_ = 0;
  bool known_ = false;
};

class LlmRequest {
 public:
  explicit LlmRequest(std::string model) : model_(std::move(model)) {}

  LlmRequest& base_url(std::string value) & { return base_url_ = std::move(value), *this; }
  LlmRequest& secret(std::string name) & { return secret_ = std::move(name), *this; }
  LlmRequest& system(const std::string& text) & { return message("system", text); }
  LlmRequest& user(const std::string& text) & { return message("user", text); }
  LlmRequest& assistant(const std::string& text) & { return message("assistant", text); }
  LlmRequest& message(const std::string& role, const std::string& text) &;
  LlmRequest& message_json(std::string object) & {  // images, tool results: as the provider says
    return messages_.push_back(std::move(object)), *this;
  }
  LlmRequest& max_tokens(int value) & { return max_tokens_ = value, *this; }
  LlmRequest& temperature(double value) & { return temperature_ = value, *this; }
  LlmRequest& extra_json(std::string object) & { return extra_ = std::move(object), *this; }
  LlmRequest& header(std::string name, std::string value) & {
    return headers_.emplace_back(std::move(name), std::move(value)), *this;
  }
  LlmRequest& timeout(Millis value) & { return timeout_ = value, *this; }
  LlmRequest& idle_timeout(Millis value) & { return idle_timeout_ = value, *this; }
  LlmRequest& prices(LlmPrices value) & { return prices_ = value, *this; }

  LlmRequest&& base_url(std::string v) && { return std::move(base_url(std::move(v))); }
  LlmRequest&& secret(std::string v) && { return std::move(secret(std::move(v))); }
  LlmRequest&& system(const std::string& v) && { return std::move(system(v)); }
  LlmRequest&& user(const std::string& v) && { return std::move(user(v)); }
  LlmRequest&& assistant(const std::string& v) && { return std::move(assistant(v)); }
  LlmRequest&& max_tokens(int v) && { return std::move(max_tokens(v)); }
  LlmRequest&& temperature(double v) && { return std::move(temperature(v)); }
  LlmRequest&& extra_json(std::string v) && { return std::move(extra_json(std::move(v))); }
  LlmRequest&& timeout(Millis v) && { return std::move(timeout(v)); }
  LlmRequest&& idle_timeout(Millis v) && { return std::move(idle_timeout(v)); }
  LlmRequest&& prices(LlmPrices v) && { return std::move(prices(v)); }

  const std::string& model() const { return model_; }
  LlmPrices prices() const { return prices_; }
  // The call that it is, streamed; `idle_timeout` is the node's, for a request that says none.
  HttpRequest http(Millis idle_timeout = setting_default::llm_idle_timeout) const;
  std::int64_t estimated_input_tokens() const;  // until the provider says

 private:
  std::string body() const;

  std::string model_, base_url_ = "https://api.openai.com/v1", secret_;
  std::vector<std::string> messages_;  // JSON objects
  std::optional<int> max_tokens_;
  std::optional<double> temperature_;
  std::string extra_;
  Headers headers_;
  Millis timeout_{600'000};
  std::optional<Millis> idle_timeout_;
  LlmPrices prices_;
};

// Tokens as the provider counted them, or as we did while it had not said.
struct LlmUsage {
  std::int64_t input_tokens = 0, output_tokens = 0;
  bool estimated = true;
};

class LlmReply {
 public:
  LlmReply() = default;
  LlmReply(std::string model, std::string text, std::string finish_reason)
      : model_(std::move(model)),
        text_(std::move(text)),
        finish_reason_(std::move(finish_reason)) {}
  LlmReply& used(LlmUsage usage, std::optional<double> cost) & {
    return usage_ = usage, cost_ = cost, *this;
  }
  LlmReply& tool_calls(std::string json) & { return tool_calls_ = std::move(json), *this; }

  const std::string& model() const { return model_; }
  const std::string& text() const { return text_; }
  const std::string& finish_reason() const { return finish_reason_; }
  const std::string& tool_calls() const { return tool_calls_; }  // JSON array, or ""
  const LlmUsage& usage() const { return usage_; }
  std::optional<double> cost() const { return cost_; }

  std::string json() const;
  static LlmReply from_json(const std::string& text);  // of our own writing

 private:
  std::string model_, text_, finish_reason_, tool_calls_;
  LlmUsage usage_;
  std::optional<double> cost_;
};

}  // namespace quell
