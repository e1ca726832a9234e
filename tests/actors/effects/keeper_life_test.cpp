// Who dies after whom: a server killed with -9, a keeper killed with -9, and what the next life may
// believe.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "actors/effects/keeper_record.hpp"
#include "actors/effects/process_tree.hpp"
#include "tests/actors/effects/keeper_of_tests.hpp"
#include "tests/actors/effects/programs.hpp"

using quell::Millis;

void own_a_keeper(quell::Keeper keeper, const std::string& script) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // a failed test leaves nothing behind
  Programs programs{keeper, [] { std::cout << "died" << std::endl; }};
  std::vector<std::shared_ptr<Story>> stories;
  for (int i = 0; i < 5; ++i) {
    stories.push_back(programs.shell(script));
  }
  for (auto& story : stories) story->lines(1);
  std::cout << "keeper " << keeper.pid() << std::endl;
  for (auto& story : stories) {
    const quell::ExecEnd end = story->closed();
    std::cout << (end.reaped ? "reaped " : "not reaped ") << (end.error ? end.error->detail : "")
              << std::endl;
  }
  for (;;) ::pause();
}

namespace {
// A process with a keeper of its own and five trees, whose words are read line by line.
class SecondLife {
 public:
  SecondLife(const std::filesystem::path& folder, std::string script) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    out_ = ::fdopen(ends[0], "r");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string dir = folder.string(), self = "/proc/self/exe", flag = "--own-a-keeper";
    char* argv[] = {self.data(), flag.data(), dir.data(), script.data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, self.c_str(), &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    const std::string first = line();
    EXPECT_EQ(first.substr(0, 7), "keeper ");
    keeper_ = std::atoi(first.c_str() + 7);
    EXPECT_GT(keeper_, 0);
  }
  SecondLife(const SecondLife&) = delete;
  SecondLife& operator=(const SecondLife&) = delete;
  ~SecondLife() {
    kill();
    std::fclose(out_);
  }
  std::string line() {
    char text[256] = {};
    return std::fgets(text, sizeof text, out_) != nullptr ? std::string{text} : "";
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  pid_t keeper() const { return keeper_; }

 private:
  pid_t pid_ = 0;
  pid_t keeper_ = 0;
  std::FILE* out_ = nullptr;
};

std::string trees_of(const std::string& marker) {
  return "setsid sleep " + marker + " & (env -i setsid sleep " + marker + " &) ; echo ready; wait";
}

class KeeperLife : public testing::Test {
 protected:
  explicit KeeperLife(const std::function<std::string(const std::string&)>& script = trees_of)
      : life_{folder_.path(), script(marker_)} {}
  TestFolder folder_;
  std::string marker_ = unique_seconds();
  SecondLife life_;
};

// Five daemons of which no mark tells.
class UnmarkedLife : public KeeperLife {
 protected:
  UnmarkedLife()
      : KeeperLife([](const std::string& marker) {
          return "(prlimit --rttime=1000000:1000000 env -i setsid sh -c 'echo daemon; exec sleep " +
                 marker + "' &) ; exec sleep 999";
        }) {}
  std::vector<pid_t> guards() const {
    std::vector<pid_t> found;
    EXPECT_TRUE(quell::process_tree::children_of(life_.keeper(), found));
    return found;
  }
};
}  // namespace

TEST_F(KeeperLife, AfterAKilledServerTheKeeperEndsAllTreesAndFreesTheLock) {
  EXPECT_TRUE(soon([&] { return processes_with(marker_).size() >= 16; }));  // 15 and their owner
  auto held = quell::await_earlier_keeper(folder_.path(), Millis{0});
  ASSERT_FALSE(held.ok());
  EXPECT_EQ(held.error().code, quell::ErrorCode::store_locked);
  life_.kill();
  EXPECT_TRUE(quell::await_earlier_keeper(folder_.path(), patience).ok());
  EXPECT_EQ(processes_with(marker_).size(), 0u);
}

TEST_F(KeeperLife, TheNextLifeHuntsTheTreesOfAKilledKeeper) {
  EXPECT_TRUE(soon([&] { return processes_with(marker_).size() >= 16; }));
  ::kill(life_.keeper(), SIGSTOP);  // so that it can end nothing when its server dies
  life_.kill();
  ::kill(life_.keeper(), SIGKILL);
  EXPECT_TRUE(quell::await_earlier_keeper(folder_.path(), patience).ok());
  EXPECT_EQ(processes_with(marker_).size(), 0u);
}

TEST_F(KeeperLife, WithoutItsKeeperTheServerSaysThatItCannotProveTheEnd) {
  ::kill(life_.keeper(), SIGKILL);
  EXPECT_EQ(life_.line(), "died\n");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(life_.line(), "not reaped the keeper of programs has died\n");
  }
  EXPECT_TRUE(soon([&] { return processes_with(marker_).size() == 1; }));  // only the owner
}

TEST_F(UnmarkedLife, GuardsEndWhatNoMarkTellsOfWhenTheirKeeperIsKilled) {
  ::kill(life_.keeper(), SIGSTOP);
  life_.kill();
  const std::string daemon = std::string("sleep\0", 6) + marker_;
  EXPECT_TRUE(soon([&] { return processes_with(daemon).size() == 5; }));
  ::kill(life_.keeper(), SIGKILL);
  EXPECT_TRUE(quell::await_earlier_keeper(folder_.path(), patience).ok());
  EXPECT_EQ(processes_with(marker_).size(), 0u);
  const auto record = quell::KeeperRecord::open(folder_.path());
  EXPECT_FALSE(record->is_in_doubt());
}

TEST_F(UnmarkedLife, ThatLosesItsKeeperAndAGuardIsInDoubtUntilThatIsTold) {
  const auto one = guards();
  ASSERT_EQ(one.size(), 5u);
  ::kill(life_.keeper(), SIGSTOP);
  life_.kill();
  ::kill(one.front(), SIGKILL);
  ::kill(life_.keeper(), SIGKILL);
  for (int life = 0; life < 2; ++life) {
    EXPECT_TRUE(quell::await_earlier_keeper(folder_.path(), patience).ok());
    auto record = quell::KeeperRecord::open(folder_.path());
    EXPECT_TRUE(record->is_in_doubt());
    if (life == 1) record->set_doubt(false);
  }
  EXPECT_TRUE(quell::await_earlier_keeper(folder_.path(), patience).ok());
  EXPECT_FALSE(quell::KeeperRecord::open(folder_.path())->is_in_doubt());
  for (pid_t pid : processes_with(marker_)) ::kill(pid, SIGKILL);  // the one that nobody found
}

TEST_F(KeeperLife, AGuardThatIsHeldStillDoesNotHoldUpTheNextLife) {
  std::vector<pid_t> guards;
  EXPECT_TRUE(quell::process_tree::children_of(life_.keeper(), guards));
  for (pid_t pid : guards) ::kill(pid, SIGSTOP);
  ::kill(life_.keeper(), SIGSTOP);
  life_.kill();
  ::kill(life_.keeper(), SIGKILL);
  EXPECT_TRUE(quell::await_earlier_keeper(folder_.path(), patience).ok());
  EXPECT_EQ(processes_with(marker_).size(), 0u);
  EXPECT_TRUE(quell::KeeperRecord::open(folder_.path())->is_in_doubt());
}

TEST(KeeperLock, IsNotWaitedForByTheProcessThatOwnsIt) {
  EXPECT_TRUE(quell::await_earlier_keeper(folder_of_keeper(), Millis{0}).ok());
}

TEST(KeeperLock, IsFreeWhereNoKeeperEverWas) {
  const TestFolder folder;
  EXPECT_TRUE(quell::await_earlier_keeper(folder.path(), Millis{0}).ok());
}
