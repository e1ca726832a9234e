#include "runtime/policy/stop_policy.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

TEST(StopPolicy, AnswersEveryPhaseOfARun) {
  EXPECT_EQ(answer_to_mark(RunPhase::unknown), (StopAnswer{Verdict::not_running, false, false}));
  EXPECT_EQ(answer_to_mark(RunPhase::claimed), (StopAnswer{Verdict::not_started, false, true}));
  EXPECT_EQ(answer_to_mark(RunPhase::running), (StopAnswer{std::nullopt, true, false}));
  EXPECT_EQ(answer_to_mark(RunPhase::stopping), (StopAnswer{std::nullopt, true, false}));
  EXPECT_EQ(answer_to_mark(RunPhase::ended), (StopAnswer{Verdict::finished_first, false, false}));
  EXPECT_EQ(answer_to_mark(RunPhase::unbegun), (StopAnswer{Verdict::not_started, false, false}));
  EXPECT_EQ(answer_to_mark(RunPhase::stuck), (StopAnswer{Verdict::stuck, false, false}));
}

TEST(StopPolicy, GivesAVerdictAtOnceOrSendsAStopNeverBothNeverNeither) {
  for (const auto phase :
       {RunPhase::unknown, RunPhase::claimed, RunPhase::running, RunPhase::stopping,
        RunPhase::ended, RunPhase::unbegun, RunPhase::stuck}) {
    const StopAnswer answer = answer_to_mark(phase);
    EXPECT_NE(answer.verdict.has_value(), answer.send_stop);
  }
}

TEST(StopPolicy, LetsADeleteWinOverEveryWeakerCause) {
  const StopCause all[] = {StopCause::deleted, StopCause::cancelled, StopCause::timeout,
                           StopCause::drain};
  for (const auto a : all)
    for (const auto b : all) {
      EXPECT_EQ(stronger(a, b), stronger(b, a));
      EXPECT_EQ(stronger(a, b), a < b ? a : b);
    }
}

TEST(StopPolicy, NamesWhatWasProven) {
  EXPECT_EQ(verdict_when_down(true, false), Verdict::finished_first);
  EXPECT_EQ(verdict_when_down(true, true), Verdict::finished_first);
  EXPECT_EQ(verdict_when_down(false, true), Verdict::reaped);
  EXPECT_EQ(verdict_when_down(false, false), Verdict::stopped);
}

}  // namespace
}  // namespace quell
