// Limits across a fleet: eight connections, one queue. What the database shows at any moment is
// within the limits, and all work gets done.
#include <atomic>
#include <thread>

#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

class PostgresLimits : public PostgresDatabase {
 protected:
  void submit_keys(Writer& writer, int keys, int each) {
    Batch batch;
    for (int i = 0; i < each; ++i)
      for (int key = 0; key < keys; ++key) {
        batch.enqueues.push_back(submit());
        batch.enqueues.back().job.options.limit_key = "key" + std::to_string(key);
      }
    applied(writer, batch);
  }
  FinishOp finish_op(const ClaimedJob& job) {
    FinishOp op;
    op.job = job.job;
    op.epoch = job.epoch;
    op.event = JobEvent::succeed;
    op.now = now();
    return op;
  }
  // Claims and finishes until `jobs` are done; each batch ends what the one before began.
  void work(Store& store, const QueueLimits& limits, std::atomic<int>& left) {
    const auto writer = writer_of(store);
    const NodeLife node = started(*writer);
    Batch batch;
    while (left > 0) {
      ClaimOp op{"default", 5, node, now(), limits};
      batch.claims = {op};
      const Outcome out = applied(*writer, batch);
      left -= static_cast<int>(batch.finishes.size());
      batch = {};
      for (const ClaimedJob& job : out.claims[0]) batch.finishes.push_back(finish_op(job));
    }
  }
};

TEST_F(PostgresLimits, NeverDoMoreRunThanTheLimitsOnEightConnections) {
  constexpr int keys = 10, each = 30;
  const auto store = opened();
  const auto first = writer_of(*store);
  submit_keys(*first, keys, each);
  QueueLimits limits;
  limits.concurrency = 7;
  limits.per_key = 2;
  std::atomic<int> left = keys * each;
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i) all.emplace_back([&] { work(*store, limits, left); });
  SqlPrompt hand(url());
  int most = 0, most_of_key = 0, looks = 0;
  while (left > 0) {
    const pqxx::result row = hand.run(
        "SELECT coalesce(sum(n), 0), coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM live"
        " WHERE place = 2 GROUP BY lkey) k");
    most = std::max(most, row[0][0].as<int>());
    most_of_key = std::max(most_of_key, row[0][1].as<int>());
    ++looks;
  }
  for (std::thread& one : all) one.join();
  EXPECT_LE(most, 7);
  EXPECT_LE(most_of_key, 2);
  EXPECT_GT(most, 0) << looks;
  EXPECT_EQ(ask("SELECT count(*) FROM live"), "0");
  EXPECT_EQ(ask("SELECT count(*) FROM job WHERE state = 1"), std::to_string(keys * each));
  EXPECT_EQ(reader_of(*store)->orphans().value(), std::vector<std::string>{});
}

// One clock for all: it stands while eight connections claim, so one bucket is all they may have.
TEST_F(PostgresLimits, EightConnectionsShareOneBucket) {
  const auto store = opened();
  const auto first = writer_of(*store);
  submit_keys(*first, 1, 500);
  QueueLimits limits;
  limits.rate = {40, 10};
  std::atomic<int> total = 0;
  for (int round = 0; round < 3; ++round) {
    total = 0;
    const Instant at = now() + std::chrono::seconds(5 * round);
    std::vector<std::thread> all;
    for (int i = 0; i < 8; ++i)
      all.emplace_back([&] {
        const auto writer = writer_of(*store);
        const NodeLife node = started(*writer);
        for (int turn = 0; turn < 10; ++turn) {
          Batch batch;
          batch.claims = {ClaimOp{"default", 3, node, at, limits}};
          total += static_cast<int>(applied(*writer, batch).claims[0].size());
        }
      });
    for (std::thread& one : all) one.join();
    EXPECT_EQ(total, round == 0 ? 40 : 20) << round;
  }
}

}  // namespace
}  // namespace quell::storage
