// A batch replayed operation by operation: what is said of the one that fails again.
#include "storage/replay.hpp"

#include <gtest/gtest.h>

#include "storage/fault.hpp"

namespace quell::storage {
namespace {

Outcome replayed(const Batch& batch, const std::string& complaint) {
  return one_by_one(batch, [&](const Batch&) -> Outcome {
    throw Fault(Error{ErrorCode::internal, complaint}, true);
  });
}

Batch submit_and_mark() {
  Batch batch;
  batch.enqueues.emplace_back();
  batch.marks.emplace_back();
  batch.marks[0].jobs = {JobId{}};
  return batch;
}

TEST(Replay, ASubmitThatTheLawOfADeletedIdForbidsFindsItTaken) {
  for (const char* law : {"job_add: ERROR:  law: a deleted job does not come back (23514)",
                          "job_add: ERROR:  law: a row is moved or deleted, never replaced"}) {
    const Outcome out = replayed(submit_and_mark(), law);
    EXPECT_EQ(out.enqueues.at(0).answer, EnqueueAnswer::id_taken) << law;
  }
}

TEST(Replay, ASubmitWhoseValuesAreRefusedDoesNotFindItsIdTaken) {
  const Outcome out = replayed(submit_and_mark(), "job_add: smallint out of range (22003)");
  EXPECT_EQ(out.enqueues.at(0).answer, EnqueueAnswer::refused);
  EXPECT_EQ(out.enqueues.at(0).refusal, "job_add: smallint out of range (22003)");
}

TEST(Replay, AMarkThatALawForbidsDoesNotCallItsJobProtected) {
  const Outcome out = replayed(submit_and_mark(), "job_rest: law: no such move of a job (23514)");
  EXPECT_EQ(out.marks.at(0).at(0).answer, MarkAnswer::refused);
  EXPECT_EQ(out.marks.at(0).at(0).refusal, "job_rest: law: no such move of a job (23514)");
}

TEST(Replay, WhatIsSteeredInADocumentsNameGoesInTheTransactionOfTheDocument) {
  Batch batch = submit_and_mark();
  batch.steers.resize(3);
  batch.steers[0].only_at = batch.steers[2].only_at = DocAt{"operation", "o", 4};
  batch.docs.resize(3);
  batch.docs[1].kind = "operation";
  batch.docs[1].id = "o";
  batch.docs[1].if_version = 4;
  batch.docs[2].only_with = "o";
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  const Outcome out = one_by_one(batch, [&](const Batch& part) {
    if (!part.steers.empty() || !part.docs.empty())
      parts.emplace_back(part.steers.size(), part.docs.size());
    Outcome done;
    done.marks.resize(part.marks.size());
    done.enqueues.resize(part.enqueues.size());
    done.steers.resize(part.steers.size());
    done.docs.resize(part.docs.size());
    for (DocResult& one : done.docs) one.version = std::ssize(part.docs);
    return done;
  });
  EXPECT_EQ(parts, (std::vector<std::pair<std::size_t, std::size_t>>{{2, 2}, {1, 0}, {0, 1}}));
  ASSERT_EQ(out.docs.size(), 3u);
  EXPECT_EQ(out.steers.size(), 3u);
  EXPECT_EQ(out.docs[0].version, 1);
  EXPECT_EQ(out.docs[1].version, 2);
  EXPECT_EQ(out.docs[2].version, 2);
}

}  // namespace
}  // namespace quell::storage
