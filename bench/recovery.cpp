// kill -9 with a full pool and a long queue: how long until the next process serves, until its pool
// is full again, and whether a job is missing.
//   bench_recovery [--store sqlite|postgres] [--queued 100000] [--slots 100] [--rounds 3]
#include <nlohmann/json.hpp>

#include "bench/measure/run.hpp"
#include "bench/measure/served.hpp"
#include "bench/measure/stopwatch.hpp"
#include "bench/measure/store_under_test.hpp"

using namespace quell::bench;
using nlohmann::json;

namespace {

long slots_used(Served& served) {
  return json::parse(served.call("GET", "/api/v1/pools")).at("pools").at(0).at("used");
}

long jobs_kept(Served& served) {
  const json counts =
      json::parse(served.call("GET", "/api/v1/jobs/counts?group_by=status")).at("counts");
  return counts.value("queued", 0L) + counts.value("running", 0L);
}

std::string thousand_sleepers() {
  json body{{"jobs", json::array()}};
  for (int i = 0; i < 1'000; ++i)
    body["jobs"].push_back({{"kind", "sleep"}, {"args", {{"seconds", 3'600}}}});
  return body.dump();
}

}  // namespace

int main(int argc, char** argv) {
  Run run("recovery", argc, argv);
  const long jobs = run.number("queued", 100'000, 1'000), slots = run.number("slots", 100, 100);
  const std::vector<std::string> flags{"--pool", "default=" + std::to_string(slots)};
  std::vector<double> to_serving, to_full_pool, lost;
  for (long round = 0; round < run.rounds(3); ++round) {
    const Scratch folder;
    const std::string store = run.fresh_store(), data = folder.path() + "/data";
    {
      Served served(store, data, flags);
      served.load("POST", "/api/v1/jobs/bulk-submit", thousand_sleepers(), 2, jobs / 1'000);
      while (slots_used(served) < slots) usleep(1'000);
      served.kill_hard();
    }
    const Stopwatch since;
    Served served(store, data, flags);
    to_serving.push_back(served.seconds_to_ready() * 1e3);
    while (slots_used(served) < slots) usleep(1'000);
    to_full_pool.push_back(since.ms());
    lost.push_back(static_cast<double>(jobs - jobs_kept(served)));
    served.kill_hard();  // its sleepers need no good end
  }
  run.figure("kill -9 to serving", to_serving, "ms", Better::lower);
  run.figure("kill -9 to a full pool", to_full_pool, "ms", Better::lower);
  run.figure("jobs lost", lost, "jobs", Better::lower);
  if (spread_of(lost).most > 0) fail("a job is missing");
}
