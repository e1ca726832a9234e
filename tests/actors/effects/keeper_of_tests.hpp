// The one keeper of this test binary, and the folder it lives in.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "actors/effects/keeper.hpp"

quell::Keeper& keeper_of_tests();
const std::filesystem::path& folder_of_keeper();

// The life of a second process with a keeper of its own: starts five programs of `script`, awaits a
// line of each, says "keeper PID", then "reaped" or "not reaped" for each that ends, and "died"
// when the keeper does; waits to be killed.
[[noreturn]] void own_a_keeper(quell::Keeper keeper, const std::string& script);

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "quell-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};
