#include "storage/news.hpp"

#include <gtest/gtest.h>

#include "runtime/base/clock.hpp"
#include "storage/hints.hpp"

namespace quell::storage {
namespace {

std::vector<News> read_back(const std::vector<std::string>& hints) {
  std::vector<News> all;
  for (const std::string& hint : hints)
    for (News& one : news_in(hint)) all.push_back(std::move(one));
  return all;
}

std::vector<News> some(int n, IdSource& ids) {
  std::vector<News> all;
  for (int i = 0; i < n; ++i)
    all.push_back({i % 300 < 250 ? "job.deleted" : "job.created", ids.next(), i % 2 ? "a\nb" : "ü",
                   i % 7 ? "" : R"({"progress":0.5})"});
  all.push_back({"task.deleted", {}, {}, R"({"task_uuid":"x"})"});
  return all;
}

TEST(News, ComeBackAsTheyWereAndInTheirOrder) {
  IdSource ids(system_clock());
  const std::vector<News> news = some(1'000, ids);
  const auto hints = hints_of_news(news, hint_bytes);
  for (const std::string& hint : hints) {
    EXPECT_LE(hint.size(), hint_bytes);
    EXPECT_EQ(hint.find('\n'), std::string::npos);
  }
  EXPECT_EQ(read_back(hints), news);
}

TEST(News, OfOneKindGoTogether) {
  IdSource ids(system_clock());
  std::vector<News> news;
  for (int i = 0; i < 10'000; ++i) news.push_back({"job.deleted", ids.next(), "default", {}});
  const auto hints = hints_of_news(news, hint_bytes);
  EXPECT_LT(hints.size(), 60U);
  EXPECT_EQ(read_back(hints), news);
}

TEST(News, AreHeardBeforeTheHintsOfTheirCommit) {
  Batch batch;
  batch.tells_news = true;
  batch.hints = {{"watch:n"}};
  batch.task_erases.emplace_back();
  Outcome outcome;
  outcome.task_erases = {true};
  const auto texts = said_of(batch, outcome, hint_bytes);
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(news_in(texts[0]).at(0).type, "task.deleted");
  EXPECT_EQ(texts[1], "watch:n");
}

TEST(News, WhatIsTooMuchIsCalledLost) {
  IdSource ids(system_clock());
  Batch batch;
  batch.tells_news = true;
  Outcome outcome;
  for (int i = 0; i < 20'000; ++i) {
    batch.enqueues.emplace_back().job.id = ids.next();
    batch.enqueues.back().job.queue = std::to_string(i);
    outcome.enqueues.emplace_back();
  }
  EXPECT_EQ(said_of(batch, outcome, hint_bytes).at(0), news_lost_hint);
  EXPECT_EQ(hints_of_news({{"operation.updated", {}, {}, std::string(9'000, 'x')}}, hint_bytes),
            std::vector{std::string(news_lost_hint)});
}

TEST(News, OfWhatNobodyWroteThereAreNone) {
  EXPECT_TRUE(news_in("news:").empty());
  EXPECT_TRUE(news_in("news:[1,2").empty());
}

}  // namespace
}  // namespace quell::storage
