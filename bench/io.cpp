// Jobs that wait more than they work: 5,000 of 100 ms at 1,000 slots. The ideal is 0.5 s.
//   bench_io [--store sqlite|postgres] [--jobs 5000] [--slots 1000] [--ms 100] [--rounds 5]
#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

int main(int argc, char** argv) {
  Run run("io", argc, argv);
  const long jobs = run.number("jobs", 5'000, 500), slots = run.number("slots", 1'000, 250),
             ms = run.number("ms", 100, 20);
  const std::string args = "{\"seconds\":" + std::to_string(static_cast<double>(ms) / 1e3) + "}";
  std::vector<double> times;
  for (long round = 0; round < run.rounds(5); ++round) {
    Bench bench(run.fresh_store(), static_cast<int>(slots));
    bench.pause(true);
    bench.submit(static_cast<std::size_t>(jobs), "sleep", args);
    const Stopwatch watch;
    bench.pause(false);
    bench.until([&] { return bench.succeeded() >= static_cast<double>(jobs); });
    times.push_back(watch.seconds());
  }
  run.figure(std::to_string(jobs) + " x " + std::to_string(ms) + " ms", times, "s", Better::lower);
  run.figure("ideal",
             static_cast<double>(jobs) / static_cast<double>(slots) * static_cast<double>(ms) / 1e3,
             "s", Better::neither);
}
