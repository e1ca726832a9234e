#include "docs/examples/summary_kinds.hpp"

#include <fstream>

#include "runtime/outbound/llm.hpp"
#include "runtime/task/typed_kind.hpp"

namespace summaries {

using namespace quell;
using namespace std::chrono_literals;

// snippet: from_json
void from_json(const nlohmann::json& json, SummaryArgs& args) {
  json.at("url").get_to(args.url);
  json.at("base_url").get_to(args.base_url);
  json.at("model").get_to(args.model);
  args.secret = json.value("secret", "");
  args.words = json.value("words", 50);
  if (args.words < 1) throw std::invalid_argument("words must be at least 1");
}
// end

void from_json(const nlohmann::json& json, CountArgs& args) {
  json.at("path").get_to(args.path);
}

namespace {

// snippet: summarize
Task summarize(JobContext job, SummaryArgs args) {
  job.progress(0.1, "fetching");
  HttpReply page = co_await job.http(HttpRequest(args.url).timeout(20s));
  if (!page.ok())
    throw JobError("no-page", "the page answers " + std::to_string(page.status()),
                   page.status() >= 500);

  job.progress(0.4, "summarizing");
  LlmRequest request(args.model);
  request.base_url(args.base_url).secret(args.secret).user(page.body());
  request.system("Summarize in at most " + std::to_string(args.words) + " words.");
  auto ask = [&] { return job.llm(request); };
  LlmReply summary = co_await job.step("summary", ask);

  job.progress(1.0, "done");
  co_return summary.json();
}
// end

// snippet: count_words
int words_in(const std::string& path, std::stop_token stop) {
  std::ifstream file(path);
  int count = 0;
  for (std::string word; !stop.stop_requested() && file >> word;) ++count;
  return count;
}

Task count_words(JobContext job, CountArgs args) {
  auto work = [path = args.path](std::stop_token stop) { return words_in(path, stop); };
  int count = co_await job.offload(work);
  co_return std::to_string(count);
}
// end

}  // namespace

// snippet: add_kinds
void add_kinds(Registry& registry) {
  Kind about;
  about.sentence = "Fetches a page and lets a model summarize it.";
  registry.add<SummaryArgs>("summarize", summarize, about);
  registry.add<CountArgs>("count-words", count_words);
}
// end

}  // namespace summaries
