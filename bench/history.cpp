// Whether the past slows the present: drain, pick-up and delete on an empty store and on one that
// holds ten million finished jobs.
//   bench_history [--store sqlite|postgres] [--finished 10000000] [--rounds 3]
#include "bench/measure/history.hpp"
#include "bench/harness.hpp"
#include "bench/measure/pickups.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

struct Samples {
  std::vector<double> drain, pickup, one, queued;
};

void measure(Run& run, const std::string& store, Samples& to) {
  Registry registry;
  Pickups::add_kind(registry);
  Bench bench(store, 1'000, std::move(registry));
  const long jobs = run.number("jobs", 100'000, 1'000);
  const double before = bench.succeeded();
  bench.pause(true);
  bench.submit(static_cast<std::size_t>(jobs), "noop");
  const Stopwatch draining;
  bench.pause(false);
  bench.until([&] { return bench.succeeded() - before >= static_cast<double>(jobs); }, 5'000);
  to.drain.push_back(draining.seconds());

  to.pickup.push_back(spread_of(Pickups::measure(bench, run.number("pickups", 200, 20))).median);

  std::vector<double> ones;
  for (const JobId& id : bench.submit(static_cast<std::size_t>(run.number("single", 100, 10)),
                                      "sleep", R"({"seconds":600})")) {
    const Stopwatch call;
    bench.erase({id});
    ones.push_back(call.ms());
  }
  to.one.push_back(spread_of(ones).median);

  bench.pause(true);
  const auto queued =
      bench.submit(static_cast<std::size_t>(run.number("queued", 20'000, 500)), "noop");
  const Stopwatch call;
  bench.erase(queued);
  to.queued.push_back(call.seconds());
}

void compare(Run& run, const std::string& what, const std::string& unit,
             const std::vector<double>& without, const std::vector<double>& with) {
  run.figure(what + ", no history", without, unit, Better::lower);
  run.figure(what + ", with history", with, unit, Better::lower);
  run.figure(what + ", with / without", spread_of(with).median / spread_of(without).median, "ratio",
             Better::lower);
}

}  // namespace

int main(int argc, char** argv) {
  Run run("history", argc, argv);
  const long finished = run.number("finished", 10'000'000, 5'000);
  const std::string store = run.fresh_store();
  Samples without, with;
  for (long round = 0; round < run.rounds(3); ++round) measure(run, store, without);
  const Stopwatch writing;
  write_history(store, finished);
  run.figure("finished jobs written", static_cast<double>(finished), "jobs", Better::neither);
  run.figure("writing them", writing.seconds(), "s", Better::neither);
  for (long round = 0; round < run.rounds(3); ++round) measure(run, store, with);
  compare(run, "drain", "s", without.drain, with.drain);
  compare(run, "pick-up p50", "ms", without.pickup, with.pickup);
  compare(run, "delete one running p50", "ms", without.one, with.one);
  compare(run, "delete queued", "s", without.queued, with.queued);
}
