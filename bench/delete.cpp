// The promise under load: one running job; many running, queued, finished ones in one operation.
//   bench_delete [--store sqlite|postgres] [--rounds 3] [--single 300] [--running 10000]
//                [--queued 100000] [--finished 1000000]
#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

constexpr const char* for_long = R"({"seconds":600})";

std::size_t size(long number) {
  return static_cast<std::size_t>(number);
}

void check(std::uint64_t counted, std::size_t wanted) {
  if (counted != wanted) fail("the delete's counts do not tell of every job");
}

std::vector<JobId> start_sleepers(Bench& bench, std::size_t count) {
  auto ids = bench.submit(count, "sleep", for_long);
  bench.until([&] { return bench.pool().used == static_cast<int>(count); });
  return ids;
}

void one_by_one(Run& run, std::size_t count) {
  Bench bench(run.fresh_store(), static_cast<int>(count));
  std::vector<double> calls;
  for (const JobId& id : start_sleepers(bench, count)) {
    const Stopwatch call;
    bench.erase({id});
    calls.push_back(call.ms());
  }
  run.figure("one running, all calls", calls, "ms", Better::lower);
  run.figure("one running p50", percentile(calls, 0.5), "ms", Better::lower);
  run.figure("one running p99", percentile(calls, 0.99), "ms", Better::lower);
}

void running(Run& run, std::size_t count) {
  std::vector<double> calls;
  for (long round = 0; round < run.rounds(3); ++round) {
    Bench bench(run.fresh_store(), static_cast<int>(count));
    const auto ids = start_sleepers(bench, count);
    const Stopwatch call;
    const DeleteReport report = bench.erase(ids);
    calls.push_back(call.seconds());
    check(report.counts.killed, count);
  }
  run.figure(std::to_string(count) + " running", calls, "s", Better::lower);
}

void queued(Run& run, std::size_t count) {
  std::vector<double> calls, rates, raw, commits;
  for (long round = 0; round < run.rounds(3); ++round) {
    {
      Bench bench(run.fresh_store(), 1, {}, false);
      const auto ids = bench.submit(count, "noop");
      const double before = bench.commits();
      const Stopwatch call;
      const DeleteReport report = bench.erase(ids);
      calls.push_back(call.seconds());
      rates.push_back(static_cast<double>(count) / calls.back());
      commits.push_back((bench.commits() - before) / calls.back());
      check(report.counts.dequeued, count);
    }
    raw.push_back(raw_rates(run.fresh_store(), std::min<std::size_t>(count, 50'000), true).erase);
  }
  run.figure(std::to_string(count) + " queued", calls, "s", Better::lower);
  run.figure("queued jobs deleted", rates, "jobs/s", Better::higher);
  run.figure("queued: raw SQL", raw, "jobs/s", Better::neither);
  run.figure("queued: commits", commits, "1/s", Better::neither);
}

void finished(Run& run, std::size_t count) {
  Bench bench(run.fresh_store(), 1'000);
  bench.pause(true);
  const auto ids = bench.submit(count, "noop");
  bench.pause(false);
  bench.until([&] { return bench.succeeded() >= static_cast<double>(count); }, 5'000);
  const Stopwatch call;
  const DeleteReport report = bench.erase(ids, Millis{600'000});
  const double took = call.seconds();
  check(report.counts.at_rest, count);
  run.figure(std::to_string(count) + " finished", took, "s", Better::lower);
  run.figure("finished jobs deleted", static_cast<double>(count) / took, "jobs/s", Better::higher);
}

}  // namespace

int main(int argc, char** argv) {
  Run run("delete", argc, argv);
  one_by_one(run, size(run.number("single", 300, 20)));
  running(run, size(run.number("running", 10'000, 500)));
  queued(run, size(run.number("queued", 100'000, 2'000)));
  finished(run, size(run.number("finished", 1'000'000, 2'000)));
}
