// What every benchmark of the runtime needs: a node of its own on a store of its own, many jobs,
// and figures that print the same way: a line for people and one JSON line for the baselines.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "actors/node.hpp"

namespace quell::bench {

using Seconds = std::chrono::duration<double>;

class Stopwatch {
 public:
  double seconds() const { return Seconds(std::chrono::steady_clock::now() - from_).count(); }

 private:
  std::chrono::steady_clock::time_point from_ = std::chrono::steady_clock::now();
};

inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0.0 : values[values.size() / 2];
}

inline double percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  if (values.empty()) return 0.0;
  const auto at = static_cast<std::size_t>(p * static_cast<double>(values.size() - 1));
  return values[at];
}

inline void figure(const std::string& work, const std::string& name, double value,
                   const std::string& unit) {
  std::printf("%-28s %-28s %14.3f %s\n", work.c_str(), name.c_str(), value, unit.c_str());
  std::printf("{\"bench\":\"%s\",\"figure\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"}\n", work.c_str(),
              name.c_str(), value, unit.c_str());
  std::fflush(stdout);
}

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(1);
}

// `--name value` or its default.
inline std::string option(int argc, char** argv, const std::string& name,
                          const std::string& otherwise) {
  for (int i = 1; i + 1 < argc; ++i)
    if (argv[i] == "--" + name) return argv[i + 1];
  return otherwise;
}
inline long number(int argc, char** argv, const std::string& name, long otherwise) {
  return std::stol(option(argc, argv, name, std::to_string(otherwise)));
}

// A directory that goes with the program.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "quell-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail("no temporary directory");
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <class T, class F>
T ask(F call) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  call([promise](T result) { promise->set_value(std::move(result)); });
  return future.get();
}

class Bench {
 public:
  Bench(const std::string& store, int slots, Registry registry = {}, bool take_work = true) {
    NodeSettings settings;
    settings.data_dir = scratch_.path() + "/data";
    settings.store = store == "sqlite" ? "sqlite:" + scratch_.path() + "/quell.db" : store;
    settings.unsafe = true;
    settings.pools = {{"default", slots}};
    settings.clerk_queue = 10'000'000;
    settings.take_work = take_work;
    add_standard_kinds(registry);
    auto node = start_node(settings, std::move(registry), nullptr);
    if (!node) fail(to_string(node.error()));
    node_ = std::move(node).value();
  }

  Node& node() { return *node_; }

  std::vector<JobId> submit(std::size_t count, const std::string& kind,
                            const std::string& args = {}, std::optional<Millis> timeout = {}) {
    std::vector<JobId> ids;
    ids.reserve(count);
    std::vector<std::future<Result<std::vector<storage::EnqueueResult>>>> waiting;
    while (ids.size() < count) {
      std::vector<NewJob> jobs;
      for (std::size_t i = 0; i < 1'000 && ids.size() < count; ++i) {
        NewJob job;
        job.id = node_->ids().next();
        job.kind = kind;
        job.args = args;
        if (timeout) job.options.timeout = *timeout;
        ids.push_back(job.id);
        jobs.push_back(std::move(job));
      }
      auto promise = std::make_shared<std::promise<Result<std::vector<storage::EnqueueResult>>>>();
      waiting.push_back(promise->get_future());
      node_->submit(std::move(jobs),
                    [promise](auto result) { promise->set_value(std::move(result)); });
    }
    for (auto& one : waiting)
      if (auto result = one.get(); !result) fail(to_string(result.error()));
    return ids;
  }

  std::int64_t jobs_in(JobState state) {
    auto counts = ask<Result<std::vector<storage::CountRow>>>([&](auto answer) {
      node_->read([answer](storage::Reader& reader) { answer(reader.counts("")); });
    });
    if (!counts) fail(to_string(counts.error()));
    std::int64_t n = 0;
    for (const auto& row : *counts) n += row.state == state ? row.n : 0;
    return n;
  }

  // Looks each millisecond; the figures that need better have their own events.
  template <class F>
  void until(F holds) {
    while (!holds()) usleep(1'000);
  }

  DeleteReport erase(std::vector<JobId> jobs, Millis wait = Millis{60'000}) {
    DeleteRequest request;
    request.jobs = std::move(jobs);
    request.who = "bench";
    request.wait = wait;
    auto report = ask<Result<DeleteReport>>([&](auto answer) { node_->erase(request, answer); });
    if (!report) fail(to_string(report.error()));
    return std::move(report).value();
  }

  // One of the runtime's own counters.
  double metric(const std::string& name) {
    const std::string text = node_->metrics();
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? 0.0 : std::stod(text.substr(at + name.size() + 2));
  }

  PoolView pool() { return node_->pools().front(); }

 private:
  Scratch scratch_;
  std::unique_ptr<Node> node_;
};

}  // namespace quell::bench
