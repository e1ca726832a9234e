// Webhooks when the answer to a commit is late or lost: what a node has claimed it sends or gives
// back, never both, and after its mark it sends nothing.
#include <gtest/gtest.h>

#include <deque>

#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

// Readers that are busy until they are let go on.
class HeldReaders final : public ReaderPool {
 public:
  explicit HeldReaders(std::unique_ptr<storage::Reader> reader) : reader_(std::move(reader)) {}
  void run(Work work) override { waiting_.push_back(std::move(work)); }
  void let_go() {
    while (!waiting_.empty()) {
      const Work work = std::move(waiting_.front());
      waiting_.pop_front();
      work(*reader_);
    }
  }

 private:
  std::unique_ptr<storage::Reader> reader_;
  std::deque<Work> waiting_;
};

class CourierDoubt : public testing::Test {
 protected:
  // A job that waits for tomorrow, with a message that goes out now.
  JobId told() {
    return stage.submit(
        "one", [this](NewJob& job) { job.run_at = stage.clock.now() + a_day; }, true);
  }
  StageEffects& effects() { return stage.life().effects; }
  storage::DeliveryView delivery_of(JobId id) {
    return std::move(stage.reader().deliveries(id)).value().at(0);
  }
  std::size_t times_sent(JobId id) {
    std::size_t n = 0;
    for (const HttpRequest& one : effects().delivered)
      for (const auto& [name, value] : one.headers())
        n += name == "webhook-id" && value == delivery_id(id).text() ? 1 : 0;
    return n;
  }
  static Uuid delivery_id(JobId id) {
    id.bytes[0] = 0xd0;
    return id;
  }
  // The answer to the first batch that is meant does not arrive.
  void lose_answer(std::function<bool(const storage::Batch&)> is_meant) {
    auto lost = std::make_shared<bool>(false);
    stage.fate = [lost, is_meant = std::move(is_meant)](const storage::Batch& batch) {
      if (*lost || !is_meant(batch)) return storage::CommitFate{};
      *lost = true;
      return storage::CommitFate{storage::CommitFate::Kind::commit_and_lose_answer,
                                 Error{ErrorCode::store_unavailable, "away"}};
    };
  }
  // As another node does it: nothing of it passes this one's Clerk.
  void mark_elsewhere(JobId id) {
    storage::Batch batch;
    batch.marks.push_back({.delete_id = delivery_id(id),
                           .who = "another node",
                           .reason = {},
                           .path = {},
                           .now = stage.clock.now(),
                           .jobs = {id},
                           .tomb_until = stage.clock.now() + a_day});
    auto writer = std::move(stage.store().open_writer()).value();
    ASSERT_TRUE(writer->apply(batch).ok());
  }
  void end_all_flights() {
    for (int i = 0; i < 10; ++i) {
      stage.land_deliveries();
      stage.run();
      stage.turn(Millis{600});
      stage.run();
    }
  }

  static constexpr Millis a_day{86'400'000};
  Stage stage;
};

TEST_F(CourierDoubt, ADeliveryHeardOfAfterItsMarkIsNotSent) {
  std::vector<Verdict> said;
  bool held = false;
  JobId id;
  stage.fate = [&](const storage::Batch& batch) {
    for (const auto& op : batch.verdicts) said.push_back(op.verdict);
    storage::CommitFate fate;
    if (batch.delivery_claims.empty() || std::exchange(held, true)) return fate;
    fate.committed = [&] {
      mark_elsewhere(id);
      tell(stage.context().courier, MarkedDeliveries{{{id, delivery_id(id)}}});
      stage.run();
    };
    return fate;
  };
  id = told();
  stage.run();
  ASSERT_TRUE(held);
  EXPECT_EQ(times_sent(id), 0u);
  EXPECT_TRUE(stage.has_tomb(id));
  EXPECT_EQ(said, (std::vector{Verdict::not_running, Verdict::not_started}));
  EXPECT_TRUE(stage.wrong.empty());
}

TEST_F(CourierDoubt, WhatAnUnheardClaimBroughtIsNotBothGivenBackAndSent) {
  lose_answer([](const storage::Batch& batch) { return !batch.delivery_claims.empty(); });
  const JobId first = told();
  stage.run();
  ASSERT_TRUE(delivery_of(first).in_flight);
  ASSERT_EQ(times_sent(first), 0u);
  HeldReaders readers(std::move(stage.store().open_reader()).value());
  ReaderPool* const usual = std::exchange(stage.context().readers, &readers);
  const JobId second = told();
  stage.run();
  // The next answer is late, and before it comes the readers have seen the commit.
  stage.fate = [&](const storage::Batch& batch) {
    storage::CommitFate fate;
    if (batch.delivery_claims.empty()) return fate;
    fate.committed = [&] {
      readers.let_go();
      stage.run();
    };
    return fate;
  };
  const JobId third = told();
  stage.run();
  readers.let_go();
  stage.run();
  stage.context().readers = usual;
  readers.let_go();
  stage.fate = {};
  end_all_flights();
  for (const JobId& id : {first, second, third}) {
    EXPECT_EQ(times_sent(id), 1u);
    EXPECT_FALSE(delivery_of(id).in_flight);
    EXPECT_FALSE(delivery_of(id).due.has_value());
  }
}

TEST_F(CourierDoubt, AnEndThatMayHaveArrivedEndsNoLaterAttempt) {
  const JobId id = told();
  stage.run();
  lose_answer([](const storage::Batch& batch) { return !batch.delivery_ends.empty(); });
  ASSERT_TRUE(effects().end_delivery());
  stage.run();
  ASSERT_FALSE(delivery_of(id).in_flight) << "it has arrived";
  auto again = std::make_shared<storage::Batch>();
  again->redeliveries.push_back({delivery_id(id), stage.clock.now()});
  stage.write(std::move(again));
  stage.run();
  stage.turn(Millis{600});
  stage.run();
  ASSERT_NE(effects().delivery(), nullptr);
  EXPECT_TRUE(delivery_of(id).in_flight) << "it is on its way";
  const auto call = stage.erase({id});
  stage.run();
  EXPECT_TRUE(call->answered());
  EXPECT_EQ(stage.wrong, std::vector<std::string>{});
}

}  // namespace
}  // namespace quell
