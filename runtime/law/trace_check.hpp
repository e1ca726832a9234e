// Does what a process did follow the protocol? Reads the steps of one process in their order and
// names the first that the table (runtime/spec/protocol_steps.def) does not allow. Of several nodes
// each is judged by itself: what another node did is known only by what was read of it. What no
// process may do beside another is judged of all that ran on one machine, in the order of its
// clock.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/law/trace.hpp"

namespace quell {

class TraceCheck {
 public:
  // "" or what is wrong with it, as a sentence. After a fault the step counts as done.
  std::string take(const TracedStep& step);

 private:
  struct Key {
    std::int64_t epoch = 0;
    Uuid ref;
    auto operator<=>(const Key&) const = default;
  };
  struct OfJob {
    std::map<ProtocolStep, std::set<Key>> done;
    std::map<std::size_t, std::set<Key>> open;  // by rule: begun and not yet over
  };

  std::string fault_of(const TracedStep& step, const OfJob& job) const;
  void note(const TracedStep& step, OfJob& job);

  std::map<JobId, OfJob> jobs_;
};

struct TraceReport {
  std::uint64_t steps = 0;
  std::vector<std::string> faults;  // at most ten, each with its line
};
// A last line without an end is what a kill cut off.
TraceReport check_trace(std::istream& lines);

// One line of a process: `ends` is its last, after which nothing of it is open any more.
struct MomentStep {
  std::uint64_t moment = 0;
  std::size_t process = 0;
  TracedStep step;
  bool ends = false;
};

// The lines of all processes, in any order.
TraceReport check_merged(std::vector<MomentStep> steps);
// Of one process's trace; what is no line of one is left out, since `check_trace` names it.
std::vector<MomentStep> moments_of(std::istream& lines, std::size_t process);

}  // namespace quell
