// Jobs one at a time on an idle node, each timed from its submit to its first line.
#pragma once

#include <vector>

#include "bench/harness.hpp"

namespace quell::bench {

struct Pickups {
  static void add_kind(Registry& registry);
  static std::vector<double> measure(Bench& bench, long jobs);  // milliseconds
};

}  // namespace quell::bench
