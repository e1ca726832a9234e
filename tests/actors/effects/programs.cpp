#include "tests/actors/effects/programs.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "actors/effects/process_tree.hpp"
#include "tests/actors/effects/keeper_of_tests.hpp"

std::string unique_seconds() {
  static int count = 0;
  return "7" + std::to_string(::getpid()) + "." + std::to_string(++count) + "1";
}

std::vector<pid_t> processes_with(const std::string& marker) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file{entry.path() / "cmdline"};
    std::stringstream text;
    text << file.rdbuf();
    if (text.str().find(marker) != std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

bool keeper_is_alone() {
  std::vector<pid_t> children;
  EXPECT_TRUE(quell::process_tree::children_of(keeper_of_tests().pid(), children));
  return children.empty();
}

bool soon(const std::function<bool()>& true_now) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!true_now()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}
