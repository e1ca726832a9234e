// Whether the past slows the present: drain, pick-up and delete on an empty store and on one that
// holds ten million finished jobs, by turns.
//   bench_history [--store sqlite|postgres] [--finished 10000000] [--rounds 5]
#include "bench/measure/history.hpp"

#include <unistd.h>

#include "bench/harness.hpp"
#include "bench/measure/pickups.hpp"
#include "storage/store.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

struct Samples {
  std::vector<double> drain, pickup, one, queued;
};

// The disk is shared: what an earlier phase left to be written (a log to be folded in, pages of ten
// million rows) would be measured as this one's, and falls on either side by chance.
void settle(const Run& run) {
  ::sync();
  usleep(run.quick() ? 0 : 1'000'000);
  ::sync();
}

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

  settle(run);
  to.pickup.push_back(spread_of(Pickups::measure(bench, run.number("pickups", 200, 20))).median);

  const auto running = bench.submit(static_cast<std::size_t>(run.number("single", 200, 10)),
                                    "sleep", R"({"seconds":600})");
  settle(run);
  std::vector<double> ones;
  for (const JobId& id : running) {
    const Stopwatch call;
    bench.erase({id});
    ones.push_back(call.ms());
  }
  to.one.push_back(spread_of(ones).median);

  bench.pause(true);
  const auto queued =
      bench.submit(static_cast<std::size_t>(run.number("queued", 20'000, 500)), "noop");
  settle(run);
  const Stopwatch call;
  bench.erase(queued);
  to.queued.push_back(call.seconds());
}

void create(const std::string& store) {
  const auto made = storage::open_store(store, {.unsafe = true});
  if (!made) fail(to_string(made.error()));
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
  const std::string empty = run.fresh_store(), full = run.another_store();
  create(full);
  const Stopwatch writing;
  write_history(full, finished);
  run.figure("finished jobs written", static_cast<double>(finished), "jobs", Better::neither);
  run.figure("writing them", writing.seconds(), "s", Better::neither);
  Samples without, with;
  for (long round = 0; round < run.rounds(5); ++round) {
    measure(run, empty, without);
    measure(run, full, with);
  }
  compare(run, "drain", "s", without.drain, with.drain);
  compare(run, "pick-up p50", "ms", without.pickup, with.pickup);
  compare(run, "delete one running p50", "ms", without.one, with.one);
  compare(run, "delete queued", "s", without.queued, with.queued);
}
