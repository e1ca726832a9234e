// How long a job waits on an idle system: from the call that submits it to the first line of its
// handler.
//   bench_pickup [--store sqlite] [--jobs 1000]
#include <atomic>

#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

namespace {
std::atomic<bool> began{false};
std::chrono::steady_clock::time_point began_at;

Task note_start(JobContext) {
  began_at = std::chrono::steady_clock::now();
  began = true;
  began.notify_one();
  co_return std::string();
}
}  // namespace

int main(int argc, char** argv) {
  const long jobs = number(argc, argv, "jobs", 1'000);
  Registry registry;
  registry.add("note", note_start);
  Bench bench(option(argc, argv, "store", "sqlite"), 10, std::move(registry));
  std::vector<double> waits;
  for (long i = 0; i < jobs; ++i) {
    began = false;
    NewJob job;
    job.id = bench.node().ids().next();
    job.kind = "note";
    std::vector<NewJob> one;
    one.push_back(std::move(job));
    const auto from = std::chrono::steady_clock::now();
    bench.node().submit(std::move(one), [](auto) {});
    began.wait(false);
    waits.push_back(Seconds(began_at - from).count() * 1e3);
    usleep(2'000);  // idle again
  }
  figure("pickup", "p50", percentile(waits, 0.5), "ms");
  figure("pickup", "p99", percentile(waits, 0.99), "ms");
}
