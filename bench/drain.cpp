// No-op jobs from a full queue to an empty one: what the runtime itself costs per job, and whether
// it stays flat.
//   bench_drain [--store sqlite|memory:|postgres://…] [--jobs 200000] [--slots 1000]
#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

int main(int argc, char** argv) {
  const std::string store = option(argc, argv, "store", "sqlite");
  const auto jobs = static_cast<std::size_t>(number(argc, argv, "jobs", 200'000));
  const int slots = static_cast<int>(number(argc, argv, "slots", 1'000));
  Bench bench(store, slots);
  ask<Result<void>>([&](auto answer) { bench.node().set_queue("default", true, {}, answer); }).ok();

  const Stopwatch filling;
  bench.submit(jobs, "noop");
  figure("drain", "enqueue", static_cast<double>(jobs) / filling.seconds(), "jobs/s");

  const double cpu = cpu_seconds();
  const Stopwatch draining;
  ask<Result<void>>([&](auto answer) {
    bench.node().set_queue("default", false, {}, answer);
  }).ok();
  std::vector<double> per_second;
  std::int64_t before = 0;
  double last = 0;
  bench.until([&] {
    const std::int64_t done = bench.jobs_in(JobState::succeeded);
    if (const double now = draining.seconds(); now - last >= 1.0) {
      per_second.push_back(static_cast<double>(done - before) / (now - last));
      before = done;
      last = now;
    }
    return done == static_cast<std::int64_t>(jobs);
  });
  figure("drain", "noop", static_cast<double>(jobs) / draining.seconds(), "jobs/s");
  figure("drain", "cpu", (cpu_seconds() - cpu) * 1e6 / static_cast<double>(jobs), "us/job");
  if (per_second.size() >= 4) {
    const std::size_t part = per_second.size() / 3;
    const auto from = per_second.begin(), to = per_second.end();
    figure("drain", "last third / first third",
           median({to - static_cast<std::ptrdiff_t>(part), to}) /
               median({from, from + static_cast<std::ptrdiff_t>(part)}),
           "ratio");
  }
}
