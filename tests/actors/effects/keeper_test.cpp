#include "actors/effects/keeper.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "tests/actors/effects/keeper_of_tests.hpp"
#include "tests/actors/effects/programs.hpp"

using quell::ChildProcesses;
using quell::ExecCall;
using quell::ExecEnd;
using Kind = ExecEnd::Kind;

namespace {
std::string wait_channel(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/wchan"};
  std::string text;
  std::getline(file, text);
  return text;
}

class OneReadAtATime : public Story {
 public:
  bool wants_more() override {
    ++reads_;
    return false;
  }
  std::size_t reads() const { return reads_; }

 private:
  std::atomic<std::size_t> reads_{0};
};

class Exec : public testing::Test {
 protected:
  Programs programs_{keeper_of_tests()};
};
}  // namespace

TEST_F(Exec, ReportsOutputAndExitCode) {
  auto story = programs_.shell("echo one; echo two; printf three; echo oops >&2; exit 7");
  const ExecEnd end = story->closed();
  EXPECT_EQ(end.kind, Kind::exited);
  EXPECT_EQ(end.code, 7);
  EXPECT_EQ(end.out, "one\ntwo\nthree");
  EXPECT_EQ(end.err, "oops\n");
  EXPECT_TRUE(end.reaped);
  EXPECT_FALSE(end.error);
  EXPECT_EQ(story->lines(3), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(story->err(), "oops\n");
  EXPECT_GT(story->started(), 0);
  EXPECT_EQ(story->closes(), 1);
  EXPECT_EQ(programs_.client().open(), 0u);
}

TEST_F(Exec, ReportsASignalThatIsNotOurs) {
  const ExecEnd end = programs_.shell("kill -9 $$")->closed();
  EXPECT_EQ(end.kind, Kind::signalled);
  EXPECT_EQ(end.code, SIGKILL);
}

TEST_F(Exec, KeepsOnlyTheTailOfLongOutput) {
  ExecCall call;
  call.argv = {"sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"};
  call.max_output = 20;
  auto story = programs_.run(call);
  EXPECT_EQ(story->closed().out, "line 2998\nline 2999\n");
  EXPECT_EQ(story->lines(3000).size(), 3000u);
}

TEST_F(Exec, HandsOnALineWithoutEndInPieces) {
  auto story = programs_.shell("head -c 200000 /dev/zero | tr '\\0' x");
  EXPECT_EQ(story->closed().out.size(), 200000u);
  EXPECT_EQ(story->lines(4).size(), 4u);
}

TEST_F(Exec, APausedProgramWaitsInItsWriteAndLosesNothing) {
  auto story = programs_.shell("echo ready; read go; head -c 300000 /dev/zero; echo end >&2");
  story->lines(1);  // stdin is empty: the read ends at once, the writing may have begun
  programs_.client().pause(programs_.last(), true);
  programs_.client().pause(programs_.last(), false);
  EXPECT_EQ(story->closed().out.size(), 300006u);

  auto paused = programs_.run({"head", "-c", "300000", "/dev/zero"});
  programs_.client().pause(programs_.last(), true);
  const int pid = paused->started();
  // Asleep in a full pipe, not ended: it has been given nothing else to wait for.
  EXPECT_TRUE(soon([&] { return wait_channel(pid).find("pipe_write") != std::string::npos; }));
  EXPECT_EQ(paused->closes(), 0);
  programs_.client().pause(programs_.last(), false);
  EXPECT_EQ(paused->closed().out.size(), 300000u);
}

TEST_F(Exec, AProgramThatPrintsWithoutEndIsReadNoFurtherThanIsWanted) {
  auto story = std::make_shared<OneReadAtATime>();
  ExecCall call;
  call.argv = {"yes", ""};
  const auto id = programs_.client().start(call, story);
  const int pid = story->started();
  for (std::size_t reads = 1; reads <= 3; ++reads) {
    EXPECT_TRUE(soon([&] { return story->reads() == reads; }));
    EXPECT_TRUE(soon([&] { return wait_channel(pid).find("pipe_write") != std::string::npos; }));
    EXPECT_EQ(story->reads(), reads);
    EXPECT_LE(story->lines(1).size(), reads * 65536);
    programs_.client().pause(id, false);
  }
  programs_.client().stop(id, ChildProcesses::How::kill);
  EXPECT_TRUE(story->closed().reaped);
}

TEST_F(Exec, FeedsStandardInputOfAnySize) {
  ExecCall call;
  call.argv = {"wc", "-c"};
  call.stdin_data.assign(3'000'000, 'x');
  EXPECT_EQ(programs_.run(call)->closed().out, "3000000\n");
  call.argv = {"true"};  // and does not mind when nobody reads it
  EXPECT_EQ(programs_.run(call)->closed().code, 0);
  EXPECT_EQ(programs_.shell("wc -c")->closed().out, "0\n");
}

TEST_F(Exec, GivesAnEmptyEnvironmentUnlessAsked) {
  ExecCall call;
  call.argv = {"env"};
  EXPECT_EQ(programs_.run(call)->closed().out, "");
  call.env = {{"A", "1"}, {"B", "two words"}};
  EXPECT_EQ(programs_.run(call)->closed().out, "A=1\nB=two words\n");
}

TEST_F(Exec, SearchesTheProgramInThePathOfTheJob) {
  ExecCall call;
  call.argv = {"env"};
  call.env = {{"PATH", "/nowhere"}};
  EXPECT_EQ(programs_.run(call)->closed().kind, Kind::failed);
}

TEST_F(Exec, LeavesTheProgramOnlyItsThreeDescriptorsAndNoPrivileges) {
  // The fourth is ls reading the folder.
  EXPECT_EQ(programs_.run({"ls", "/proc/self/fd"})->closed().out, "0\n1\n2\n3\n");
  EXPECT_EQ(
      programs_.run({"grep", "-E", "NoNewPrivs|SigIgn|SigBlk", "/proc/self/status"})->closed().out,
      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nNoNewPrivs:\t1\n");
}

TEST_F(Exec, SaysHonestlyThatAProgramCouldNotRun) {
  ExecEnd end = programs_.run({"no-such-program-here"})->closed();
  EXPECT_EQ(end.kind, Kind::failed);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->detail, "no-such-program-here: No such file or directory");
  EXPECT_TRUE(end.reaped);

  ExecCall call;
  call.argv = {"true"};
  call.cwd = "/no/such/folder";
  end = programs_.run(call)->closed();
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->detail, "cwd /no/such/folder: No such file or directory");

  EXPECT_EQ(programs_.run(std::vector<std::string>{})->closed().kind, Kind::failed);
}

TEST_F(Exec, RunsInTheFolderAskedFor) {
  ExecCall call;
  call.argv = {"pwd"};
  call.cwd = "/usr";
  EXPECT_EQ(programs_.run(call)->closed().out, "/usr\n");
}

TEST_F(Exec, AppliesTheLimitsAskedFor) {
  ExecCall call;
  call.argv = {"sh", "-c", "ulimit -n; ulimit -v"};
  call.rlimit_nofile = 50;
  call.rlimit_as = std::uint64_t{1} << 30;
  EXPECT_EQ(programs_.run(call)->closed().out, "50\n1048576\n");
}

TEST_F(Exec, EndsASpinnerAtItsProcessorLimit) {
  ExecCall call;
  call.argv = {"sh", "-c", "while :; do :; done"};
  call.rlimit_cpu_s = 1;
  const ExecEnd end = programs_.run(call)->closed();
  EXPECT_EQ(end.kind, Kind::signalled);
  EXPECT_EQ(end.code, SIGXCPU);
}

TEST_F(Exec, IgnoresTheSignalsOfATerminal) {
  ::kill(keeper_of_tests().pid(), SIGINT);
  ::kill(keeper_of_tests().pid(), SIGTERM);
  EXPECT_EQ(programs_.shell("echo alive")->closed().out, "alive\n");
  std::ifstream name{"/proc/" + std::to_string(keeper_of_tests().pid()) + "/comm"};
  std::string text;
  std::getline(name, text);
  EXPECT_EQ(text, "quell-keeper");
}

TEST(ExecShutdown, RefusesLaterStartsAndLetsTheLoopRunDry) {
  boost::asio::io_context io;
  ChildProcesses client{io, keeper_of_tests()};
  auto early = std::make_shared<Story>();
  auto late = std::make_shared<Story>();
  ExecCall call;
  call.argv = {"sleep", "999"};
  client.start(call, early);
  client.shutdown();
  client.start(call, late);
  io.run();
  EXPECT_EQ(early->closed().kind, Kind::killed);
  EXPECT_EQ(late->closed().kind, Kind::failed);
  EXPECT_TRUE(late->closed().reaped);
}
