// Jobs that wait more than they work: 5,000 of 100 ms at 1,000 slots. The ideal is 0.5 s.
//   bench_io [--store sqlite] [--jobs 5000] [--slots 1000] [--ms 100]
#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

int main(int argc, char** argv) {
  const long jobs = number(argc, argv, "jobs", 5'000), slots = number(argc, argv, "slots", 1'000),
             ms = number(argc, argv, "ms", 100);
  const std::string seconds = std::to_string(static_cast<double>(ms) / 1e3);
  std::vector<double> times;
  for (int round = 0; round < 5; ++round) {
    Bench bench(option(argc, argv, "store", "sqlite"), static_cast<int>(slots));
    ask<Result<void>>([&](auto answer) {
      bench.node().set_queue("default", true, {}, answer);
    }).ok();
    bench.submit(static_cast<std::size_t>(jobs), "sleep", "{\"seconds\":" + seconds + "}");
    const Stopwatch watch;
    ask<Result<void>>([&](auto answer) {
      bench.node().set_queue("default", false, {}, answer);
    }).ok();
    bench.until([&] { return bench.jobs_in(JobState::succeeded) == jobs; });
    times.push_back(watch.seconds());
  }
  figure("io", std::to_string(jobs) + " x " + std::to_string(ms) + " ms", median(times), "s");
  figure("io", "ideal",
         static_cast<double>(jobs) / static_cast<double>(slots) * static_cast<double>(ms) / 1e3,
         "s");
}
