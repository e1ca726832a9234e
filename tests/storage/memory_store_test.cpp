// What only the memory store can do: fail on demand.
#include "storage/memory/memory_store.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/storage/conformance/manual_clock.hpp"

namespace quell::storage {
namespace {

class MemoryStoreTest : public testing::Test {
 protected:
  MemoryStoreTest() {
    OpenOptions options;
    options.unsafe = true;
    store_ = open_memory(options).value();
    writer_ = store_->open_writer().value();
    reader_ = store_->open_reader().value();
  }
  Batch one_job() {
    NewJob job;
    job.id = ids_.next();
    job.kind = "noop";
    Batch batch;
    batch.enqueues.push_back({job, clock_.now()});
    return batch;
  }
  std::size_t jobs() { return reader_->list(ListQuery{})->jobs.size(); }

  ManualClock clock_;
  IdSource ids_{clock_};
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;
};

TEST_F(MemoryStoreTest, IsOpenedByItsAddressAndOnlyWhenUnsafe) {
  const auto refused = open_store("memory:", {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  OpenOptions options;
  options.unsafe = true;
  const auto opened = open_store("memory:", options);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ((*opened)->at_best(), Durability::none);
  EXPECT_FALSE((*opened)->shared());
  EXPECT_FALSE(open_store("nonsense:", options).ok());
}

TEST_F(MemoryStoreTest, ARefusedBatchWritesNothingAndSaysWhy) {
  store_->on_commit([](const Batch&) {
    return CommitFate{CommitFate::Kind::refuse, {ErrorCode::store_full, "no room"}};
  });
  const auto refused = writer_->apply(one_job());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::store_full);
  EXPECT_EQ(jobs(), 0u);
}

TEST_F(MemoryStoreTest, ALostAnswerIsCommittedAllTheSame) {
  store_->on_commit([](const Batch&) {
    return CommitFate{CommitFate::Kind::commit_and_lose_answer, {}};
  });
  const auto lost = writer_->apply(one_job());
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(jobs(), 1u);
}

TEST_F(MemoryStoreTest, TheHookSeesTheBatchAndMayLookAround) {
  std::size_t enqueues = 0, before = 7;
  store_->on_commit([&](const Batch& batch) {
    enqueues += batch.enqueues.size();
    before = jobs();
    return CommitFate{};
  });
  EXPECT_TRUE(writer_->apply(one_job()).ok());
  EXPECT_EQ(enqueues, 1u);
  EXPECT_EQ(before, 0u);
  store_->on_commit({});
  EXPECT_TRUE(writer_->apply(one_job()).ok());
  EXPECT_EQ(enqueues, 1u);
  EXPECT_EQ(jobs(), 2u);
}

TEST_F(MemoryStoreTest, WritersAndReadersOfManyThreadsAgree) {
  std::vector<std::thread> threads;
  std::vector<Batch> batches;
  for (int i = 0; i < 400; ++i) batches.push_back(one_job());
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      auto writer = store_->open_writer().value();
      auto reader = store_->open_reader().value();
      for (std::size_t i = t; i < batches.size(); i += 4) {
        EXPECT_TRUE(writer->apply(batches[i]).ok());
        EXPECT_TRUE(reader->get({batches[i].enqueues[0].job.id}, false)->at(0).job.has_value());
      }
    });
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(reader_->counts("")->at(0).n, 400);
  EXPECT_TRUE(reader_->orphans()->empty());
}

}  // namespace
}  // namespace quell::storage
