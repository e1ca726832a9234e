// The standard kinds in the real world: a node, its keeper, sockets to a server of our own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "actors/node/node.hpp"
#include "tests/actors/effects/keeper_of_tests.hpp"
#include "tests/actors/effects/outbound_fixture.hpp"

namespace quell::test {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

class KindsTest : public testing::Test {
 protected:
  void SetUp() override { begin(true); }
  void begin(bool exec_enabled) {
    NodeSettings settings;
    settings.exec_enabled = exec_enabled;
    settings.unsafe = true;
    settings.pools = {{"default", 8}};
    settings.outbound_allow = {"127.0.0.1"};
    Registry registry;
    add_standard_kinds(registry);
    // The keeper belongs to the test binary, so the node must not end it.
    const std::shared_ptr<Keeper> keeper(&keeper_of_tests(), [](Keeper*) {});
    auto node = start_node(settings, std::move(registry), keeper);
    ASSERT_TRUE(node.ok()) << to_string(node.error());
    node_ = std::move(node).value();
  }

  template <class T, class F>
  static T ask(F call) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    call([promise](T result) { promise->set_value(std::move(result)); });
    return future.get();
  }
  template <class F>
  auto read(F work) {
    using T = decltype(work(std::declval<storage::Reader&>()));
    return ask<T>([&](auto answer) {
      node_->read([work, answer](storage::Reader& reader) { answer(work(reader)); });
    });
  }

  JobId submit(const std::string& kind, const Json& args, int attempts = 1) {
    NewJob job{.id = node_->ids().next(), .kind = kind, .args = args.dump()};
    job.options.max_attempts = attempts;
    job.options.backoff = Millis{1};
    const JobId id = job.id;
    std::vector<NewJob> jobs{std::move(job)};
    auto result = ask<Result<std::vector<storage::EnqueueResult>>>(
        [&](auto answer) { node_->submit(std::move(jobs), answer); });
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : to_string(result.error()));
    return id;
  }

  JobView view(JobId job) {
    auto found = read([&](storage::Reader& reader) { return reader.get({job}, true); });
    EXPECT_TRUE(found.ok() && found->front().job);
    return *found->front().job;
  }
  std::string partials(JobId job) {
    auto rows = read([&](storage::Reader& reader) { return reader.partials(job, 0, 1'000); });
    std::string all;
    for (const auto& [n, json] : *rows) all += json;
    return all;
  }

  // Looks at each event of the node, and between them often enough for what makes no event.
  void await(const std::function<bool()>& holds) {
    std::mutex mutex;
    std::condition_variable changed;
    const auto id = node_->subscribe([&](const NodeEvent&) { changed.notify_all(); });
    const auto end = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock(mutex);
    while (!holds() && std::chrono::steady_clock::now() < end) changed.wait_for(lock, 5ms);
    node_->unsubscribe(id);
    EXPECT_TRUE(holds());
  }
  JobView finished(JobId job) {
    await([&] { return is_final(view(job).state); });
    return view(job);
  }
  static bool is_final(JobState state) {
    return state == JobState::succeeded || state == JobState::failed ||
           state == JobState::cancelled;
  }

  std::unique_ptr<Node> node_;
};

std::string reply(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(KindsTest, HttpFollowsARedirectAndKeepsTheReply) {
  Server server([](Peer& peer) {
    const bool first = peer.read_head().starts_with("GET /1 ");
    peer.write(first ? reply("302 Found", "Location: /2\r\n", "")
                     : reply("200 OK", "X-Seen: yes\r\n", "hello"));
  });
  const JobView job = finished(submit("http", Json{{"url", server.url("/1")}}));
  ASSERT_EQ(job.state, JobState::succeeded) << job.error;
  const Json result = Json::parse(job.result);
  EXPECT_EQ(result["body"], "hello");
  EXPECT_EQ(result["headers"]["x-seen"], "yes");
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(KindsTest, HttpComesBackAfterA503AndNotAfterA404) {
  std::atomic<int> asked{0};
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write(++asked == 1 ? reply("503 Later", "Retry-After: 0\r\n", "")
                            : reply("404 Not Found", "", "nothing here"));
  });
  const JobView job = finished(submit("http", Json{{"url", server.url()}}, 5));
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(asked, 2);
  EXPECT_THAT(job.error, HasSubstr("404"));
  EXPECT_THAT(job.error, HasSubstr("nothing here"));
}

TEST_F(KindsTest, AProgramWhereExecIsOffFailsAtOnceAndNeverRuns) {
  node_.reset();
  begin(false);
  const JobView job = finished(submit("exec", Json{{"argv", {"/bin/true"}}}, 5));
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.attempt, 1);
  EXPECT_THAT(job.error, HasSubstr("--exec-enabled"));
}

TEST_F(KindsTest, ExecShowsItsProgressAndGivesItsLastJsonLine) {
  const char* const script =
      "read line; echo '{\"progress\":0.4,\"phase\":\"reading\"}'; echo talk;"
      "echo '{\"partial\":{\"page\":1}}'; echo \"{\\\"got\\\":$line,\\\"a\\\":\\\"$A\\\"}\"";
  const JobId id = submit(
      "exec",
      Json{{"argv", {"/bin/sh", "-c", script}}, {"stdin", {{"n", 7}}}, {"env", {{"A", "b"}}}});
  const JobView job = finished(id);
  ASSERT_EQ(job.state, JobState::succeeded) << job.error;
  EXPECT_EQ(Json::parse(job.result), Json::parse(R"({"got":{"n":7},"a":"b"})"));
  await([&] { return view(id).phase == "reading"; });
  await([&] { return partials(id) == R"({"page":1})"; });
}

TEST_F(KindsTest, ExecSaysThatWhatItGivesIsOnlyTheEndOfTheOutput) {
  const std::string script =
      "yes 'a line of some length, as programs print them' | head -c 5000000;"
      " yes | head -c 70000 >&2";
  const JobView job = finished(submit("exec", Json{{"argv", {"/bin/sh", "-c", script}}}));
  ASSERT_EQ(job.state, JobState::succeeded) << job.error;
  const Json result = Json::parse(job.result);
  EXPECT_EQ(result["out"].get<std::string>().size(), 1u << 20);
  EXPECT_EQ(result["out_cut"], true);
  EXPECT_EQ(result["err_cut"], true);
}

TEST_F(KindsTest, ExecFailsWithWhatTheProgramSaid) {
  const JobView job =
      finished(submit("exec", Json{{"argv", {"/bin/sh", "-c", "echo no such thing >&2; exit 3"}}}));
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_THAT(job.error, HasSubstr("exit code 3: no such thing"));
}

TEST_F(KindsTest, ExecIsStoppedWhenItsTimeIsUp) {
  const JobView job = finished(
      submit("exec", Json{{"argv", {"/bin/sh", "-c", "trap '' TERM; sleep 60 & wait; wait"}},
                          {"timeout_s", 0.2}}));
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(Json::parse(job.error)["code"], "timeout");
  EXPECT_EQ(node_->pools().front().used, 0);
}

TEST_F(KindsTest, ExecObeysItsLimits) {
  const JobView job =
      finished(submit("exec", Json{{"argv", {"/bin/sh", "-c", "ulimit -n; ulimit -t"}},
                                   {"open_files", 33},
                                   {"cpu_s", 44}}));
  ASSERT_EQ(job.state, JobState::succeeded) << job.error;
  EXPECT_EQ(Json::parse(job.result)["out"], "33\n44\n");
}

// ---- a provider of words ----
const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& data) {
  const std::string event = "data: " + data + "\n\n";
  std::ostringstream text;
  text << std::hex << event.size() << "\r\n" << event << "\r\n";
  return text.str();
}
std::string word(const std::string& text) {
  return chunk(Json{{"choices", {{{"delta", {{"content", text}}}}}}}.dump());
}
const std::string the_end =
    chunk(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})") +
    chunk(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}})") + chunk("[DONE]") +
    "0\r\n\r\n";

Json question(const Server& server) {
  return Json{{"base_url", server.url("/v1")},
              {"model", "m"},
              {"messages", {{{"role", "user"}, {"content", "hello"}}}},
              {"prices", {{"input", 1'000'000}, {"output", 1'000'000}}}};
}

TEST_F(KindsTest, LlmTriesAgainAfterA429AndACutStream) {
  std::atomic<int> asked{0};
  Server server([&](Peer& peer) {
    peer.read_head();
    switch (++asked) {
      case 1:
        return peer.write(reply("429 Slow", "Retry-After: 0\r\n", "{}"));
      case 2:
        peer.write(stream_head + word("half"));
        return;  // and closes
      default:
        return peer.write(stream_head + word("all ") + word("of it") + the_end);
    }
  });
  const JobId id = submit("llm", question(server), 3);
  const JobView job = finished(id);
  ASSERT_EQ(job.state, JobState::succeeded) << job.error;
  EXPECT_EQ(Json::parse(job.result)["text"], "all of it");
  EXPECT_EQ(Json::parse(job.usage)["cost"], 7);
  const auto attempts = read([&](storage::Reader& reader) { return reader.attempts(id); });
  ASSERT_GE(attempts->size(), 2u);
  EXPECT_THAT((*attempts)[0].error, HasSubstr("429"));
  EXPECT_THAT((*attempts)[1].error, HasSubstr("cut after 4 bytes"));
}

TEST_F(KindsTest, LlmGivesUpOnAStreamThatHangs) {
  Server server([](Peer& peer) {
    peer.read_head();
    peer.write(stream_head + word("well"));
    peer.wait_gone();
  });
  Json args = question(server);
  args["idle_timeout_s"] = 0.3;
  const JobView job = finished(submit("llm", args));
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_THAT(job.error, HasSubstr("not a byte within 300 ms"));
  EXPECT_TRUE(server.wait_ended(1));
}

TEST_F(KindsTest, ADeleteInMidStreamEndsItAndSaysWhatHadCome) {
  Server server([](Peer& peer) {
    peer.read_head();
    peer.write(stream_head);
    for (int i = 0; i < 5; ++i) peer.write(word("tok "));
    peer.wait_gone();
  });
  const JobId id = submit("llm", question(server));
  await([&] { return partials(id).find("tok") != std::string::npos; });
  DeleteRequest request;
  request.jobs = {id};
  request.who = "test";
  const auto report =
      ask<Result<DeleteReport>>([&](auto answer) { node_->erase(request, answer); });
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->counts.killed, 1u);
  EXPECT_EQ(report->outcomes[0].effects_aborted, 1);
  ASSERT_TRUE(report->outcomes[0].run_report);
  const Json used = Json::parse(*report->outcomes[0].run_report);
  EXPECT_EQ(used["requests"], 1);
  EXPECT_GE(used["output_tokens"], 1);
  EXPECT_EQ(used["streamed_bytes"].get<int>(), 4 * used["output_tokens"].get<int>());
  EXPECT_GT(used["cost"], 0);
  EXPECT_TRUE(server.wait_ended(1));
}

TEST_F(KindsTest, AWorkflowResumesBehindItsLastFinishedStep) {
  std::atomic<int> first{0}, second{0};
  Server server([&](Peer& peer) {
    if (peer.read_head().starts_with("GET /first ")) {
      ++first;
      return peer.write(reply("200 OK", "Content-Type: application/json\r\n", R"({"n":7})"));
    }
    peer.write(++second == 1 ? reply("500 Oops", "", "") : reply("200 OK", "", "fine"));
  });
  const Json steps =
      Json::array({Json{{"name", "a"}, {"kind", "http"}, {"args", {{"url", server.url("/first")}}}},
                   Json{{"name", "b"}, {"kind", "sleep"}, {"args", {{"seconds", 0.001}}}},
                   Json{{"name", "c"},
                        {"kind", "http"},
                        {"args", {{"url", server.url("/") + "${steps.a.json.n}"}}}}});
  const JobView job = finished(submit("workflow", Json{{"steps", steps}}, 2));
  ASSERT_EQ(job.state, JobState::succeeded) << job.error;
  EXPECT_EQ(Json::parse(job.result)["body"], "fine");
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

}  // namespace
}  // namespace quell::test
