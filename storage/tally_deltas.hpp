// Counts per project, queue and state, gathered over a batch and written once at its end: a batch
// of 500 claims is two rows of `tally`, not a thousand.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/law/job_machine.hpp"

namespace quell::storage {

class TallyDeltas {
 public:
  static constexpr std::size_t states = 8;
  using Deltas = std::array<std::int64_t, states>;
  struct Line {
    std::string project, queue;
    Deltas deltas{};
  };

  void born(std::string_view project, std::string_view queue, JobState state) {
    row(project, queue)[index(state)] += 1;
  }
  void moved(std::string_view project, std::string_view queue, JobState from, JobState to) {
    auto& deltas = row(project, queue);
    deltas[index(from)] -= 1;
    deltas[index(to)] += 1;
  }
  void gone(std::string_view project, std::string_view queue, JobState state) {
    row(project, queue)[index(state)] -= 1;
  }
  void forget() { lines_.clear(); }
  const std::vector<Line>& lines() const { return lines_; }

 private:
  static std::size_t index(JobState state) { return static_cast<std::size_t>(state); }
  Deltas& row(std::string_view project, std::string_view queue);

  std::vector<Line> lines_;
  std::size_t last_ = 0;
};

}  // namespace quell::storage
