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

}  // namespace
}  // namespace quell::storage
