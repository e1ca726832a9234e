// The keeper must be forked before any thread exists, so the tests of this layer have a main of
// their own.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

#include "runtime/law/trace_check.hpp"
#include "tests/actors/effects/keeper_of_tests.hpp"
#include "tests/actors/stage/traced.hpp"

namespace {
std::optional<TestFolder> the_folder;
std::optional<quell::Keeper> the_keeper;

quell::Keeper fork_keeper(const std::filesystem::path& data_dir) {
  quell::ProgramPolicy policy;
  policy.enabled = true;
  policy.walled = false;  // of the walls the tests from outside tell; here programs work against us
  auto keeper = quell::Keeper::fork_before_threads(data_dir, policy);
  if (!keeper.ok()) {
    std::fprintf(stderr, "no keeper: %s\n", quell::to_string(keeper.error()).c_str());
    std::exit(1);
  }
  return std::move(keeper).value();
}

// What each test makes the actors do is a trace of the protocol, and must be one that it allows.
class TracedTests : public testing::EmptyTestEventListener {
 public:
  explicit TracedTests(std::string path) : path_(std::move(path)) { tests_ = this; }

  // A stage begins with an empty store and its ids from one: what it does is a trace of its own.
  static void begin_another() {
    if (tests_ == nullptr) return;
    tests_->judge();
    tests_->begin();
  }

  void OnTestStart(const testing::TestInfo&) override { begin(); }
  void OnTestEnd(const testing::TestInfo&) override { judge(); }

  void OnTestProgramEnd(const testing::UnitTest&) override {
    std::printf("trace: %llu steps judged\n", static_cast<unsigned long long>(steps_));
  }

 private:
  void begin() {
    std::remove(path_.c_str());
    ASSERT_TRUE(quell::traces::open(path_).ok());
  }

  void judge() {
    ASSERT_TRUE(quell::traces::open("").ok());
    std::ifstream lines(path_);
    const quell::TraceReport report = quell::check_trace(lines);
    steps_ += report.steps;
    for (const std::string& fault : report.faults) ADD_FAILURE() << "trace: " << fault;
  }

  static inline TracedTests* tests_ = nullptr;
  const std::string path_;
  std::uint64_t steps_ = 0;
};
}  // namespace

void begin_another_trace() {
  TracedTests::begin_another();
}

quell::Keeper& keeper_of_tests() {
  return *the_keeper;
}
const std::filesystem::path& folder_of_keeper() {
  return the_folder->path();
}

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--own-a-keeper") == 0) {
    own_a_keeper(fork_keeper(argv[2]), argv[3]);
  }
  testing::InitGoogleTest(&argc, argv);
  the_folder.emplace();
  the_keeper.emplace(fork_keeper(the_folder->path()));
  testing::UnitTest::GetInstance()->listeners().Append(
      new TracedTests((the_folder->path() / "trace").string()));  // which becomes its owner
  const int failed = RUN_ALL_TESTS();
  the_keeper.reset();
  the_folder.reset();
  return failed;
}
