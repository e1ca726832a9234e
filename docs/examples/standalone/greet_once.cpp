// A job within a program: submitted, running, deleted, and the receipt on standard output.
#include <cstdio>
#include <future>

#include "actors/node/node.hpp"
#include "greeting_kinds.hpp"

using namespace quell;

namespace {

// snippet: delete
// Answers come by callback, on a thread of the node; a program that may block can wait for one.
DeleteReport erased(Node& node, JobId job) {
  std::promise<Result<DeleteReport>> promise;
  DeleteRequest request;
  request.jobs = {job};
  request.who = "greet_once";
  request.reason = "nobody listens any more";
  node.erase(request, [&promise](Result<DeleteReport> report) { promise.set_value(report); });
  return promise.get_future().get().value();
}
// end

// snippet: start
JobId started(Node& node) {
  NewJob job;
  job.id = node.ids().next();
  job.kind = "greet";
  job.args = R"({"name":"world","pause_s":600})";
  std::promise<void> running;
  const auto watch = node.subscribe([&running, id = job.id](const NodeEvent& event) {
    if (event.job == id && event.type == "job.started") running.set_value();
  });
  node.submit({job}, [](Result<std::vector<storage::EnqueueResult>> stored) {
    if (!stored) std::fprintf(stderr, "%s\n", to_string(stored.error()).c_str());
  });
  running.get_future().wait();
  node.unsubscribe(watch);
  return job.id;
}
// end

}  // namespace

// snippet: node
int main() {
  Registry registry;
  greetings::add_kinds(registry);
  NodeSettings settings;
  settings.store = "memory:";  // "sqlite:PATH" and a data_dir keep jobs over a restart
  settings.unsafe = true;      // what is in memory is lost with the process: said on purpose
  auto node = start_node(settings, std::move(registry), nullptr);
  if (!node) return std::fprintf(stderr, "%s\n", to_string(node.error()).c_str()), 1;

  const DeleteReport report = erased(**node, started(**node));
  std::printf("%s\n", report.receipt.c_str());
  const bool stopped = (*node)->stop(std::chrono::seconds{5});
  return stopped && report.complete && report.counts.killed == 1 ? 0 : 1;
}
// end
