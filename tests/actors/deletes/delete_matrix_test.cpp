// A delete in every state that a job can be in, under everything that can happen beside it. The
// schedule is chosen by a number: in order for 0, at random for the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using testing::IsEmpty;

enum class At : std::uint8_t {
  queued,
  scheduled,
  waiting_for_retry,
  claimed,
  running,
  cancelling,
  timing_out,
  draining,
  finishing,
  final_state,
  delivering
};
enum class While : std::uint8_t {
  alone,
  two_at_once,
  after_a_crash,
  crashing,
  drain,
  cancel,
  timeout
};

struct Case {
  At at;
  While beside;
  std::set<CountsAs> counts;  // as what the first caller may see it
};

std::string name_of(const Case& c) {
  constexpr const char* at[] = {"queued",    "scheduled",  "waiting_for_retry", "claimed",
                                "running",   "cancelling", "timing_out",        "draining",
                                "finishing", "final",      "delivering"};
  constexpr const char* beside[] = {"alone", "two_at_once", "after_a_crash", "crashing",
                                    "drain", "cancel",      "timeout"};
  return std::string(at[static_cast<int>(c.at)]) + "_" + beside[static_cast<int>(c.beside)];
}

std::set<CountsAs> expected(At at, While beside) {
  using enum CountsAs;
  const bool died = beside == While::after_a_crash || beside == While::crashing;
  switch (at) {
    case At::queued:
      // The pause dies with the process, and then it runs.
      if (died) return {dequeued, killed};
      [[fallthrough]];
    case At::scheduled:
    case At::waiting_for_retry:
      // A cancel may come first: then it is final and at rest.
      if (beside == While::cancel) return {dequeued, at_rest};
      return {dequeued};
    case At::claimed:
    case At::running:
    case At::cancelling:
    case At::timing_out:
    case At::draining:
      if (died) return {killed, dequeued, at_rest};
      if (beside == While::alone || beside == While::two_at_once) return {killed};
      // Stopped by something weaker and down, before the delete came.
      return {killed, at_rest, dequeued, finished_first};
    case At::finishing:
      if (died) return {killed, dequeued, at_rest, finished_first};
      return {finished_first, at_rest};
    case At::final_state:
    case At::delivering:
      return {at_rest};
  }
  return {};
}

class Scene {
 public:
  Scene(const Case& c, std::uint32_t seed) : case_(c), random_(seed), in_order_(seed == 0) {}

  void play() {
    bystander_ = stage.submit("one");
    stage.run();
    ASSERT_TRUE(stage.life().effects.has(bystander_));
    ASSERT_NO_FATAL_FAILURE(bring());
    beside();
    check();
  }

  Stage stage{{{"default", 2}}};

 private:
  void shuffle_run(std::size_t messages) {
    for (std::size_t i = 0; i < messages; ++i)
      if (!stage.step(in_order_ ? 0 : random_())) return;
  }

  void bring() {
    auto& life = stage.life();
    life.effects.manner = StageEffects::Manner::late;
    const auto start = [this](const char* kind, std::function<void(NewJob&)> change = {}) {
      job_ = stage.submit(kind, std::move(change), case_.at == At::delivering);
    };
    switch (case_.at) {
      case At::queued:
        stage.pause("default", true);
        start("one");
        return stage.run();
      case At::scheduled:
        start("one", [this](NewJob& job) { job.run_at = stage.clock.now() + Millis{3'600'000}; });
        return stage.run();
      case At::waiting_for_retry:
        start("fails", [](NewJob& job) {
          job.options.max_attempts = 5;
          job.options.backoff = Millis{3'600'000};
        });
        stage.run();
        ASSERT_TRUE(life.effects.end(job_));
        stage.run();
        ASSERT_EQ(stage.state(job_), JobState::scheduled);
        return;
      case At::claimed:
        start("one");
        stage.run_without(stage.context().foreman);
        ASSERT_EQ(stage.state(job_), JobState::running);
        return;
      default:
        break;
    }
    const bool times_out = case_.at == At::timing_out;
    start("race", [times_out](NewJob& job) {
      if (times_out) job.options.timeout = Millis{700};
    });
    stage.run();
    ASSERT_TRUE(life.effects.has(job_));
    if (case_.at == At::running) return;
    if (case_.at == At::cancelling) {
      stage.steer(job_, JobEvent::cancel);
      return stage.run();
    }
    if (times_out) {
      stage.turn(Millis{800});
      return stage.run();
    }
    if (case_.at == At::draining) {
      drained_ = stage.drain(true);
      return stage.run();
    }
    ASSERT_NO_FATAL_FAILURE(end_the_run());
  }

  void end_the_run() {
    auto& life = stage.life();
    while (life.effects.end(job_)) stage.run_without(stage.context().clerk);
    if (case_.at == At::finishing) return;
    stage.run();
    ASSERT_EQ(stage.state(job_), JobState::succeeded);
    if (case_.at == At::final_state) return;
    ASSERT_NE(life.effects.delivery(), nullptr);
  }

  void beside() {
    switch (case_.beside) {
      case While::alone:
        calls_.push_back(stage.erase({job_}));
        break;
      case While::two_at_once:
        calls_.push_back(stage.erase({job_, job_}));
        calls_.push_back(stage.erase({job_}));
        break;
      case While::after_a_crash:
        crash();
        calls_.push_back(stage.erase({job_}));
        break;
      case While::crashing: {
        const auto first = stage.erase({job_});
        shuffle_run(random_() % 12);
        crash();
        calls_.push_back(stage.erase({job_}));
        break;
      }
      case While::drain:
        drained_ = stage.drain(true);
        shuffle_run(random_() % 4);
        calls_.push_back(stage.erase({job_}));
        break;
      case While::cancel:
        stage.steer(job_, JobEvent::cancel);
        calls_.push_back(stage.erase({job_}));
        break;
      case While::timeout:
        calls_.push_back(stage.erase({job_}));
        shuffle_run(random_() % 4);
        stage.turn(Millis{600'000});  // an attempt's time, and every stop deadline
        break;
    }
    shuffle_run(200);
  }

  void crash() {
    stage.crash();
    drained_.reset();
    stage.life().effects.manner = StageEffects::Manner::late;
    shuffle_run(random_() % 30);
  }

  void check() {
    ASSERT_TRUE(stage.settle(calls_)) << "no answer";
    ASSERT_THAT(stage.wrong, IsEmpty());
    for (const auto& call : calls_) {
      ASSERT_EQ(call->reports.size(), 1u);
      const DeleteReport& report = call->reports.front();
      const JobOutcome& one = report.outcomes.front();
      if (!report.complete) {  // time went by, and its effects had not closed: said so
        EXPECT_TRUE(case_.beside == While::timeout);
        EXPECT_EQ(one.verdict, Verdict::stuck);
        stuck_ = true;
        continue;
      }
      if (one.fate == JobFate::already_gone) {
        // Only a later caller may come too late, or one whose first call died with its process.
        EXPECT_TRUE(call != calls_.front() || case_.beside == While::crashing);
        continue;
      }
      ASSERT_EQ(one.fate, JobFate::deleted);
      EXPECT_TRUE(one.mark && one.stop && one.release && one.erase);
      const CountsAs as = counts_as(*one.was, *one.verdict);
      EXPECT_TRUE(case_.counts.contains(as))
          << "counted as " << static_cast<int>(as) << ", verdict " << to_string(*one.verdict);
      EXPECT_EQ(report.counts.distinct, 1u);
      EXPECT_EQ(report.counts.requested, call->request.jobs.size());
    }
    std::uint64_t freed = 0, killed = 0;
    for (const auto& call : calls_) freed += call->reports.front().counts.slots_freed;
    killed = calls_.front()->reports.front().counts.killed;
    EXPECT_TRUE(freed == killed || case_.beside == While::crashing) << freed << " of " << killed;
    if (stuck_) {
      stage.life().effects.end_all();
      stage.run();
    }
    const auto again = stage.erase({job_});
    ASSERT_TRUE(stage.settle({again}));
    EXPECT_EQ(again->reports.front().counts.already_gone, 1u);
    finish();
  }

  // Nobody else was touched: the bystander ends as if nothing had been.
  void finish() {
    if (drained_) {
      stage.life().effects.end_all();
      stage.run();
      EXPECT_TRUE(*drained_);
      stage.crash();
    }
    ASSERT_TRUE(stage.heal());
    stage.check_at_rest();
    EXPECT_THAT(stage.wrong, IsEmpty());
    EXPECT_TRUE(stage.state(bystander_) == JobState::succeeded || case_.beside == While::timeout);
    EXPECT_EQ(stage.audited_deletes(), 1u);
  }

  const Case& case_;
  std::mt19937 random_;
  bool in_order_;
  JobId job_, bystander_;
  std::shared_ptr<bool> drained_;
  bool stuck_ = false;
  std::vector<std::shared_ptr<StageCall>> calls_;
};

// A socket that closes a second late delays the reply by that second, and never bends it.
TEST(DeleteOfLateWork, WaitsForTheLastCloseBeforeItAnswers) {
  Stage stage;
  stage.life().effects.manner = StageEffects::Manner::late;
  const JobId job = stage.submit("race");
  stage.run();
  const auto call = stage.erase({job});
  stage.run();
  for (int i = 0; i < 10; ++i) {
    stage.turn(Millis{100});
    stage.run();
    ASSERT_FALSE(call->answered());
    ASSERT_EQ(stage.pool().used, 1);
    ASSERT_TRUE(stage.state(job));
  }
  stage.life().effects.let_aborted_ones_end();
  stage.run();
  ASSERT_EQ(call->reports.size(), 1u);
  const DeleteReport& report = call->reports.front();
  EXPECT_EQ(report.counts.killed, 1u);
  EXPECT_EQ(report.counts.slots_freed, 1u);
  EXPECT_EQ(report.outcomes.front().effects_aborted, 2);
  EXPECT_EQ(stage.pool().free, 2);
  EXPECT_THAT(stage.wrong, IsEmpty());
}

class DeleteMatrix : public testing::TestWithParam<Case> {};

TEST_P(DeleteMatrix, EndsAsTheStoreSays) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("schedule " + std::to_string(seed));
    Scene scene(GetParam(), seed);
    scene.play();
    if (HasFailure()) return;
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (int at = 0; at <= static_cast<int>(At::delivering); ++at)
    for (int beside = 0; beside <= static_cast<int>(While::timeout); ++beside) {
      const Case one{static_cast<At>(at), static_cast<While>(beside), {}};
      cases.push_back({one.at, one.beside, expected(one.at, one.beside)});
    }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(EveryState, DeleteMatrix, testing::ValuesIn(all_cases()),
                         [](const auto& tested) { return name_of(tested.param); });

}  // namespace
}  // namespace quell
