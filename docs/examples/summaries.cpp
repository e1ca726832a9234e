// A program that runs jobs within itself: no server, no store to install.
//
//   example_summaries FILE          counts its words as a job
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>

#include "actors/node/node.hpp"
#include "docs/examples/summary_kinds.hpp"

using namespace quell;

namespace {

// Answers come by callback, on a thread of the node; a program that may block can wait for one.
template <class T, class Call>
T ask(Call call) {
  auto promise = std::make_shared<std::promise<T>>();
  auto answer = promise->get_future();
  call([promise](T result) { promise->set_value(std::move(result)); });
  return answer.get();
}

bool is_an_end(const std::string& event) {
  return event == "job.succeeded" || event == "job.failed" || event == "job.cancelled";
}

// snippet: run_one
int run_one(Node& node, const std::string& kind, const std::string& args) {
  NewJob job{.id = node.ids().next(), .kind = kind, .args = args};
  const JobId id = job.id;

  auto over = std::make_shared<std::promise<void>>();
  auto ended = over->get_future();
  const auto watch = node.subscribe([over, id](const NodeEvent& event) {
    if (event.job == id && is_an_end(event.type)) over->set_value();
  });
  std::vector<NewJob> jobs{std::move(job)};
  const auto submitted = ask<Result<std::vector<storage::EnqueueResult>>>(
      [&](auto answer) { node.submit(std::move(jobs), answer); });
  if (!submitted) return std::fprintf(stderr, "%s\n", to_string(submitted.error()).c_str()), 1;
  ended.wait();
  node.unsubscribe(watch);

  const auto found = ask<Result<std::vector<storage::Found>>>([&](auto answer) {
    node.read([=](storage::Reader& reader) { answer(reader.get({id}, true)); });
  });
  if (!found || !found->front().job) return 1;
  const JobView& view = *found->front().job;
  std::printf("%s\n", view.state == JobState::succeeded ? view.result.c_str() : view.error.c_str());
  return view.state == JobState::succeeded ? 0 : 1;
}
// end

}  // namespace

// snippet: main
int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s FILE\n", argv[0]), 2;
  Registry registry;
  add_standard_kinds(registry);
  summaries::add_kinds(registry);

  NodeSettings settings;
  settings.store = "memory:";  // "sqlite:PATH" and a data_dir keep jobs over a restart
  settings.unsafe = true;      // what is in memory is lost with the process: said on purpose
  auto node = start_node(settings, std::move(registry), nullptr);
  if (!node) return std::fprintf(stderr, "%s\n", to_string(node.error()).c_str()), 1;

  const nlohmann::json args{{"path", argv[1]}};
  const int code = run_one(**node, "count-words", args.dump());
  (*node)->stop(std::chrono::seconds{5});
  return code;
}
// end
