// The kinds of the project outside the tree, destroyed wherever they wait, as a delete would.
#include <gtest/gtest.h>

#include "greeting_kinds.hpp"
#include "runtime/task/test_job.hpp"

namespace greetings {
namespace {

using namespace quell;

Kind kind(const std::string& name) {
  Registry registry;
  add_kinds(registry);
  return *registry.find(name);
}

TEST(Greet, LeavesNothingWhenDestroyedAnywhere) {
  const auto script = [](TestJob& job) {
    job.answer();
    job.result();
  };
  const auto suspensions = destroyed_at_each_suspension(
      kind("greet"), R"({"name":"somebody with a name longer than a small string"})", script);
  ASSERT_TRUE(suspensions.ok()) << suspensions.error().detail;
  EXPECT_EQ(*suspensions, 1);
}

TEST(CountLetters, LeavesNothingWhenDestroyedAnywhere) {
  const auto script = [](TestJob& job) {
    job.run_offload();
    job.result();
  };
  const auto suspensions = destroyed_at_each_suspension(
      kind("count-letters"), R"({"text":"a text that is longer than a small string"})", script);
  ASSERT_TRUE(suspensions.ok()) << suspensions.error().detail;
  EXPECT_EQ(*suspensions, 1);
}

}  // namespace
}  // namespace greetings
