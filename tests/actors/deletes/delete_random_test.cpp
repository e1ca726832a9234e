// Ten thousand small histories: clients, messages, effects, commits and crashes in an order that a
// seed draws. The laws hold after each step, and when everything heals the node comes to rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using testing::IsEmpty;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr int histories = 1'000;
#else
constexpr int histories = 10'000;
#endif

volatile std::sig_atomic_t history_now = 0;

// An assertion of the product ends the process; which history it was must be known all the same.
void tell_history(int) {
  std::fprintf(stderr, "in the history TEST_SEED=%d\n", static_cast<int>(history_now));
  std::signal(SIGABRT, SIG_DFL);
}

class History {
 public:
  explicit History(std::uint32_t seed)
      : random_(seed),
        stage_({{"default", 1 + static_cast<int>(draw() % 4)}}, 1 + static_cast<int>(draw() % 2)),
        with_crashes_(draw() % 2 == 0),
        with_faults_(draw() % 2 == 0),
        with_late_effects_(draw() % 2 == 0),
        with_force_(draw() % 4 == 0),
        with_pools_(draw() % 4 == 0) {}

  std::vector<std::string> play() {
    const std::size_t steps = 60 + draw() % 120;
    for (std::size_t i = 0; i < steps && stage_.wrong.empty(); ++i) {
      act();
      for (std::size_t messages = draw() % 6; messages > 0; --messages) stage_.step(draw());
      if (i % 4 == 0) stage_.check_now();
    }
    if (!stage_.wrong.empty()) return stage_.wrong;
    if (!with_faults_ && !paused_) {
      stage_.run();
      stage_.check_nobody_waits();
    }
    if (!stage_.heal()) stage_.wrong.push_back("it never came to rest");
    stage_.check_at_rest();
    say_it_again();
    return stage_.wrong;
  }

 private:
  std::uint32_t draw() { return static_cast<std::uint32_t>(random_()); }
  bool chance(std::uint32_t percent) { return draw() % 100 < percent; }
  JobId any_job() { return known_[draw() % known_.size()]; }

  void act() {
    const std::uint32_t dice = draw() % 100;
    if (known_.empty() || dice < 18) return submit();
    if (dice < 34) return erase();
    if (dice < 40) return stage_.steer(any_job(), JobEvent::cancel);
    if (dice < 43) return stage_.steer(any_job(), JobEvent::revive);
    if (dice < 45) return stage_.steer(any_job(), JobEvent::run_now);
    if (dice < 48) return pause(chance(50));
    if (dice < 68) return effect_host();
    if (dice < 80) return stage_.turn(Millis{chance(80) ? draw() % 50 : draw() % 4'000});
    if (dice < 83) return with_crashes_ ? crash() : void();
    if (dice < 88) return with_faults_ ? spoil_commits() : void();
    if (dice < 92) return deliveries();
    if (dice < 94) return retry();
    if (dice < 95 && with_pools_)
      return stage_.set_pool("default", 1 + static_cast<int>(draw() % 4));
    if (dice < 96) stage_.beat();
  }

  void pause(bool paused) {
    stage_.pause("default", paused);
    paused_ = paused;
  }

  void submit() {
    constexpr const char* kinds[] = {"one", "two", "fails", "steps", "race"};
    for (std::size_t n = 1 + draw() % 3; n > 0 && known_.size() < 24; --n) {
      const bool later = chance(15), retries = chance(40), short_lived = chance(10);
      const Millis in{draw() % 500};
      known_.push_back(stage_.submit(
          kinds[draw() % 5],
          [&](NewJob& job) {
            if (later) job.run_at = stage_.clock.now() + in;
            if (retries) job.options.max_attempts = 3;
            if (short_lived) job.options.timeout = Millis{100};
            job.priority = static_cast<int>(draw() % 10);
          },
          chance(20)));
    }
  }

  void erase() {
    std::vector<JobId> jobs;
    for (std::size_t n = 1 + draw() % 4; n > 0; --n) jobs.push_back(any_job());
    stage_.erase(jobs, chance(20) ? Millis{draw() % 100} : Millis{3'600'000});
  }

  void effect_host() {
    StageEffects& effects = stage_.life().effects;
    if (with_late_effects_ && chance(20))
      effects.manner = chance(70) ? StageEffects::Manner::late : StageEffects::Manner::obedient;
    if (chance(20)) return effects.let_aborted_ones_end();
    if (effects.open() > 0) effects.end_nth(draw() % effects.open());
  }

  void crash() {
    stage_.fate = {};
    stage_.crash();
    paused_ = false;  // nothing of it was stored
  }

  void spoil_commits() {
    const auto kind = chance(50) ? storage::CommitFate::Kind::refuse
                                 : storage::CommitFate::Kind::commit_and_lose_answer;
    const auto code = chance(50) ? ErrorCode::store_unavailable : ErrorCode::overloaded;
    auto left = std::make_shared<int>(1 + static_cast<int>(draw() % 3));
    stage_.fate = [kind, code, left](const storage::Batch&) {
      if (--*left < 0) return storage::CommitFate{};
      return storage::CommitFate{kind, Error{code, "as the history has it"}};
    };
  }

  void deliveries() {
    StageEffects& effects = stage_.life().effects;
    if (chance(70))
      effects.end_delivery();
    else
      effects.end_delivery(HttpReply(500, {}, {}));
  }

  void retry() {
    const auto tickets = stage_.tickets();
    if (tickets.empty()) return;
    const auto& one = tickets[draw() % tickets.size()];
    if (with_force_ && chance(50))
      stage_.force_delete(one.delete_id);
    else
      stage_.retry_delete(one.delete_id);
  }

  // Repeats are harmless: the second delete of all finds nothing to do for the first one's jobs.
  void say_it_again() {
    if (known_.empty()) return;
    std::size_t gone = 0;
    for (const JobId& job : known_) gone += stage_.has_tomb(job) ? 1 : 0;
    const std::size_t there = [&] {
      std::size_t n = 0;
      for (const JobId& job : known_) n += stage_.job(job) ? 1 : 0;
      return n;
    }();
    const auto again = stage_.erase(known_);
    if (!stage_.settle({again}) || again->reports.size() != 1)
      return stage_.wrong.push_back("the last delete was not answered");
    const DeleteCounts& counts = again->reports.front().counts;
    if (counts.at_rest != there || counts.already_gone + there != known_.size())
      stage_.wrong.push_back("the last delete: " + counts_json(counts) + ", gone before " +
                             std::to_string(gone) + ", there " + std::to_string(there));
    stage_.check_at_rest();
  }

  std::mt19937 random_;
  Stage stage_;
  std::vector<JobId> known_;
  bool with_crashes_, with_faults_, with_late_effects_, with_force_, with_pools_, paused_ = false;
};

TEST(RandomHistories, KeepEveryLawAndComeToRest) {
  const char* one = std::getenv("TEST_SEED");
  const std::uint32_t first =
      one != nullptr ? static_cast<std::uint32_t>(std::strtoul(one, nullptr, 10)) : 1;
  const char* many = std::getenv("TEST_HISTORIES");
  const int count = many != nullptr ? std::atoi(many) : one != nullptr ? 1 : histories;
  std::cout << count << " histories from TEST_SEED=" << first << std::endl;
  std::signal(SIGABRT, tell_history);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t seed = first + static_cast<std::uint32_t>(i);
    history_now = static_cast<std::sig_atomic_t>(seed);
    History history(seed);
    ASSERT_THAT(history.play(), IsEmpty()) << "TEST_SEED=" << seed;
  }
  std::signal(SIGABRT, SIG_DFL);
}

}  // namespace
}  // namespace quell
