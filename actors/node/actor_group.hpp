// The actors of one node and the system they play in: brought up in order, taken down in order.
// Hides CAF from the rest.
#pragma once

#include <memory>

#include "actors/fleet/registrar.hpp"
#include "actors/writes/clerk.hpp"

namespace quell {

class ActorGroup {
 public:
  // Starts everyone; the parts must be complete but for the node's context.
  ActorGroup(std::shared_ptr<NodeContext> context, ClerkParts clerk, RegistrarParts registrar,
             int job_threads);
  ~ActorGroup();  // everyone must be gone already, see `dismiss`

  // Stops taking work; says when nothing runs any more, and when no delivery flies. `at_once` hands
  // over what runs.
  void drain(bool at_once, std::function<void()> runs_over, std::function<void()> deliveries_over);
  // No beat any more; when the store knows that this life is over `done` is called, if it answers.
  void say_goodbye(std::function<void()> done);
  void hear(std::vector<std::string> hints);
  // Ends the control actors. With a run that can't be ended the system is left to the process's
  // end: false.
  bool dismiss(bool runs_are_over);

  NodeContext& context() { return *context_; }

 private:
  struct System;
  std::shared_ptr<NodeContext> context_;
  std::unique_ptr<System> system_;
};

}  // namespace quell
