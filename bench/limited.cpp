// What a limit that never binds costs a whole node: a drain of no-op jobs from one queue, with and
// without limits, by turns on the same store. The jobs have one of a hundred keys on both sides.
// (`limits` measures the store's part alone, by processor time and batch.)
//   bench_limited [--store sqlite|postgres] [--jobs 100000] [--slots 1000] [--rounds 3]
#include <algorithm>

#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

struct Load {
  const char* name;
  QueueLimits limits;
};

std::vector<NewJob> keyed_jobs(Bench& bench, std::size_t from, std::size_t count) {
  std::vector<NewJob> jobs;
  for (std::size_t i = from; i < from + count; ++i) {
    jobs.push_back(bench.job("noop"));
    jobs.back().options.limit_key = "key" + std::to_string(i % 100);
  }
  return jobs;
}

void limit(Bench& bench, const QueueLimits& limits) {
  const auto set = ask<Result<storage::DocResult>>(
      [&](auto answer) { bench.node().limit_queue("default", limits, {}, answer); });
  if (!set) fail(to_string(set.error()));
}

double rate_of_drain(Bench& bench, std::size_t jobs) {
  bench.pause(true);
  const double before = bench.succeeded();
  for (std::size_t made = 0; made < jobs; made += 1'000)
    bench.submit(keyed_jobs(bench, made, std::min<std::size_t>(1'000, jobs - made)));
  const Stopwatch draining;
  bench.pause(false);
  bench.until([&] { return bench.succeeded() - before >= static_cast<double>(jobs); }, 2'000);
  return static_cast<double>(jobs) / draining.seconds();
}

void compare(Run& run, const Load& load, std::size_t jobs) {
  Bench bench(run.fresh_store(), static_cast<int>(run.number("slots", 1'000, 200)));
  std::vector<double> with, without, ratio;
  for (long round = 0; round < run.rounds(3); ++round) {
    limit(bench, {});
    without.push_back(rate_of_drain(bench, jobs));
    limit(bench, load.limits);
    with.push_back(rate_of_drain(bench, jobs));
    ratio.push_back(with.back() / without.back());
  }
  const std::string name = load.name;
  run.figure(name + ": with", with, "jobs/s", Better::higher);
  run.figure(name + ": without", without, "jobs/s", Better::higher);
  run.figure(name + ": ratio", ratio, "", Better::higher);
}

}  // namespace

int main(int argc, char** argv) {
  Run run("limited", argc, argv);
  constexpr std::int64_t huge = 1'000'000;
  const auto jobs = static_cast<std::size_t>(run.number("jobs", 100'000, 2'000));
  for (const Load& load : {Load{"concurrency", {.concurrency = huge}},
                           Load{"concurrency and rate", {.concurrency = huge, .rate = {huge, 1}}},
                           Load{"per key, 100 keys", {.per_key = huge}},
                           Load{"key rate, 100 keys", {.key_rate = {huge, 1}}}})
    compare(run, load, jobs);
}
