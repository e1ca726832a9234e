#include "http/server/accept.hpp"

#include <gtest/gtest.h>

namespace quell::http {
namespace {

const std::vector<std::string> json{"application/json", "application/problem+json"};

TEST(Accept, TakesAllWhenTheCallerSaysNothingOrAnything) {
  for (const char* all :
       {"", " ", "*/*", "text/html, */*;q=0.1", "application/*", "APPLICATION/JSON",
        "application/json;charset=utf-8", "image/png,application/problem+json"})
    EXPECT_TRUE(accepts(all, json)) << all;
}

TEST(Accept, TakesNothingThatIsNotNamedOrIsRefused) {
  for (const char* none : {"image/png", "text/*", "application/jsonx", "application/json;q=0",
                           "*/*;q=0.000", "application/*;q=0,*/*", "nonsense", ",", ";q=1"})
    EXPECT_FALSE(accepts(none, {"application/json"})) << none;
}

TEST(Accept, TheClosestRangeDecides) {
  EXPECT_TRUE(accepts("*/*;q=0, application/json", json));
  EXPECT_TRUE(accepts("application/json;q=0, */*", json)) << "the other type is taken";
  EXPECT_FALSE(accepts("application/json;q=0, */*", {"application/json"}));
}

}  // namespace
}  // namespace quell::http
