// A node of the benchmark's own on a store of its own, and the few calls that all of them make.
#pragma once

#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "bench/measure/raw.hpp"
#include "bench/measure/run.hpp"
#include "bench/measure/stopwatch.hpp"
#include "bench/measure/store_under_test.hpp"

namespace quell::bench {

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
    settings.store = store;
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

  void pause(bool paused) {
    const auto set =
        ask<Result<void>>([&](auto answer) { node_->set_queue("default", paused, {}, answer); });
    if (!set) fail(to_string(set.error()));
  }

  NewJob job(const std::string& kind, const std::string& args = {},
             std::optional<Millis> timeout = {}) {
    NewJob job;
    job.id = node_->ids().next();
    job.kind = kind;
    job.args = args;
    if (timeout) job.options.timeout = *timeout;
    return job;
  }

  std::vector<JobId> submit(std::size_t count, const std::string& kind,
                            const std::string& args = {}, std::optional<Millis> timeout = {}) {
    std::vector<JobId> ids;
    ids.reserve(count);
    std::vector<std::future<Result<std::vector<storage::EnqueueResult>>>> waiting;
    while (ids.size() < count) {
      std::vector<NewJob> jobs;
      for (std::size_t i = 0; i < 1'000 && ids.size() < count; ++i) {
        jobs.push_back(job(kind, args, timeout));
        ids.push_back(jobs.back().id);
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

  void submit(std::vector<NewJob> jobs) {
    const auto stored = ask<Result<std::vector<storage::EnqueueResult>>>(
        [&](auto answer) { node_->submit(std::move(jobs), answer); });
    if (!stored) fail(to_string(stored.error()));
  }

  // Looks every `pause_us`; the figures that need better have their own events.
  template <class F>
  void until(F holds, useconds_t pause_us = 1'000) {
    while (!holds()) usleep(pause_us);
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

  // One of the runtime's own counters: asked for without a word to the store.
  double metric(const std::string& name) {
    const std::string text = node_->metrics();
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? 0.0 : std::stod(text.substr(at + name.size() + 2));
  }
  double succeeded() { return metric("quell_jobs_succeeded_total"); }
  double commits() { return metric("quell_store_commits_total"); }

  PoolView pool() { return node_->pools().front(); }

 private:
  Scratch scratch_;
  std::unique_ptr<Node> node_;
};

}  // namespace quell::bench
