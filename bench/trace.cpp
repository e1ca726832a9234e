// How long "where did it go?" takes in a store that holds ten million finished jobs: ids that are
// there, that were deleted (alone, and a thousand in a call with its receipt to be checked), and
// that nobody has seen.
//   bench_trace [--store sqlite|postgres] [--finished 10000000] [--deleted 20000] [--asked 4000]
#include <algorithm>
#include <random>

#include "bench/harness.hpp"
#include "bench/measure/history.hpp"
#include "http/api/traced.hpp"
#include "storage/store.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

struct Asked {
  const char* what;
  std::vector<JobId> ids;
};

// The ids that write_history() made are known by their number.
JobId historic(std::uint64_t number) {
  const std::uint64_t ms = 1'600'000'000'000 + number;
  JobId id;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  id.bytes[6] = 0x70;
  id.bytes[8] = 0x80;
  for (std::size_t i = 9; i < 16; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * (15 - i)));
  return id;
}

std::vector<Asked> delete_some(Bench& bench, long jobs) {
  Asked in_bulk{"deleted, a thousand in a call", {}}, alone{"deleted alone", {}};
  for (long done = 0; done < jobs; done += 1'000) {
    const auto ids = bench.submit(1'000, "noop", R"({"n":1})");
    bench.erase(ids);
    in_bulk.ids.insert(in_bulk.ids.end(), ids.begin(), ids.end());
  }
  for (const JobId& id : bench.submit(200, "sleep", R"({"seconds":600})")) {
    bench.erase({id});
    alone.ids.push_back(id);
  }
  return {std::move(in_bulk), std::move(alone)};
}

void measure(Run& run, storage::Reader& reader, const std::string& key,
             const std::vector<Asked>& all, long asked) {
  std::mt19937_64 random(1);
  const http::Asker asker{"", "bench", key};
  std::vector<double> every;
  for (const Asked& one : all) {
    std::vector<double> took;
    for (long i = 0; i < asked; ++i) {
      const JobId id = one.ids[random() % one.ids.size()];
      const Stopwatch watch;
      const auto traced = http::trace_id(reader, id, asker, system_clock().now());
      if (!traced) fail(to_string(traced.error()));
      static_cast<void>(http::traced_json(*traced, id));
      took.push_back(watch.ms());
    }
    every.insert(every.end(), took.begin(), took.end());
    run.figure(std::string("trace p99, ") + one.what, percentile(took, 0.99), "ms", Better::lower);
  }
  run.figure("trace p50, all", percentile(every, 0.5), "ms", Better::lower);
  run.figure("trace p99, all", percentile(every, 0.99), "ms", Better::lower);
}

}  // namespace

int main(int argc, char** argv) {
  Run run("trace", argc, argv);
  const long finished = run.number("finished", 10'000'000, 5'000);
  const std::string store = run.fresh_store();
  {
    const auto made = storage::open_store(store, {.unsafe = true});
    if (!made) fail(to_string(made.error()));
  }
  write_history(store, finished);
  run.figure("finished jobs written", static_cast<double>(finished), "jobs", Better::neither);
  std::vector<Asked> all;
  std::string key;
  {
    Bench bench(store, 1'000);
    all = delete_some(bench, run.number("deleted", 20'000, 2'000));
    Asked unknown{"never seen", {}};
    for (int i = 0; i < 1'000; ++i) unknown.ids.push_back(bench.node().ids().next());
    all.push_back(std::move(unknown));
    key = bench.node().public_key_pem();
  }
  Asked there{"there", {}};
  std::mt19937_64 random(2);
  for (int i = 0; i < 10'000; ++i)
    there.ids.push_back(historic(1 + random() % static_cast<std::uint64_t>(finished - 1)));
  all.push_back(std::move(there));
  const auto opened = storage::open_store(store, {.unsafe = true});
  if (!opened) fail(to_string(opened.error()));
  const auto reader = (*opened)->open_reader();
  if (!reader) fail(to_string(reader.error()));
  measure(run, **reader, key, all, run.number("asked", 4'000, 50));
}
