// No-op jobs from a full queue to an empty one: what the runtime itself costs per job, beside the
// bare verbs of the store, and whether it stays flat.
//   bench_drain [--store sqlite|postgres] [--jobs 1000000] [--slots 1000] [--rounds 1]
#include <algorithm>

#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

struct Samples {
  std::vector<double> fill, drain, cpu, server_cpu, commits, raw, of_raw, flat, seconds;
};

// How fast the last third went beside the first; nothing of a run that was over at once.
void note_flatness(Samples& to, const std::vector<double>& rates) {
  if (rates.size() < 4) return;
  const auto third = static_cast<std::ptrdiff_t>(rates.size() / 3);
  to.flat.push_back(spread_of({rates.end() - third, rates.end()}).median /
                    spread_of({rates.begin(), rates.begin() + third}).median);
}

void drain(Run& run, Samples& to) {
  const long jobs = run.number("jobs", 1'000'000, 4'000);
  const auto count = static_cast<double>(jobs);
  Bench bench(run.fresh_store(), static_cast<int>(run.number("slots", 1'000, 1'000)));
  bench.pause(true);
  const Stopwatch filling;
  bench.submit(static_cast<std::size_t>(jobs), "noop");
  to.fill.push_back(count / filling.seconds());

  const double cpu = cpu_seconds(), server_cpu = run.server_cpu_seconds(),
               commits = bench.commits();
  const Stopwatch draining;
  bench.pause(false);
  std::vector<double> rates;
  double before = 0, last = 0;
  const auto is_done = [&] {
    const double done = bench.succeeded(), now = draining.seconds();
    if (now - last >= 1.0) {
      rates.push_back((done - before) / (now - last));
      before = done;
      last = now;
    }
    return done >= count;
  };
  bench.until(is_done, 5'000);
  const double took = draining.seconds();
  to.drain.push_back(count / took);
  to.cpu.push_back((cpu_seconds() - cpu) * 1e6 / count);
  to.server_cpu.push_back((run.server_cpu_seconds() - server_cpu) * 1e6 / count);
  to.commits.push_back((bench.commits() - commits) / took);
  to.seconds.insert(to.seconds.end(), rates.begin(), rates.end());
  note_flatness(to, rates);
}

}  // namespace

int main(int argc, char** argv) {
  Run run("drain", argc, argv);
  Samples all;
  const auto raw_jobs = static_cast<std::size_t>(run.number("raw-jobs", 200'000, 2'000));
  for (long round = 0; round < run.rounds(1); ++round) {
    drain(run, all);
    all.raw.push_back(raw_rates(run.fresh_store(), raw_jobs).run);
    all.of_raw.push_back(all.drain.back() / all.raw.back());
  }
  run.figure("noop drain", all.drain, "jobs/s", Better::higher);
  if (!all.seconds.empty())
    run.figure("noop drain, each second", all.seconds, "jobs/s", Better::higher);
  run.figure("raw SQL", all.raw, "jobs/s", Better::neither);
  run.figure("of raw SQL", all.of_raw, "ratio", Better::higher);
  run.figure("commits", all.commits, "1/s", Better::neither);
  run.figure("processor time", all.cpu, "us/job", Better::lower);
  if (run.is_postgres())
    run.figure("processor time of the server", all.server_cpu, "us/job", Better::lower);
  run.figure("fill before", all.fill, "jobs/s", Better::higher);
  if (!all.flat.empty()) run.figure("last third / first third", all.flat, "ratio", Better::higher);
}
