// The whole program as one call, for whoever links kinds of his own into a `main` of his own:
//
//   int main(int argc, char** argv) {
//     quell::Registry registry;
//     quell::add_standard_kinds(registry);
//     registry.add("report", report);
//     return quell::run(argc, argv, std::move(registry));
//   }
#pragma once

#include "runtime/task/task.hpp"

namespace quell {

// Call it before the process has a second thread: `serve` forks its keeper first.
int run(int argc, char** argv, Registry registry);

}  // namespace quell
