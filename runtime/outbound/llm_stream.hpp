// Makes a reply out of the events of a streamed chat completion, and knows at every moment what has
// come so far: a stream that is stopped has cost money too.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/outbound/llm.hpp"
#include "runtime/outbound/sse_parser.hpp"
#include "runtime/task/task.hpp"

namespace quell {

class LlmStream {
 public:
  explicit LlmStream(const LlmRequest& request)
      : model_(request.model()), prices_(request.prices()) {
    usage_.input_tokens = request.estimated_input_tokens();
  }

  // Takes a piece of the body; throws JobError when the provider reports a fault in it.
  void feed(const std::string& piece);
  void finish();                              // the body is over
  void whole_reply(const std::string& body);  // of a server that does not stream

  bool complete() const { return done_ || !finish_reason_.empty(); }
  bool done() const { return done_; }  // the provider said that nothing follows
  const std::string& text() const { return text_; }
  const LlmUsage& usage() const { return usage_; }
  std::optional<double> cost() const;
  LlmReply reply() const;
  // "1234 bytes of text (about 310 tokens)", for the error of a stream that was cut.
  std::string so_far() const;

 private:
  struct ToolCall {
    std::string id, name, arguments;
  };
  void take(const SseEvent& event);
  void take_choice(const nlohmann::json& choice);
  void take_tool_calls(const nlohmann::json& calls);
  void take_usage(const nlohmann::json& usage);
  std::string tool_calls_json() const;

  SseParser parser_;
  std::string model_, text_, finish_reason_;
  std::map<int, ToolCall> tool_calls_;
  std::size_t tool_bytes_ = 0;  // of all of them, for the same bound as the text
  LlmPrices prices_;
  LlmUsage usage_;
  bool done_ = false;
};

}  // namespace quell
