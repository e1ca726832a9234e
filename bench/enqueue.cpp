// Jobs coming in: by the embedding API, one at a time, 64 calls in flight, in bulk; and over HTTP
// to the real binary, one connection, 64 connections, in bulk.
//   bench_enqueue [--store sqlite|postgres] [--rounds 3] [--single 2000] [--many 20000]
//                 [--bulk 100000]
#include <condition_variable>
#include <mutex>

#include "bench/harness.hpp"
#include "bench/measure/served.hpp"

using namespace quell;
using namespace quell::bench;

namespace {

// Lets `most` calls be under way at once.
class Window {
 public:
  explicit Window(long most) : most_(most) {}
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_ < most_; });
    ++open_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --open_;
    changed_.notify_all();
  }
  void wait_until_empty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_ == 0; });
  }

 private:
  const long most_;
  long open_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
};

double in_flight(Bench& bench, long window, long jobs) {
  Window calls(window);
  const Stopwatch watch;
  for (long i = 0; i < jobs; ++i) {
    calls.enter();
    std::vector<NewJob> one;
    one.push_back(bench.job("noop"));
    bench.node().submit(std::move(one), [&calls](auto) { calls.leave(); });
  }
  calls.wait_until_empty();
  return static_cast<double>(jobs) / watch.seconds();
}

void embedded(Run& run) {
  const long singles = run.number("single", 2'000, 50), many = run.number("many", 20'000, 500),
             bulk = run.number("bulk", 100'000, 2'000);
  std::vector<double> one, sixty_four, all, raw, of_raw, commits;
  for (long round = 0; round < run.rounds(3); ++round) {
    {
      Bench bench(run.fresh_store(), 1, {}, false);
      one.push_back(in_flight(bench, 1, singles));
      sixty_four.push_back(in_flight(bench, 64, many));
      const double before = bench.commits();
      const Stopwatch watch;
      bench.submit(static_cast<std::size_t>(bulk), "noop");
      all.push_back(static_cast<double>(bulk) / watch.seconds());
      commits.push_back((bench.commits() - before) / watch.seconds());
    }
    raw.push_back(raw_rates(run.fresh_store(), static_cast<std::size_t>(bulk)).enqueue);
    of_raw.push_back(all.back() / raw.back());
  }
  run.figure("one at a time", one, "jobs/s", Better::higher);
  run.figure("64 in flight", sixty_four, "jobs/s", Better::higher);
  run.figure("bulk", all, "jobs/s", Better::higher);
  run.figure("bulk: raw SQL", raw, "jobs/s", Better::neither);
  run.figure("bulk: of raw SQL", of_raw, "ratio", Better::higher);
  run.figure("bulk: commits", commits, "1/s", Better::neither);
}

std::string bulk_body(int jobs) {
  std::string body = "{\"jobs\":[";
  for (int i = 0; i < jobs; ++i) body += (i ? "," : "") + std::string(R"({"kind":"noop"})");
  return body + "]}";
}

void over_http(Run& run) {
  const long singles = run.number("single", 2'000, 50), many = run.number("many", 20'000, 500),
             bulk = run.number("bulk", 100'000, 2'000);
  std::vector<double> one, sixty_four, all, waits;
  for (long round = 0; round < run.rounds(3); ++round) {
    Scratch folder;
    Served served(run.fresh_store(), folder.path() + "/data");
    served.call("POST", "/api/v1/queues/default/pause");
    const auto timed = [&](const char* path, const std::string& body, int connections, long total) {
      const Stopwatch watch;
      waits = served.load("POST", path, body, connections, total);
      return static_cast<double>(total) / watch.seconds();
    };
    const std::string job = R"({"kind":"noop"})";
    one.push_back(timed("/api/v1/jobs", job, 1, singles));
    sixty_four.push_back(timed("/api/v1/jobs", job, 64, many));
    all.push_back(1e3 * timed("/api/v1/jobs/bulk-submit", bulk_body(1'000), 4, bulk / 1'000));
  }
  run.figure("HTTP, one connection", one, "jobs/s", Better::higher);
  run.figure("HTTP, 64 connections", sixty_four, "jobs/s", Better::higher);
  run.figure("HTTP, bulk of 1,000", all, "jobs/s", Better::higher);
}

}  // namespace

int main(int argc, char** argv) {
  Run run("enqueue", argc, argv);
  embedded(run);
  over_http(run);
}
