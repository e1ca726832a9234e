// Suspended jobs: memory of each, and what the process does while all of them sleep.
//   bench_sleepers [--store sqlite] [--jobs 100000]
#include <malloc.h>
#include <fstream>

#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

namespace {
double resident_kb() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024.0;
}
}  // namespace

int main(int argc, char** argv) {
  const auto jobs = static_cast<std::size_t>(number(argc, argv, "jobs", 100'000));
  Bench bench(option(argc, argv, "store", "sqlite"), static_cast<int>(jobs));
  std::vector<JobId> ids;
  {
    // The store's cache and the submit's own memory are no part of a suspended job: fill them
    // first.
    const auto warm = bench.submit(jobs / 10, "noop");
    bench.until(
        [&] { return bench.jobs_in(JobState::succeeded) == static_cast<std::int64_t>(jobs / 10); });
  }
  ask<Result<void>>([&](auto answer) { bench.node().set_queue("default", true, {}, answer); }).ok();
  ids = bench.submit(jobs, "sleep", R"({"seconds":3600})", Millis{7'200'000});
  malloc_trim(0);
  const double before = resident_kb();
  ask<Result<void>>([&](auto answer) {
    bench.node().set_queue("default", false, {}, answer);
  }).ok();
  bench.until([&] { return bench.pool().used == static_cast<int>(jobs); });
  malloc_trim(0);
  figure("sleepers", "memory each", (resident_kb() - before) / static_cast<double>(jobs), "kB");
  sleep(1);
  const double cpu = cpu_seconds();
  const Stopwatch idle;
  sleep(10);
  figure("sleepers", "idle cpu", (cpu_seconds() - cpu) / idle.seconds() * 100, "% of one core");
  const double delete_cpu = cpu_seconds();
  const double commits = bench.metric("quell_store_commits_total"),
               busy = bench.metric("quell_store_commit_microseconds_total");
  const Stopwatch call;
  const DeleteReport report = bench.erase(ids);
  figure("sleepers", "delete: cpu each",
         (cpu_seconds() - delete_cpu) * 1e6 / static_cast<double>(jobs), "us");
  figure("sleepers", "delete: commits", bench.metric("quell_store_commits_total") - commits,
         "transactions");
  figure("sleepers", "delete: in commits",
         (bench.metric("quell_store_commit_microseconds_total") - busy) / 1e6, "s");
  figure("sleepers", "delete of all", call.seconds(), "s");
  if (report.counts.killed != jobs) fail("not every sleeper was killed");
}
