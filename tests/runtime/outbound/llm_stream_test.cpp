// What a provider may make of a reply, whatever it sends.
#include "runtime/outbound/llm_stream.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

LlmStream stream() {
  return LlmStream(LlmRequest("m").user("hello").prices(LlmPrices(3, 15)));
}

std::string event(const std::string& data) {
  return "data: " + data + "\n\n";
}

TEST(LlmStream, CountsNoTokensBelowZero) {
  for (const char* count : {"-5", "18446744073709551615", "9223372036854775808"}) {
    LlmStream reply = stream();
    const std::int64_t asked = reply.usage().input_tokens;
    const std::string text{count};
    reply.feed(
        event(R"({"usage":{"prompt_tokens":)" + text + R"(,"completion_tokens":)" + text + "}}"));
    EXPECT_EQ(reply.usage().input_tokens, asked) << count;
    EXPECT_EQ(reply.usage().output_tokens, 0) << count;
    EXPECT_GE(reply.cost().value_or(0), 0) << count;
  }
}

// A stream may run for ten minutes: what it fills is bounded, whichever part of a reply it is.
TEST(LlmStream, BoundsItsToolCallsAsItsWords) {
  const std::string more(400 << 10, 'x');
  const std::string call = R"({"choices":[{"delta":{"tool_calls":[{"id":")" + more +
                           R"(","function":{"name":")" + more + R"(","arguments":")" + more +
                           R"("}}]}}]})";
  LlmStream reply = stream();
  int taken = 0;
  EXPECT_THROW(for (; taken < 20; ++taken) reply.feed(event(call)), JobError);
  EXPECT_EQ(taken, 13);  // 16 MiB of 1.2 MiB each
}

TEST(LlmStream, BoundsTheNumberOfItsToolCalls) {
  LlmStream reply = stream();
  EXPECT_THROW(
      for (int piece = 0; piece < 400; ++piece) {
        std::string calls;
        for (int i = 0; i < 1000; ++i)
          calls.append(calls.empty() ? "" : ",")
              .append(R"({"index":)" + std::to_string(piece * 1000 + i) + "}");
        reply.feed(event(R"({"choices":[{"delta":{"tool_calls":[)" + calls + "]}}]}"));
      },
      JobError);
}

}  // namespace
}  // namespace quell
