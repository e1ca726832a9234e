// Whole trees end, whatever their programs do to get away.
#include <signal.h>
#include <unistd.h>

#include "tests/actors/effects/keeper_of_tests.hpp"
#include "tests/actors/effects/programs.hpp"

using quell::ExecEnd;
using How = quell::ChildProcesses::How;
using Kind = ExecEnd::Kind;
using namespace std::chrono_literals;

namespace {
class ExecTree : public testing::Test {
 protected:
  int sessions() {
    int count = 0;
    for (pid_t pid : processes_with(seconds_)) count += ::getsid(pid) == pid ? 1 : 0;
    return count;
  }
  void expect_nothing_left_of(const std::string& marker) {
    EXPECT_EQ(processes_with(marker).size(), 0u);
    EXPECT_TRUE(keeper_is_alone());
  }
  Programs programs_{keeper_of_tests()};
  std::string seconds_ = unique_seconds();
};
}  // namespace

TEST_F(ExecTree, ProgramsThatLeaveTheGroupAreKilled) {
  auto story = programs_.shell("setsid sleep " + seconds_ + " & setsid sleep " + seconds_ +
                               " & echo ready; wait");
  story->lines(1);
  ASSERT_TRUE(soon([&] { return processes_with(seconds_).size() >= 3; }));
  programs_.stop_last(How::kill);
  const ExecEnd end = story->closed();
  EXPECT_EQ(end.kind, Kind::killed);
  EXPECT_EQ(end.code, SIGKILL);
  EXPECT_TRUE(end.reaped);
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, DaemonsThatForkTwiceAndClearTheirEnvironmentAreKilled) {
  const std::string daemon = "(env -i setsid sh -c '(setsid sleep " + seconds_ + " &)' &)";
  auto story = programs_.shell(daemon + ";" + daemon + ";" + daemon + "; echo ready; sleep 999");
  story->lines(1);
  ASSERT_TRUE(soon([&] { return sessions() >= 4; }));  // three daemons and the leader
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, WhatALeaderLeavesBehindDiesBeforeItCloses) {
  auto story = programs_.shell("sleep " + seconds_ + " & setsid sleep " + seconds_ +
                               " & (setsid sleep " + seconds_ + " &) ; exit 3");
  const ExecEnd end = story->closed();
  EXPECT_EQ(end.kind, Kind::exited);
  EXPECT_EQ(end.code, 3);
  EXPECT_TRUE(end.reaped);
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, OrphansOfOtherJobsAreLeftAlone) {
  auto other = programs_.shell("(env -i setsid sleep " + seconds_ + " &) ; echo ready; sleep " +
                               seconds_ + "; true");
  const auto other_id = programs_.last();
  other->lines(1);
  ASSERT_TRUE(soon([&] { return sessions() == 2 && processes_with(seconds_).size() == 3; }));
  auto story = programs_.shell("setsid sleep 999 & wait");
  story->started();
  programs_.stop_last(How::kill);
  story->closed();
  EXPECT_EQ(processes_with(seconds_).size(), 3u);
  programs_.client().stop(other_id, How::kill);
  other->closed();
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, ADaemonThatErasesTheMarkOfItsJobIsKilled) {
  // It may die before the stop: an orphan that nobody owns is killed as soon as it is seen.
  auto story =
      programs_.shell("(prlimit --rttime=1000000:1000000 setsid sh -c 'echo daemon; exec sleep " +
                      seconds_ + "' &) ; sleep " + seconds_ + "; true");
  ASSERT_EQ(story->lines(1), std::vector<std::string>{"daemon"});
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, ADaemonThatTakesTheMarkOfAnotherJobIsKilled) {
  auto other = programs_.shell("prlimit --rttime --noheadings --output=HARD; sleep 999");
  const auto other_id = programs_.last();
  const std::string mark = other->lines(1).at(0);
  auto story = programs_.shell("(prlimit --rttime=" + mark + ":" + mark +
                               " env -i setsid sh -c 'echo daemon; exec sleep " + seconds_ +
                               "' &) ; sleep 999; true");
  ASSERT_EQ(story->lines(1), std::vector<std::string>{"daemon"});
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  EXPECT_EQ(processes_with(seconds_).size(), 0u);
  EXPECT_EQ(other->closes(), 0);
  programs_.client().stop(other_id, How::kill);
  other->closed();
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, AProgramThatKillsItsGuardEndsWithAllItsDaemonsAndNobodyElse) {
  auto other = programs_.shell("setsid sleep 999 & echo ready; wait");
  const auto other_id = programs_.last();
  other->lines(1);
  const std::string daemon = "(env -i setsid sh -c '(setsid sleep " + seconds_ + " &)' &)";
  auto story =
      programs_.shell(daemon + ";" + daemon + "; echo ready; read go </dev/null; kill -9 " +
                      "$PPID; sleep " + seconds_);
  const ExecEnd end = story->closed();
  EXPECT_EQ(end.kind, Kind::signalled);
  EXPECT_TRUE(end.reaped);
  EXPECT_EQ(processes_with(seconds_).size(), 0u);
  EXPECT_EQ(other->closes(), 0);
  programs_.client().stop(other_id, How::kill);
  other->closed();
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, AProgramThatHoldsItsGuardStillIsKilled) {
  auto story = programs_.shell("setsid sleep " + seconds_ + " & (while :; do kill -STOP " +
                               "$PPID; done) & kill -STOP $PPID; echo ready; sleep " + seconds_);
  story->lines(1);
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, AProgramThatTakesOrphansInItselfIsKilled) {
  constexpr const char* set_child_subreaper = "157, 36";
  auto story = programs_.run({"perl", "-e",
                              std::string("$|=1; syscall(") + set_child_subreaper +
                                  ",1,0,0,0); system('(setsid sleep " + seconds_ +
                                  " &)'); print qq(ready\n); sleep 999 while 1"});
  story->lines(1);
  ASSERT_TRUE(soon([&] { return processes_with(seconds_).size() >= 2; }));
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, AChildThatIsMadeASiblingIsKilled) {
  constexpr const char* clone_parent = "56, 0x8000 | 17";
  auto story = programs_.run({"perl", "-e",
                              std::string("$|=1; if (syscall(") + clone_parent +
                                  ",0,0,0,0) == 0) { exec 'setsid', 'sleep', '" + seconds_ +
                                  "' } print qq(ready\n); sleep 999 while 1"});
  story->lines(1);
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  expect_nothing_left_of(seconds_);
}

TEST_F(ExecTree, AProgramThatForksAndVanishesWithoutEndIsCaught) {
  // Each process lives only to fork the next, in a session of its own: no list of pids is ever
  // current.
  auto story = programs_.run({"perl", "-MPOSIX", "-e",
                              "$|=1; print qq(ready\\n);"
                              "unless (fork) { while (1) { POSIX::setsid(); exit if fork } }"
                              "sleep 999"});
  story->lines(1);
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  EXPECT_TRUE(keeper_is_alone());
}

TEST_F(ExecTree, ABroodThatDoublesInSessionsOfItsOwnIsKilled) {
  auto story = programs_.run({"perl", "-MPOSIX", "-e",
                              "$|=1; for (1..9) { fork; POSIX::setsid() }"
                              "print qq(here\\n); sleep 999"});
  story->lines(40);
  programs_.stop_last(How::kill);
  EXPECT_TRUE(story->closed().reaped);
  EXPECT_TRUE(keeper_is_alone());
}

TEST_F(ExecTree, TerminateLetsAProgramCleanUp) {
  auto story =
      programs_.shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  story->lines(1);
  programs_.stop_last(How::terminate);
  const ExecEnd end = story->closed();
  EXPECT_EQ(end.kind, Kind::killed);
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.out, "ready\nbye\n");
}

TEST_F(ExecTree, TerminateKillsAfterTheGrace) {
  auto story = programs_.shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  story->lines(1);
  const auto asked = std::chrono::steady_clock::now();
  programs_.stop_last(How::terminate);
  const ExecEnd end = story->closed();
  EXPECT_EQ(end.kind, Kind::killed);
  EXPECT_EQ(end.code, SIGKILL);
  EXPECT_GE(std::chrono::steady_clock::now() - asked, 490ms);  // the promise to the program
}

TEST_F(ExecTree, AStopRightAfterTheStartClosesOnce) {
  std::vector<std::shared_ptr<Story>> stories;
  for (int i = 0; i < 100; ++i) {
    stories.push_back(programs_.shell("setsid sleep 999 & wait"));
    programs_.stop_last(How::kill);
  }
  for (auto& story : stories) {
    const ExecEnd end = story->closed();
    EXPECT_EQ(end.kind, Kind::killed);
    EXPECT_TRUE(end.reaped);
    EXPECT_EQ(story->closes(), 1);
  }
  EXPECT_TRUE(keeper_is_alone());
}

TEST_F(ExecTree, TwoHundredTreesStopAtOnce) {
  std::vector<std::shared_ptr<Story>> stories;
  std::vector<Programs::Id> ids;
  for (int i = 0; i < 200; ++i) {
    stories.push_back(programs_.shell("setsid sleep " + seconds_ + " & echo ready; wait"));
    ids.push_back(programs_.last());
  }
  for (auto& story : stories) ASSERT_EQ(story->lines(1).size(), 1u);
  for (auto id : ids) programs_.client().stop(id, How::kill);
  for (auto& story : stories) EXPECT_TRUE(story->closed().reaped);
  expect_nothing_left_of(seconds_);
  EXPECT_EQ(programs_.client().open(), 0u);
}
