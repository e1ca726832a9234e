// What a limit costs that never binds: jobs of claim + finish from one queue per second of
// processor time, ours and the database's, with and without limits, by turns in one run. The jobs
// of the lines with keys have one on both sides. (Processor time, because what a limit adds is work
// and no wait, and a busy machine does not blur it.)
//   bench_limits [--store sqlite|postgres] [--jobs 20000] [--rounds 3]
#include <fmt/core.h>

#include <string>
#include <vector>

#include "bench/measure/run.hpp"
#include "storage/store.hpp"

namespace quell::storage {
namespace {

using bench::Better;
using bench::Run;

template <class T>
T checked(Result<T> result) {
  if (!result.ok()) bench::fail(to_string(result.error()));
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
double seconds_of(const Run& run, Writer& writer, const NodeLife& node, const QueueLimits& limits,
                  int batch_size) {
  const auto spent = [&run] { return bench::cpu_seconds() + run.server_cpu_seconds(); };
  const double from = spent();
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
  return spent() - from;
}

// By turns, so that both sides of a ratio saw the same machine.
void compare(const Run& run, Writer& writer, const NodeLife& node, const Load& load,
             int batch_size) {
  const long jobs = run.number("jobs", 20'000, 500);
  std::vector<double> with, without, ratio;
  for (long round = 0; round < run.rounds(3); ++round) {
    fill(writer, static_cast<std::size_t>(jobs), load.keys);
    const double free = seconds_of(run, writer, node, {}, batch_size);
    fill(writer, static_cast<std::size_t>(jobs), load.keys);
    const double limited = seconds_of(run, writer, node, load.limits, batch_size);
    with.push_back(static_cast<double>(jobs) / limited);
    without.push_back(static_cast<double>(jobs) / free);
    ratio.push_back(free / limited);
  }
  const std::string work = fmt::format("{}, batch {}", load.name, batch_size);
  run.figure(work + ": with", with, "jobs/cpu-s", Better::higher);
  run.figure(work + ": without", without, "jobs/cpu-s", Better::higher);
  run.figure(work + ": ratio", ratio, "", Better::higher);
}

void compare_all(Run& run) {
  constexpr std::int64_t huge = 1'000'000;
  const std::vector<Load> loads{
      {"concurrency", {.concurrency = huge}, 0},
      {"concurrency and rate", {.concurrency = huge, .rate = {huge, 1}}, 0},
      {"per key, 100 keys", {.per_key = huge}, 100},
      {"key rate, 100 keys", {.key_rate = {huge, 1}}, 100},
  };
  OpenOptions options;
  options.unsafe = true;
  const auto store = checked(open_store(run.fresh_store(), options));
  const auto writer = checked(store->open_writer());
  IdSource ids(system_clock());
  Batch start;
  start.starts = {{ids.next(), "{}", system_clock().now()}};
  const NodeLife node = checked(writer->apply(start)).starts.at(0);
  for (const int batch_size : {50, 500})
    for (const Load& load : loads) compare(run, *writer, node, load, batch_size);
}

}  // namespace
}  // namespace quell::storage

int main(int argc, char** argv) {
  quell::bench::Run run("limits", argc, argv);
  quell::storage::compare_all(run);
}
