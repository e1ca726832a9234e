#include <gmock/gmock.h>

#include "runtime/task/references.hpp"
#include "tests/runtime/kinds/kind_of_tests.hpp"

namespace quell {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Json = nlohmann::json;

const char* const three_steps = R"({"name":"Ada","steps":[
  {"name":"get","kind":"http","args":{"url":"http://a.example/"}},
  {"name":"wait","kind":"sleep","args":{"seconds":"${steps.get.json.pause}"}},
  {"name":"tell","kind":"http","retries":2,"backoff_s":1.5,
   "args":{"url":"http://b.example/","body":{"n":"${steps.get.json.n}",
           "text":"Dear ${args.name}, ${steps.get.json.n} $${x} ${steps.wait}"}}}]})";

HttpReply page(const std::string& json) {
  return HttpReply(200, {{"Content-Type", "application/json"}}, json);
}

TEST(WorkflowKind, GivesOneStepsResultToTheNext) {
  TestJob job(standard("workflow"), three_steps);
  EXPECT_EQ(job.asked<HttpRequest>().url(), "http://a.example/");
  job.answer(page(R"({"n":[1,2],"pause":2.5})"));
  EXPECT_EQ(job.asked<SleepRequest>().duration, Millis{2500});
  job.answer();
  EXPECT_EQ(Json::parse(job.asked<HttpRequest>().body()),
            Json::parse(R"({"n":[1,2],"text":"Dear Ada, [1,2] ${x} null"})"));
  job.answer(HttpReply(204, {}, ""));
  EXPECT_EQ(result_json(job)["status"], 204);
  EXPECT_EQ(job.progressed().front(), (std::pair<double, std::string>(0.0, "get")));
  EXPECT_EQ(job.progressed().back().first, 1.0);
}

TEST(WorkflowKind, GivesTheResultThatItsArgsAskFor) {
  TestJob job(standard("workflow"), R"({"steps":[
    {"name":"a","kind":"http","args":{"url":"http://a.example/"}}],
    "result":{"code":"${steps.a.status}","id":"${job.id}","try":"${job.attempt}"}})");
  job.attempt(3);
  job.answer(page("{}"));
  EXPECT_EQ(result_json(job), (Json{{"code", 200}, {"id", job.job_id().text()}, {"try", 3}}));
}

TEST(WorkflowKind, ResumesBehindTheLastFinishedStep) {
  TestJob first(standard("workflow"), three_steps);
  first.answer(page(R"({"n":1,"pause":1})"));
  first.answer();
  first.destroy();
  ASSERT_EQ(first.steps().size(), 2u);

  TestJob second(standard("workflow"), three_steps);
  second.attempt(2).remembered(first.steps());
  EXPECT_EQ(second.asked<HttpRequest>().url(), "http://b.example/");
  EXPECT_THAT(second.asked<HttpRequest>().body(), HasSubstr("Dear Ada, 1 "));
  second.answer(HttpReply(200, {}, "done"));
  EXPECT_EQ(result_json(second)["body"], "done");
}

TEST(WorkflowKind, TriesAStepAgainInItsOwnTime) {
  TestJob job(standard("workflow"), three_steps);
  job.answer(page(R"({"n":1,"pause":1})"));
  job.answer();
  job.answer(HttpReply(503, {}, ""));
  EXPECT_EQ(job.asked<SleepRequest>().duration, Millis{1500});
  job.answer();
  job.answer(HttpReply(503, {{"Retry-After", "9"}}, ""));
  EXPECT_EQ(job.asked<SleepRequest>().duration, Millis{9'000});
  job.answer();
  job.answer(HttpReply(503, {{"Retry-After", "8"}}, ""));
  const JobError error = thrown_by(job);
  EXPECT_THAT(error.detail(), HasSubstr("step tell: 503"));
  EXPECT_TRUE(error.retryable());
  EXPECT_EQ(error.retry_after(), Millis{8'000});
}

TEST(WorkflowKind, DoesNotTryAgainWhatIsRefused) {
  TestJob job(standard("workflow"), three_steps);
  job.answer(page(R"({"n":1,"pause":1})"));
  job.answer();
  job.answer(HttpReply(404, {}, ""));
  EXPECT_FALSE(thrown_by(job).retryable());
}

TEST(WorkflowKind, NamesTheFieldThatAResultLacks) {
  TestJob job(standard("workflow"), three_steps);
  job.answer(page(R"({"n":1})"));
  const JobError error = thrown_by(job);
  EXPECT_EQ(error.detail(), "steps.get.json has no 'pause'");
  EXPECT_FALSE(error.retryable());
}

TEST(WorkflowKind, ChecksArgsAgainWhenTheyAreComplete) {
  TestJob job(standard("workflow"), three_steps);
  job.answer(page(R"({"n":1,"pause":"long"})"));
  EXPECT_THAT(thrown_by(job).detail(), HasSubstr("step wait: sleep needs args.seconds"));
}

Async<std::string> output_of_x(JobContext job) {
  ExecRequest request(std::vector<std::string>(1, "x"));
  ExecReply reply = co_await job.exec(request);
  co_return reply.out();
}

Task inner(JobContext job) {
  auto text = [&] { return output_of_x(job); };
  job.progress(0.5, "half");
  job.partial("{\"a\":1}");
  std::string out = co_await job.step("remembered", text);
  job.usage("{\"requests\":1}");
  co_return "\"" + out + "\"";
}

TEST(WorkflowKind, GivesEachStepItsOwnView) {
  Registry registry;
  add_standard_kinds(registry);
  registry.add("inner", inner);
  TestJob job(standard("workflow"), R"({"steps":[
    {"name":"a","kind":"inner"},{"name":"b","kind":"inner"}]})");
  job.kinds(registry);
  job.answer(ExecReply(0, 0, "one", ""));
  job.answer(ExecReply(0, 0, "two", ""));
  EXPECT_EQ(job.result(), "\"two\"");
  EXPECT_THAT(job.progressed(), ElementsAre(Pair(0.0, "a"), Pair(0.25, "a: half"), Pair(0.5, ""),
                                            Pair(0.5, "b"), Pair(0.75, "b: half"), Pair(1.0, "")));
  EXPECT_EQ(Json::parse(job.partials().back()), Json::parse(R"({"step":"b","partial":{"a":1}})"));
  std::vector<std::string> names;
  for (const auto& [name, result] : job.steps()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("a/remembered", "a", "b/remembered", "b"));
}

TEST(WorkflowKind, RemembersWhatFinishedStepsHadUsed) {
  Registry registry;
  registry.add("inner", inner);
  const char* const args = R"({"steps":[{"name":"a","kind":"inner"},{"name":"b","kind":"inner"}]})";
  TestJob first(standard("workflow"), args);
  first.kinds(registry);
  first.answer(ExecReply(0, 0, "one", ""));
  first.destroy();
  TestJob second(standard("workflow"), args);
  second.kinds(registry).attempt(2).remembered(first.steps());
  EXPECT_TRUE(second.asks<ExecRequest>());
  EXPECT_EQ(second.used(), "{\"requests\":1}");
}

std::string objection_of(const std::string& args) {
  Registry registry;
  add_standard_kinds(registry);
  const Result<void> checked = registry.check("workflow", args);
  return checked ? std::string() : checked.error().detail;
}

std::string steps(const std::string& list) {
  return R"({"y":{"z":[7]},"steps":[)" + list + "]}";
}

TEST(WorkflowKind, SaysAtSubmitWhatIsWrong) {
  EXPECT_EQ(objection_of(three_steps), "");
  EXPECT_EQ(
      objection_of(steps(R"({"name":"a","kind":"sleep","args":{"seconds":"${args.y.z.0}"}})")), "");
  const std::pair<std::string, const char*> cases[] = {
      {"{}", "args.steps"},
      {R"({"steps":{}})", "args.steps"},
      {steps("7"), "args.steps[0] must be an object"},
      {steps(R"({"kind":"noop"})"), "args.steps[0]"},
      {steps(R"({"name":"a b","kind":"noop"})"), "letters"},
      {steps(R"({"name":"a"})"), "kind"},
      {steps(R"({"name":"a","kind":"noop","retris":1})"), "did you mean 'retries'?"},
      {steps(R"({"name":"a","kind":"noop"},{"name":"a","kind":"noop"})"), "named 'a' already"},
      {steps(R"({"name":"a","kind":"nothing"})"), "steps.a: No kind 'nothing'"},
      {steps(R"({"name":"a","kind":"sleep","args":{"seconds":-1}})"), "steps.a: args.seconds"},
      {steps(R"({"name":"a","kind":"workflow","args":{}})"), "workflow cannot be a step"},
      {steps(R"({"name":"a","kind":"noop","args":{"x":"${steps.a}"}})"), "no step before it"},
      {steps(R"({"name":"a","kind":"noop","args":{"x":"${steps.b.c}"}})"), "no step before it"},
      {steps(R"({"name":"a","kind":"noop","args":{"x":"${args.y.q}"}})"), "args.y has no 'q'"},
      {steps(R"({"name":"a","kind":"noop","args":{"x":["${env.HOME}"]}})"), "must begin with"},
      {steps(R"({"name":"a","kind":"noop","args":{"x":"${args.y"}})"), "not a reference"},
      {steps(R"({"name":"a","kind":"noop","args":{"x":"${}"}})"), "not a reference"},
      {R"({"steps":[{"name":"a","kind":"noop"}],"result":"${steps.b}"})", "args.result"},
  };
  for (const auto& [args, sentence] : cases)
    EXPECT_THAT(objection_of(args), HasSubstr(sentence)) << args;
}

TEST(WorkflowKind, NeedsTheScopesOfAllItsSteps) {
  Registry registry;
  add_standard_kinds(registry);
  const std::string with_exec =
      steps(R"({"name":"a","kind":"noop"},{"name":"b","kind":"exec","args":{"argv":["x"]}})");
  EXPECT_THAT(registry.scopes("workflow", with_exec), ElementsAre("jobs:exec", "jobs:write"));
  EXPECT_THAT(registry.scopes("workflow", three_steps), ElementsAre("jobs:write"));
}

TEST(WorkflowKind, LeavesNothingWhenDestroyedAnywhere) {
  const auto count =
      destroyed_at_each_suspension(standard("workflow"), three_steps, [](TestJob& job) {
        job.answer(page(R"({"n":"a text longer than the small string buffer","pause":1})"));
        job.answer();
        job.answer(HttpReply(503, {}, "later"));
        job.answer();
        job.answer(HttpReply(200, {}, "done"));
        job.result();
      });
  ASSERT_TRUE(count.ok()) << count.error().detail;
  EXPECT_EQ(*count, 5 + 3);  // its effects, and the saving of three steps
}

TEST(References, AreTypedWhenTheyStandAlone) {
  const Json seven(7), word("text");
  const auto look_up = [&](const ReferencePath& path) -> Result<const Json*> {
    return path.back() == "n" ? &seven : &word;
  };
  const Json value = Json::parse(
      R"({"a":"${x.n}","b":"${x.t}","c":"<${x.n}|${x.t}>","d":["${x.n}",1,null],"e":"$${x.n}"})");
  EXPECT_EQ(*substituted(value, look_up),
            Json::parse(R"({"a":7,"b":"text","c":"<7|text>","d":[7,1,null],"e":"${x.n}"})"));
}

TEST(References, StandForNoMoreThanAStoreCanHold) {
  const Json large(std::string(64 << 10, 'x'));
  const auto look_up = [&](const ReferencePath&) -> Result<const Json*> { return &large; };
  std::string many;
  for (int i = 0; i < 900; ++i) many += "${x.l}";
  const auto full = substituted(Json(many), look_up);
  ASSERT_FALSE(full.ok());
  EXPECT_THAT(full.error().detail, HasSubstr("16 MiB"));
}

TEST(References, OfOneWorkflowAreCounted) {
  std::string many;
  for (int i = 0; i < 25'000; ++i) many += "${args.a}";
  const Json args{{"a", std::string(64 << 10, 'x')},
                  {"steps", {{{"name", "s"}, {"kind", "noop"}, {"args", {{"t", many}}}}}}};
  EXPECT_THAT(objection("workflow", args.dump()), HasSubstr("1,000 references"));
}

}  // namespace
}  // namespace quell
