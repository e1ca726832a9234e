// What a limit costs that never binds: jobs per second of claim + finish from one queue, with and
// without limits, by turns in one run, the best of each. The jobs of the lines with keys have one
// on both sides.
//   bench_limits [JOBS] [FOLDER]
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "storage/store.hpp"
#include "tests/storage/temporary_postgres.hpp"

namespace quell::storage {
namespace {

template <class T>
T checked(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", to_string(result.error()));
    std::exit(1);
  }
  return std::move(*result);
}

struct Load {
  const char* name;
  QueueLimits limits;
  int keys;  // 0: jobs without one
};

void fill(Writer& writer, std::size_t jobs, int keys) {
  IdSource ids(system_clock());
  for (std::size_t made = 0; made < jobs;) {
    Batch batch;
    for (int i = 0; i < 1'000 && made < jobs; ++i, ++made) {
      EnqueueOp& op = batch.enqueues.emplace_back();
      op.job.id = ids.next();
      op.job.kind = "noop";
      op.now = system_clock().now();
      if (keys > 0)
        op.job.options.limit_key = fmt::format("key{}", made % static_cast<std::size_t>(keys));
    }
    checked(writer.apply(batch));
  }
}

// Finishes a batch and claims the next one in one transaction, as the Clerk does.
double seconds_of(Writer& writer, const NodeLife& node, const QueueLimits& limits, int batch_size) {
  const auto from = std::chrono::steady_clock::now();
  Batch batch;
  while (true) {
    ClaimOp claim{"default", batch_size, node, system_clock().now(), limits};
    batch.claims = {claim};
    const Outcome out = checked(writer.apply(batch));
    batch = {};
    if (out.claims.at(0).empty()) break;
    for (const ClaimedJob& job : out.claims.at(0)) {
      FinishOp& op = batch.finishes.emplace_back();
      op.job = job.job;
      op.epoch = job.epoch;
      op.event = JobEvent::succeed;
      op.now = system_clock().now();
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  return took.count();
}

void compare(const char* store_name, const std::string& url, std::size_t jobs) {
  constexpr std::int64_t huge = 1'000'000;
  const std::vector<Load> loads{
      {"concurrency", {.concurrency = huge}, 0},
      {"concurrency, rate", {.concurrency = huge, .rate = {huge, 1}}, 0},
      {"per key, 100 keys", {.per_key = huge}, 100},
      {"key rate, 100 keys", {.key_rate = {huge, 1}}, 100},
  };
  const auto store = checked(open_store(url, {}));
  const auto writer = checked(store->open_writer());
  IdSource ids(system_clock());
  Batch start;
  start.starts = {{ids.next(), "{}", system_clock().now()}};
  const NodeLife node = checked(writer->apply(start)).starts.at(0);
  for (const int batch_size : {50, 500})
    for (const Load& load : loads) {
      double with = 1e9, without = 1e9;
      for (int round = 0; round < 3; ++round) {
        fill(*writer, jobs, load.keys);
        without = std::min(without, seconds_of(*writer, node, {}, batch_size));
        fill(*writer, jobs, load.keys);
        with = std::min(with, seconds_of(*writer, node, load.limits, batch_size));
      }
      const auto n = static_cast<double>(jobs);
      fmt::print("{:<9} {:<20} {:>5}  {:>8.0f}/s  {:>8.0f}/s  {:>5.2f}\n", store_name, load.name,
                 batch_size, n / with, n / without, without / with);
      std::fflush(stdout);
    }
}

}  // namespace
}  // namespace quell::storage

int main(int argc, char** argv) {
  const std::size_t jobs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20'000;
  const std::filesystem::path folder = argc > 2 ? argv[2] : std::filesystem::temp_directory_path();
  fmt::print("{:<9} {:<20} {:>5}  {:>10}  {:>10}  {:>5}\n", "", "", "batch", "limits", "none",
             "ratio");
  quell::storage::TemporaryPostgres server(folder);
  quell::storage::compare("postgres", server.url("postgres"), jobs);
  const std::filesystem::path file = folder / fmt::format("quell-bench-limits-{}", getpid());
  std::filesystem::create_directory(file);
  quell::storage::compare("sqlite", "sqlite:" + (file / "quell.db").string(), jobs);
  std::filesystem::remove_all(file);
  return 0;
}
