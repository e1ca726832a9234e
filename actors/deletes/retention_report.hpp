// What is asked of a run of the sweep, and what it is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/clock.hpp"

namespace quell {

struct RetentionRun {
  std::string who;
  std::optional<std::uint64_t> confirm = {};  // takes up to so many
  bool confirmed = false;                     // confirm=true, where the node asks for it
  bool dry_run = false;
  Millis wait{20'000};  // then the report comes as it stands, and the run goes on
};

struct RetentionReport {
  std::uint64_t due = 0, results_due = 0, copies_due = 0;  // at the beginning
  bool due_is_partial = false;                             // there were more
  std::uint64_t deleted = 0, failed = 0, results_ended = 0, copies_ended = 0;
  bool confirmation_needed = false;  // more is due than a run takes on its own
  bool dry_run = false;
  bool complete = false;     // the run is over
  std::string stopped = {};  // why before its end; ""
};

}  // namespace quell
