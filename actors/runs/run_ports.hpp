// Whom the supervisor of runs speaks to: actors in a node, lists in a test.
#pragma once

#include <cstdint>
#include <string>

#include "actors/messages.hpp"

namespace quell {

struct Kind;

class RunPorts {
 public:
  using RunNumber = std::uint64_t;  // of a run that was begun; 0: of none

  RunPorts() = default;
  RunPorts(const RunPorts&) = delete;
  RunPorts& operator=(const RunPorts&) = delete;
  virtual ~RunPorts() = default;

  // The number by which its end will be told (`RunSupervisor::run_down`), after this has returned.
  virtual RunNumber begin(storage::ClaimedJob job, const Kind& kind) = 0;
  virtual void stop(RunNumber run, StopCause cause) = 0;  // overtakes what waits for the run
  virtual void let_go(RunNumber run) = 0;                 // its end was dealt with

  virtual void write(WriteEnds ends) = 0;
  virtual void recall(const std::string& pool, int permits) = 0;
  virtual void take_census() = 0;
  virtual void say_stuck(const JobId& job) = 0;

  virtual void wake_in(Millis time) = 0;  // for check_deadlines; takes the place of the last one
  virtual void flush_later() = 0;         // when what waits now has been handled
};

}  // namespace quell
