// A beat lists every delete that is open on this node, also those whose answer is on its way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "actors/send.hpp"
#include "runtime/law/trace.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

TEST(RepeatedOrders, AreAnsweredOnceInAnyOrder) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("order " + std::to_string(seed));
    std::mt19937 random(seed);
    Stage stage({{"default", 3}});
    const std::vector<JobId> jobs{stage.submit("one"), stage.submit("one"), stage.submit("one")};
    stage.run();
    std::map<JobId, int> answers;
    stage.fate = [&](const storage::Batch& batch) {
      for (const auto& verdict : batch.verdicts) ++answers[verdict.job];
      return storage::CommitFate{};
    };
    const auto call = stage.erase(jobs);
    for (bool more = true; more;) {
      if (random() % 8 == 0) stage.beat();
      more = stage.step(random());
    }
    ASSERT_TRUE(stage.settle({call}));
    ASSERT_THAT(call->reports, SizeIs(1));
    EXPECT_EQ(call->reports[0].counts.deleted, 3u);
    EXPECT_THAT(answers, SizeIs(3));
    EXPECT_THAT(answers, Each(Pair(testing::_, 1)));
    EXPECT_THAT(stage.wrong, IsEmpty());
    if (testing::Test::HasFailure()) return;
  }
}

// A mark can be read from the store before its claim is heard of, when the commit's outcome was
// unknown.
TEST(RepeatedOrders, AClaimThatComesAfterItsMarkStartsNothing) {
  Stage stage({{"default", 1}});
  stage.run();  // the permit is out, without which nothing is claimed
  storage::ClaimedJob claimed;
  claimed.job = *Uuid::parse("01890000-0000-7000-8000-0000000000f1");
  claimed.epoch = 1;
  claimed.kind = "one";
  trace(ProtocolStep::claimed, claimed.job, 1);
  trace(ProtocolStep::claim_told, claimed.job, 1);
  tell(stage.context().foreman, StopMarked{{{claimed.job, 1, DeleteId{}}}});
  tell(stage.context().foreman, ClaimedJobs{"default", "default", {claimed}});
  stage.run();
  EXPECT_EQ(stage.life().effects.open(), 0u);
  EXPECT_EQ(stage.pool().free, 1) << "its permit is back";
  EXPECT_THAT(stage.wrong, IsEmpty());
}

}  // namespace
}  // namespace quell
