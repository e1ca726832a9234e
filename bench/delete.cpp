// The promise under load: running jobs, queued jobs, one job, deleted in one operation.
//   bench_delete [--store sqlite] [--running 10000] [--queued 100000] [--single 300]
#include "bench/harness.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

void running(const std::string& store, std::size_t count) {
  Bench bench(store, static_cast<int>(count));
  const auto ids = bench.submit(count, "sleep", R"({"seconds":600})");
  bench.until([&] { return bench.pool().used == static_cast<int>(count); });
  const Stopwatch call;
  const DeleteReport report = bench.erase(ids);
  figure("delete", std::to_string(count) + " running", call.seconds(), "s");
  if (report.counts.killed != count) fail("not every running job was killed");
}

void queued(const std::string& store, std::size_t count) {
  Bench bench(store, 1, {}, false);
  const auto ids = bench.submit(count, "noop");
  const Stopwatch call;
  const DeleteReport report = bench.erase(ids);
  figure("delete", std::to_string(count) + " queued", call.seconds(), "s");
  if (report.counts.dequeued != count) fail("not every queued job was dequeued");
}

void single(const std::string& store, std::size_t count) {
  Bench bench(store, static_cast<int>(count));
  const auto ids = bench.submit(count, "sleep", R"({"seconds":600})");
  bench.until([&] { return bench.pool().used == static_cast<int>(count); });
  std::vector<double> calls;
  for (const JobId& id : ids) {
    const Stopwatch call;
    bench.erase({id});
    calls.push_back(call.seconds() * 1e3);
  }
  figure("delete", "one running p50", percentile(calls, 0.5), "ms");
  figure("delete", "one running p99", percentile(calls, 0.99), "ms");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string store = option(argc, argv, "store", "sqlite");
  single(store, static_cast<std::size_t>(number(argc, argv, "single", 300)));
  running(store, static_cast<std::size_t>(number(argc, argv, "running", 10'000)));
  queued(store, static_cast<std::size_t>(number(argc, argv, "queued", 100'000)));
}
