// What goes by its age: when the sweep is on, within its limits, and never while deletes are
// frozen.
#include <gtest/gtest.h>

#include <caf/all.hpp>

#include "actors/deletes/sweep_messages.hpp"
#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using namespace std::chrono_literals;

class Sweeps : public testing::Test {
 protected:
  Sweeps() : stage({{"default", 50}}, 1, RetentionRules{1h, 1h, 1h, 0ms}) {}

  void with(bool on, int most = 100) {
    stage.restart_with([on, most](NodeSettings& settings) {
      settings.retention_sweep = on;
      settings.retention_every = 60s;
      settings.retention_most = most;
    });
  }
  std::vector<JobId> ended(int n) {
    std::vector<JobId> ids;
    for (int i = 0; i < n; ++i) ids.push_back(stage.submit("one"));
    stage.run();
    for (const JobId& id : ids) EXPECT_TRUE(stage.life().effects.end(id));
    stage.run();
    return ids;
  }
  void let_pass(Millis time, Millis step = 10s) {
    for (Millis left = time; left > 0ms; left -= step) {
      stage.turn(step);
      stage.run();
    }
  }
  std::size_t there(const std::vector<JobId>& ids) {
    std::size_t n = 0;
    for (const JobId& id : ids) n += stage.state(id) ? 1 : 0;
    return n;
  }
  std::optional<RetentionReport> ask(RetentionRun run) {
    std::optional<RetentionReport> told;
    run.who = "ann";
    tell(stage.context().sweeper, RunRetention{run, [&told](Result<RetentionReport> report) {
                                                 ASSERT_TRUE(report.ok());
                                                 told = *report;
                                               }});
    stage.run();
    let_pass(5s, 1s);
    return told;
  }

  Stage stage;
};

TEST_F(Sweeps, TakeNothingByThemselvesUntilSwitchedOn) {
  with(false);
  const auto jobs = ended(5);
  let_pass(2h);
  EXPECT_EQ(there(jobs), 5u);
  with(true);
  let_pass(2min);
  EXPECT_EQ(there(jobs), 0u);
  EXPECT_TRUE(stage.has_tomb(jobs[0]));
}

TEST_F(Sweeps, TakeNoMoreThanTheirMostInARun) {
  with(true, 3);
  const auto jobs = ended(8);
  let_pass(1h);
  const std::size_t before = there(jobs);
  let_pass(60s);
  EXPECT_LE(before - there(jobs), 3u);
  let_pass(5min);
  EXPECT_EQ(there(jobs), 0u);
}

TEST_F(Sweeps, APersonTakesWhatIsConfirmed) {
  with(false, 3);
  const auto jobs = ended(8);
  let_pass(1h);
  const auto tried = ask({.who = {}, .dry_run = true});
  ASSERT_TRUE(tried);
  EXPECT_EQ(tried->due, 8u);
  EXPECT_EQ(tried->deleted, 0u);
  const auto first = ask({});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->deleted, 3u);
  EXPECT_TRUE(first->confirmation_needed);
  const auto second = ask({.who = {}, .confirm = 4});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->deleted, 4u);
  EXPECT_TRUE(second->complete);
  EXPECT_EQ(there(jobs), 1u);
}

TEST_F(Sweeps, PauseWhileDeletesAreFrozenButLetCopiesEnd) {
  with(true);
  const auto jobs = ended(4);
  stage.life().context().deletion_rules = [] {
    DeletionRules rules;
    rules.frozen = true;
    return rules;
  };
  auto ops = std::make_shared<storage::Batch>();
  storage::MarkOp mark;
  mark.delete_id = stage.context().ids->next();
  mark.jobs = {jobs[0]};
  mark.now = stage.clock.now();
  mark.copy_until = stage.clock.now() + 30min;
  mark.tomb_until = stage.clock.now() + 24h;
  ops->marks.push_back(mark);
  stage.write(ops);
  stage.run();
  let_pass(2h);
  EXPECT_EQ(there(jobs), 3u) << "nothing more goes";
  EXPECT_FALSE(stage.reader().copy(jobs[0], Instant{0ms})->has_value())
      << "whose end a receipt has named";
  stage.life().context().deletion_rules = [] { return DeletionRules{}; };
  let_pass(2min);
  EXPECT_EQ(there(jobs), 0u);
}

TEST_F(Sweeps, AreOneAuditRowATransactionAndLeaveNoCall) {
  with(true);
  const auto jobs = ended(6);
  let_pass(2h);
  ASSERT_EQ(there(jobs), 0u);
  EXPECT_TRUE(stage.reader().calls({}, 10)->empty());
  EXPECT_EQ(stage.audited_deletes(), 6u);
}

}  // namespace
}  // namespace quell
