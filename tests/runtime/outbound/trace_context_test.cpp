#include "runtime/outbound/trace_context.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, TakesWhatTheStandardCallsValidAndNothingElse) {
  EXPECT_EQ(traceparent_of(good), good);
  EXPECT_EQ(traceparent_of("cc" + good.substr(2) + "-what-comes-later"), "cc" + good.substr(2));
  for (const std::string& bad :
       {std::string{}, good.substr(1), good + "-more", good + "0", "ff" + good.substr(2),
        "cc" + good.substr(2) + "x",
        std::string{"00-00000000000000000000000000000000-"} + good.substr(36),
        good.substr(0, 36) + "0000000000000000-01", "0x" + good.substr(2),
        good.substr(0, 53) + "0g", "00-4BF92F3577B34DA6A3CE929D0E0E4736" + good.substr(35),
        std::string(55, '-'), std::string(55, 'a')})
    EXPECT_EQ(traceparent_of(bad), "") << bad;
}

TEST(TraceContext, GoesWithCallsAndStreamsThatSayNothingThemselves) {
  EffectRequest call = HttpRequest("http://a/");
  pass_trace_on(call, good);
  ASSERT_EQ(std::get<HttpRequest>(call).headers().size(), 1u);
  EXPECT_EQ(std::get<HttpRequest>(call).headers().front().second, good);

  EffectRequest stream = StreamRequest{HttpRequest("http://a/")};
  pass_trace_on(stream, good);
  EXPECT_EQ(std::get<StreamRequest>(stream).http.headers().size(), 1u);

  HttpRequest own("http://a/");
  own.header("TraceParent", "mine");
  EffectRequest keeps = own;
  pass_trace_on(keeps, good);
  EXPECT_EQ(std::get<HttpRequest>(keeps).headers().front().second, "mine");
  EXPECT_EQ(std::get<HttpRequest>(keeps).headers().size(), 1u);

  EffectRequest without = HttpRequest("http://a/");
  pass_trace_on(without, "");
  EXPECT_TRUE(std::get<HttpRequest>(without).headers().empty());
}

}  // namespace
}  // namespace quell
