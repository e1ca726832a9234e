#include "greeting_kinds.hpp"

#include <nlohmann/json.hpp>

#include "runtime/task/typed_kind.hpp"

namespace greetings {

using namespace quell;

void from_json(const nlohmann::json& json, GreetArgs& args) {
  json.at("name").get_to(args.name);
  args.pause_s = json.value("pause_s", 0.0);
}

void from_json(const nlohmann::json& json, CountArgs& args) {
  json.at("text").get_to(args.text);
}

namespace {

// snippet: greet
Task greet(JobContext job, GreetArgs args) {
  job.progress(0.5, "clearing the throat");
  Millis pause{static_cast<int>(args.pause_s * 1000)};
  co_await job.sleep(pause);
  co_return nlohmann::json("Hello, " + args.name + ".").dump();
}
// end

Task count_letters(JobContext job, CountArgs args) {
  auto count = [text = args.text](std::stop_token) { return static_cast<int>(text.size()); };
  int letters = co_await job.offload(count);
  co_return std::to_string(letters);
}

}  // namespace

// snippet: kinds
void add_kinds(Registry& registry) {
  registry.add<GreetArgs>("greet", greet);
  registry.add<CountArgs>("count-letters", count_letters);
}
// end

}  // namespace greetings
