// Suspended jobs: memory of each, and what the process does while all of them sleep.
//   bench_sleepers [--store sqlite|postgres] [--jobs 100000] [--idle 10]
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

void delete_all(Run& run, Bench& bench, const std::vector<JobId>& ids) {
  const auto count = static_cast<double>(ids.size());
  const double cpu = cpu_seconds(), commits = bench.commits();
  const Stopwatch call;
  const DeleteReport report = bench.erase(ids);
  run.figure("delete of all", call.seconds(), "s", Better::lower);
  run.figure("delete: processor time", (cpu_seconds() - cpu) * 1e6 / count, "us/job",
             Better::lower);
  run.figure("delete: commits", bench.commits() - commits, "commits", Better::neither);
  if (report.counts.killed != ids.size()) fail("not every sleeper was killed");
}
}  // namespace

int main(int argc, char** argv) {
  Run run("sleepers", argc, argv);
  const auto jobs = static_cast<std::size_t>(run.number("jobs", 100'000, 2'000));
  const auto count = static_cast<double>(jobs);
  Bench bench(run.fresh_store(), static_cast<int>(jobs));
  // The store's cache and the submit's own memory are no part of a suspended job: filled first.
  bench.submit(jobs / 10, "noop");
  bench.until([&] { return bench.succeeded() >= count / 10; });
  bench.pause(true);
  const auto ids = bench.submit(jobs, "sleep", R"({"seconds":3600})", Millis{7'200'000});
  malloc_trim(0);
  const double before = resident_kb();
  bench.pause(false);
  bench.until([&] { return bench.pool().used == static_cast<int>(jobs); });
  malloc_trim(0);
  run.figure("memory each", (resident_kb() - before) / count, "kB", Better::lower);
  const auto seconds = static_cast<unsigned>(run.number("idle", 10, 1));
  sleep(1);
  const double cpu = cpu_seconds();
  const Stopwatch idle;
  sleep(seconds);
  run.figure("idle processor time", (cpu_seconds() - cpu) / idle.seconds() * 100, "% of a core",
             Better::lower);
  delete_all(run, bench, ids);
}
