// The keeper must be forked before any thread exists, so the tests of this layer have a main of
// their own.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "tests/actors/keeper_of_tests.hpp"

namespace {
std::optional<TestFolder> the_folder;
std::optional<quell::Keeper> the_keeper;

quell::Keeper fork_keeper(const std::filesystem::path& data_dir) {
  auto keeper = quell::Keeper::fork_before_threads(data_dir);
  if (!keeper.ok()) {
    std::fprintf(stderr, "no keeper: %s\n", quell::to_string(keeper.error()).c_str());
    std::exit(1);
  }
  return std::move(keeper).value();
}
}  // namespace

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
  const int failed = RUN_ALL_TESTS();
  the_keeper.reset();
  the_folder.reset();
  return failed;
}
