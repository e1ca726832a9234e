// Pool exhaustion, the case that the product exists for: a full pool, a queue behind it, one call
// that deletes all, and a probe job that must run at once.
//   bench_exhaust [--store sqlite|postgres] [--rounds 9]
#include <atomic>

#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

std::atomic<int> orphans{0}, alive{0};
std::atomic<bool> deleted{false};

struct Alive {
  Alive() { ++alive; }
  ~Alive() { --alive; }
};

// A sleeper that tells when it starts although its delete was acknowledged before.
Task sleeper(JobContext job) {
  const Alive until_the_frame_goes;
  if (deleted) ++orphans;
  const Millis an_hour{3'600'000};
  co_await job.sleep(an_hour);
  co_return std::string();
}

std::atomic<bool> probed{false};
Task probe(JobContext) {
  probed = true;
  probed.notify_one();
  co_return std::string();
}

void exhaust(Run& run, int slots, std::size_t queued, long rounds) {
  std::vector<double> calls, probes, left;
  orphans = 0;
  const std::string name = std::to_string(slots) + "/" + std::to_string(queued);
  for (long round = 0; round < rounds; ++round) {
    deleted = false;
    probed = false;
    Registry registry;
    registry.add("sleeper", sleeper);
    registry.add("probe", probe);
    Bench bench(run.fresh_store(), slots, std::move(registry));
    const auto ids = bench.submit(static_cast<std::size_t>(slots) + queued, "sleeper");
    bench.until([&] { return bench.pool().used == slots; });
    const Stopwatch call;
    const DeleteReport report = bench.erase(ids);
    calls.push_back(call.ms());
    left.push_back(alive);
    deleted = true;
    const auto killed = static_cast<std::uint64_t>(slots);
    if (report.counts.killed != killed || report.counts.dequeued != queued ||
        report.counts.slots_freed != killed)
      fail("the counts do not tell of every run killed and every entry dequeued");
    const Stopwatch waiting;
    bench.submit(1, "probe");
    probed.wait(false);
    probes.push_back(waiting.ms());
  }
  run.figure(name + " delete call", calls, "ms", Better::lower);
  run.figure(name + " probe runs after", probes, "ms", Better::lower);
  run.figure(name + " running: refused", 0, "jobs", Better::lower);
  run.figure(name + " running: alive afterwards", left, "jobs", Better::lower);
  run.figure(name + " orphan starts", orphans, "jobs", Better::lower);
  if (orphans > 0) fail("a job started after its delete was acknowledged");
}

}  // namespace

int main(int argc, char** argv) {
  Run run("exhaust", argc, argv);
  const long rounds = run.rounds(9);
  exhaust(run, 20, 80, rounds);
  exhaust(run, 100, 400, rounds);
  if (!run.quick()) exhaust(run, 1'000, 9'000, std::min(rounds, 3L));
}
