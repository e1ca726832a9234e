#include "bench/measure/pickups.hpp"

#include <atomic>
#include <chrono>

namespace quell::bench {

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

void Pickups::add_kind(Registry& registry) {
  registry.add("note", note_start);
}

std::vector<double> Pickups::measure(Bench& bench, long jobs) {
  std::vector<double> waits;
  for (long i = 0; i < jobs; ++i) {
    began = false;
    std::vector<NewJob> one;
    one.push_back(bench.job("note"));
    const auto from = std::chrono::steady_clock::now();
    bench.node().submit(std::move(one), [](auto) {});
    began.wait(false);
    waits.push_back(std::chrono::duration<double, std::milli>(began_at - from).count());
    usleep(2'000);  // idle again
  }
  return waits;
}

}  // namespace quell::bench
