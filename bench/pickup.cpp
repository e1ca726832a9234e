// How long a job waits on an idle system: from the call that submits it to the first line of its
// handler.
//   bench_pickup [--store sqlite|postgres] [--jobs 1000]
#include "bench/harness.hpp"
#include "bench/measure/pickups.hpp"

using namespace quell;
using namespace quell::bench;

int main(int argc, char** argv) {
  Run run("pickup", argc, argv);
  Registry registry;
  Pickups::add_kind(registry);
  Bench bench(run.fresh_store(), 10, std::move(registry));
  const auto waits = Pickups::measure(bench, run.number("jobs", 1'000, 30));
  run.figure("pick-up, all", waits, "ms", Better::lower);
  run.figure("pick-up p50", percentile(waits, 0.5), "ms", Better::lower);
  run.figure("pick-up p99", percentile(waits, 0.99), "ms", Better::lower);
}
