#include "docs/examples/summary_kinds.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/task/test_job.hpp"

namespace summaries {
namespace {

using namespace quell;

const char* const args =
    R"({"url":"http://page.example/","base_url":"http://llm.example/v1","model":"small"})";
const char* const words =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Short.\"},\"finish_reason\":\"stop\"}]}\n\n"
    "data: [DONE]\n\n";

Kind kind(const std::string& name) {
  Registry registry;
  add_kinds(registry);
  return *registry.find(name);
}

// snippet: test
TEST(Summarize, FetchesAsksAndRemembers) {
  TestJob job(kind("summarize"), args);
  EXPECT_EQ(job.asked<HttpRequest>().url(), "http://page.example/");
  job.answer(HttpReply(200, {}, "a long page"));
  EXPECT_NE(job.asked<StreamRequest>().http.body().find("a long page"), std::string::npos);
  job.head(HttpReply(200, {{"Content-Type", "text/event-stream"}}, ""));
  job.piece(words);
  EXPECT_NE(job.result().find("Short."), std::string::npos);
  EXPECT_EQ(job.steps().front().first, "summary");
}

TEST(Summarize, LeavesNothingWhenDestroyedAnywhere) {
  const auto script = [](TestJob& job) {
    job.answer(HttpReply(200, {}, "a long page"));
    job.head(HttpReply(200, {{"Content-Type", "text/event-stream"}}, ""));
    job.piece(words);
    job.result();
  };
  const auto suspensions = destroyed_at_each_suspension(kind("summarize"), args, script);
  ASSERT_TRUE(suspensions.ok()) << suspensions.error().detail;
  EXPECT_EQ(*suspensions, 4);
}
// end

TEST(Summarize, SaysAtSubmitWhatIsMissing) {
  const auto checked = kind("summarize").check(R"({"url":"http://page.example/"})");
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().detail, "args.base_url is missing");
}

TEST(Summarize, GivesUpOnAPageThatIsNotThere) {
  TestJob job(kind("summarize"), args);
  job.answer(HttpReply(404, {}, ""));
  try {
    job.result();
    FAIL() << "it went on";
  } catch (const JobError& error) {
    EXPECT_FALSE(error.retryable());
  }
}

TEST(CountWords, CountsOnAThreadOfItsOwn) {
  const auto path = std::filesystem::temp_directory_path() / "quell-example-words.txt";
  std::ofstream(path) << "one two\nthree\n";
  TestJob job(kind("count-words"), "{\"path\":\"" + path.string() + "\"}");
  ASSERT_TRUE(job.asks<OffloadRequest>());
  job.run_offload();
  EXPECT_EQ(job.result(), "3");
  std::filesystem::remove(path);
}

TEST(CountWords, LeavesNothingWhenDestroyedAnywhere) {
  const auto suspensions = destroyed_at_each_suspension(
      kind("count-words"), R"({"path":"/a/path/that/is/longer/than/a/small/string"})",
      [](TestJob& job) {
        job.run_offload();
        job.result();
      });
  ASSERT_TRUE(suspensions.ok()) << suspensions.error().detail;
  EXPECT_EQ(*suspensions, 1);
}

}  // namespace
}  // namespace summaries
