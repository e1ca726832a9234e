#include "runtime/policy/tomb_story.hpp"

#include <gmock/gmock.h>

namespace quell {
namespace {

AttemptRecord attempt(int n, const std::string& error = {}) {
  return {n,
          Instant{Millis{1'700'000'000'000 + n}},
          Instant{Millis{1'700'000'001'000 + n}},
          "error",
          error,
          "0198c2c0-0000-7000-8000-000000000001"};
}

std::string usage_of(int hosts) {
  EffectTally tally;
  for (int i = 0; i < hosts; ++i)
    tally.note("host" + std::to_string(i) + std::string(50, 'x'), 1'000'000'000'000ULL,
               1'000'000'000'000ULL, Millis{1'000'000'000'000});
  return usage_with("", tally);
}

TEST(TombStory, OfAJobWithNothingToTellIsNothing) {
  EXPECT_EQ(tomb_story({}), "");
  EXPECT_TRUE(read_story("").attempts.empty());
  EXPECT_TRUE(read_story("no json").attempts.empty());
  EXPECT_TRUE(read_story(R"({"a":[1,{}],"x":[["h"]],"d":"no"})").effects.empty());
}

TEST(TombStory, ComesBackAsItWasTold) {
  StoryFacts facts;
  facts.submitted_by = "token:ci#1";
  facts.attempts = {attempt(1, R"({"code":"timeout","detail":"secret"})"), attempt(2)};
  facts.usage = usage_of(1);
  facts.deliveries = 2;
  facts.delivery_tries = 5;
  const TombStory story = read_story(tomb_story(facts));
  EXPECT_EQ(story.submitted_by, facts.submitted_by);
  ASSERT_EQ(story.attempts.size(), 2U);
  EXPECT_EQ(story.attempts[0].code, "timeout");
  EXPECT_EQ(story.attempts[1].ended, facts.attempts[1].ended);
  EXPECT_EQ(story.attempts[1].node, facts.attempts[1].node);
  EXPECT_EQ(story.effects.size(), 1U);
  EXPECT_EQ(story.deliveries, 2);
  EXPECT_EQ(story.delivery_tries, 5);
}

TEST(TombStory, IsNeverLargerThanItSaysWhateverTheJobDid) {
  StoryFacts facts;
  facts.submitted_by = std::string(10'000, '\x01');
  for (int n = 1; n <= 1'000; ++n)
    facts.attempts.push_back(attempt(n, R"({"code":")" + std::string(32, 'c') + "\"}"));
  facts.usage = usage_of(50);
  facts.deliveries = facts.delivery_tries = std::int64_t{1} << 60;
  const std::string text = tomb_story(facts);
  EXPECT_LE(text.size(), story_bytes) << text;
  const TombStory story = read_story(text);
  EXPECT_EQ(story.attempts.size(), story_attempts);
  EXPECT_EQ(story.attempts.back().n, 1'000);
  EXPECT_EQ(story.attempts_left_out, 996);
  EXPECT_EQ(story.effects.size(), story_hosts);
}

TEST(TombStory, KeepsNoSentenceOfAnErrorAndNoOutcomeThatIsNone) {
  StoryFacts facts;
  AttemptRecord one = attempt(1, R"({"code":"call 555 to buy","detail":"x"})");
  one.outcome = "a sentence of somebody";
  one.node = "a node with words";
  facts.attempts = {one};
  const std::string text = tomb_story(facts);
  EXPECT_EQ(text.find("sentence"), std::string::npos) << text;
  EXPECT_EQ(text.find("555"), std::string::npos) << text;
  EXPECT_EQ(text.find("words"), std::string::npos) << text;
}

TEST(EffectTally, KeepsHostAndPortOfAUrlAndNothingElseOfIt) {
  EXPECT_EQ(host_of_url("https://user:pass@api.example.com:8443/secret?token=1#f"),
            "api.example.com:8443");
  EXPECT_EQ(host_of_url("http://[::1]:80/x"), "[::1]:80");
  EXPECT_EQ(host_of_url("http://a.example\\@b.example/"), "a.example");
  EXPECT_EQ(host_of_url("http:///path"), "(others)");
  EXPECT_EQ(host_of_url(std::string(1'000, 'h')), "(others)");
  EXPECT_EQ(host_of_url("http://\x01/"), "(others)");
}

TEST(EffectTally, SumsByHostAndPutsTheRestTogether) {
  EffectTally tally;
  for (int i = 0; i < 20; ++i) tally.note("h" + std::to_string(i % 12), 10, 1, Millis{2});
  ASSERT_EQ(tally.hosts().size(), tallied_hosts + 1);
  EXPECT_EQ(tally.hosts()[0].calls, 2);
  EXPECT_EQ(tally.hosts()[0].bytes_in, 20);
  std::int64_t calls = 0;
  for (const HostEffects& one : tally.hosts()) calls += one.calls;
  EXPECT_EQ(calls, 20);
  EXPECT_EQ(tally.hosts().back().host, "(others)");
}

TEST(EffectTally, StandsBesideWhatTheJobSaysItUsedAndComesBack) {
  EffectTally tally;
  tally.note("a.example", 7, 3, Millis{5});
  const std::string usage = usage_with(R"({"tokens":1})", tally);
  EXPECT_THAT(usage, testing::HasSubstr("\"tokens\":1"));
  EXPECT_EQ(effects_in(usage), tally.hosts());
  EXPECT_EQ(usage_with(R"({"tokens":1})", {}), R"({"tokens":1})");
  EXPECT_EQ(usage_with("[1]", tally), "[1]");
  EXPECT_TRUE(effects_in(R"({"effects":"x"})").empty());
  EXPECT_TRUE(effects_in(R"({"effects":[{"host":"http://a/secret"}]})").empty());
}

}  // namespace
}  // namespace quell
