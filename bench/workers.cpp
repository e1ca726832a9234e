// The drain again, by several processes that share one PostgreSQL.
//   bench_workers [--jobs 300000] [--slots 1000]
#include <unistd.h>

#include <memory>

#include "bench/measure/raw.hpp"
#include "bench/measure/run.hpp"
#include "bench/measure/served.hpp"
#include "bench/measure/stopwatch.hpp"
#include "bench/measure/store_under_test.hpp"
#include "storage/store.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

double done(storage::Reader& reader) {
  const auto counts = reader.counts("");
  if (!counts) fail(to_string(counts.error()));
  double n = 0;
  for (const storage::CountRow& row : *counts)
    if (row.state == JobState::succeeded) n += static_cast<double>(row.n);
  return n;
}

void drain(Run& run, int workers) {
  const long jobs = run.number("jobs", 300'000, 4'000), slots = run.number("slots", 1'000, 100);
  const std::string url = run.fresh_store();
  fill(url, static_cast<std::size_t>(jobs));
  const auto store = storage::open_store(url, {.unsafe = true});
  if (!store) fail(to_string(store.error()));
  const auto reader = (*store)->open_reader();
  if (!reader) fail(to_string(reader.error()));

  const Scratch folder;
  // None starts before all are there.
  const std::vector<std::string> flags{"--pool", "default=0"};
  std::vector<std::unique_ptr<Served>> all;
  for (int i = 0; i < workers; ++i)
    all.push_back(
        std::make_unique<Served>(url, folder.path() + "/" + std::to_string(i), flags, "worker"));
  for (const auto& worker : all) worker->share_token(*all.front());
  const double before = done(**reader), cpu = run.server_cpu_seconds();
  const Stopwatch watch;
  for (const auto& worker : all)
    worker->call("PATCH", "/api/v1/pools/default", "{\"capacity\":" + std::to_string(slots) + "}");
  double now = before;
  while (now < static_cast<double>(jobs)) {
    usleep(20'000);
    now = done(**reader);
  }
  const double count = now - before;
  if (count <= 0) fail("all was done before all workers were there: more jobs are wanted");
  const std::string name = std::to_string(workers) + (workers == 1 ? " worker" : " workers");
  run.figure(name, count / watch.seconds(), "jobs/s", Better::higher);
  run.figure(name + ": processor time of the server",
             (run.server_cpu_seconds() - cpu) * 1e6 / count, "us/job", Better::lower);
}

}  // namespace

int main(int argc, char** argv) {
  Run run("workers", argc, argv, "postgres");
  for (const int workers : {1, 2, 4}) drain(run, workers);
}
