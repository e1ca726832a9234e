#include "runtime/task/typed_kind.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/task/test_job.hpp"

namespace quell {
namespace {

using testing::HasSubstr;

struct Depth {
  int levels = 0;
};
void from_json(const nlohmann::json& json, Depth& depth) {
  json.at("levels").get_to(depth.levels);
}

struct Greeting {
  std::string name;
  int times = 0;
  Depth depth;
  std::vector<std::string> tags;
};
void from_json(const nlohmann::json& json, Greeting& greeting) {
  json.at("name").get_to(greeting.name);
  json.at("times").get_to(greeting.times);
  json.at("depth").get_to(greeting.depth);
  json.at("tags").get_to(greeting.tags);
}

struct Loose {
  std::string name = "you";
};
void from_json(const nlohmann::json& json, Loose& loose) {
  loose.name = json.value("name", loose.name);
  if (loose.name == "nobody") throw std::invalid_argument("nobody cannot be greeted");
}

Task greet(JobContext job, Greeting args) {
  const Millis nap{args.times};
  co_await job.sleep(nap);
  std::string text = args.name + " " + std::to_string(args.depth.levels) + " " + args.tags.at(0);
  co_return "\"" + text + "\"";
}

Task greet_loosely(JobContext, Loose args) {
  co_return "\"" + args.name + "\"";
}

const char* const good_args = R"({"name":"a name that is longer than a small string","times":3,
  "depth":{"levels":2},"tags":["x"]})";

Registry greeting() {
  Registry registry;
  registry.add<Greeting>("greet", greet).add<Loose>("loose", greet_loosely);
  return registry;
}

TEST(TypedKind, GetsItsArgsAsAStruct) {
  const Registry registry = greeting();
  TestJob job(*registry.find("greet"), good_args);
  EXPECT_EQ(job.asked<SleepRequest>().duration, Millis{3});
  job.answer();
  EXPECT_EQ(job.result(), "\"a name that is longer than a small string 2 x\"");
  TestJob loose(*registry.find("loose"));
  EXPECT_EQ(loose.result(), "\"you\"");
}

TEST(TypedKind, NamesTheWrongFieldAtSubmit) {
  const Registry registry = greeting();
  const auto objection = [&](const char* kind, const std::string& args) {
    const Result<void> checked = registry.check(kind, args);
    return checked ? std::string() : checked.error().detail;
  };
  EXPECT_EQ(objection("greet", good_args), "");
  const std::pair<const char*, const char*> cases[] = {
      {"", "args.name is missing"},
      {"[]", "JSON object"},
      {"{", "JSON object"},
      {R"({"name":"a"})", "args.times is missing"},
      {R"({"name":7,"times":3,"depth":{"levels":2},"tags":[]})", "args.name: type must be string"},
      {R"({"name":"","times":"3","depth":{"levels":2},"tags":[]})", "args.times: type must be num"},
      {R"({"name":"","times":3,"depth":{"levels":"2"},"tags":[]})", "args.depth.levels: type must"},
      {R"({"name":"","times":3,"depth":7,"tags":[]})", "args"},
      {R"({"name":"","times":3,"depth":{"levels":2},"tags":[1]})", "args.tags.0: type must be str"},
  };
  for (const auto& [args, sentence] : cases)
    EXPECT_THAT(objection("greet", args), HasSubstr(sentence)) << args;
  EXPECT_THAT(objection("loose", R"({"name":"nobody"})"), HasSubstr("nobody cannot be greeted"));
  EXPECT_THAT(objection("loose", R"({"name":1})"), HasSubstr("args.name"));
}

TEST(TypedKind, RefusesToRunWhatItCannotRead) {
  const Registry registry = greeting();
  TestJob job(*registry.find("greet"), "{}");
  EXPECT_THROW(job.result(), JobError);
}

TEST(TypedKind, KeepsTheRestOfItsKind) {
  Registry registry;
  Kind kind;
  kind.scope = "jobs:exec";
  kind.check = [](const std::string&) -> Result<void> {
    return Error{ErrorCode::invalid_field, "never today"};
  };
  registry.add<Loose>("loose", greet_loosely, kind);
  EXPECT_EQ(registry.find("loose")->scope, "jobs:exec");
  EXPECT_EQ(registry.check("loose", "{}").error().detail, "never today");
}

TEST(TypedKind, LeavesNothingWhenDestroyedAnywhere) {
  const Registry registry = greeting();
  const auto count =
      destroyed_at_each_suspension(*registry.find("greet"), good_args, [](TestJob& job) {
        job.answer();
        job.result();
      });
  ASSERT_TRUE(count.ok()) << count.error().detail;
  EXPECT_EQ(*count, 1);
}

}  // namespace
}  // namespace quell
