// Tokens, secrets, events, audit, idempotency, rates: what surrounds the jobs.
#include <set>

#include "http/api/rate_limit.hpp"
#include "http/api/views/openapi.hpp"
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

using Json = nlohmann::json;

TEST_F(ApiServerTest, MakesTokensThatWorkAndListsThemWithoutSecrets) {
  const Reply made = ask("POST", "/api/v1/tokens",
                         R"({"name":"ci","scopes":["jobs:read","jobs:delete"],"expires_s":60})");
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string text = made.body.at("token");
  EXPECT_EQ(ask_as(text, "GET", "/api/v1/jobs").status, 200);
  EXPECT_EQ(ask_as(text, "POST", "/api/v1/jobs", R"({"kind":"noop"})").status, 403);
  const Reply listed = ask("GET", "/api/v1/tokens");
  EXPECT_EQ(listed.body["tokens"].size(), 2u);
  EXPECT_EQ(listed.text.find(text.substr(30)), std::string::npos);
  EXPECT_EQ(listed.text.find("hash"), std::string::npos);
  const std::string id = made.body.at("token_id");
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/" + id).body["revoked"], true);
  EXPECT_EQ(ask_as(text, "GET", "/api/v1/jobs").status, 401);
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/" + id).status, 404);
}

TEST_F(ApiServerTest, LetsNobodyGiveWhatHeDoesNotHave) {
  const std::string maker = token("tokens:write jobs:read", "red");
  EXPECT_EQ(ask_as(maker, "POST", "/api/v1/tokens", R"({"name":"x","role":"admin"})").status, 403);
  EXPECT_EQ(
      ask_as(maker, "POST", "/api/v1/tokens", R"({"name":"x","scopes":["jobs:delete"]})").status,
      403);
  EXPECT_EQ(ask_as(maker, "POST", "/api/v1/tokens",
                   R"({"name":"x","scopes":["jobs:read"],"project":"blue"})")
                .status,
            403);
  const Reply made =
      ask_as(maker, "POST", "/api/v1/tokens", R"({"name":"x","scopes":["jobs:read"]})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body["project"], "red");
  for (const char* body : {R"({"name":"x"})", R"({"name":"x","role":"king"})",
                           R"({"name":"x","role":"viewer","scopes":["jobs:read"]})",
                           R"({"name":"x","scopes":["jobs:fly"]})", R"({"role":"viewer"})"})
    EXPECT_EQ(ask("POST", "/api/v1/tokens", body).status, 400) << body;
}

TEST_F(ApiServerTest, KeepsTheLastAdministrator) {
  const Reply listed = ask("GET", "/api/v1/tokens");
  const std::string id = listed.body["tokens"][0]["token_id"];
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/" + id).status, 409);
  ask("POST", "/api/v1/tokens", R"({"name":"other","role":"admin"})");
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/" + id).status, 200);
}

TEST_F(ApiServerTest, StoresSecretsAndNeverShowsThem) {
  const Reply put =
      ask("PUT", "/api/v1/secrets/key", R"({"value":"hunter2","hosts":["api.example.com"]})");
  EXPECT_EQ(put.status, 200) << put.text;
  EXPECT_EQ(put.text.find("hunter2"), std::string::npos);
  const Reply listed = ask("GET", "/api/v1/secrets");
  EXPECT_EQ(listed.body["secrets"][0]["name"], "key");
  EXPECT_EQ(listed.text.find("hunter2"), std::string::npos);
  EXPECT_EQ(ask("PUT", "/api/v1/secrets/key", R"({"value":"x","hosts":[]})").status, 400);
  EXPECT_EQ(ask("PUT", "/api/v1/secrets/key", R"({"value":"x"})").status, 400);
  EXPECT_EQ(ask("DELETE", "/api/v1/secrets/key").status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/secrets/key").status, 404);
}

TEST_F(ApiServerTest, RecordsWhatWasDoneWithTokens) {
  ask("POST", "/api/v1/tokens", R"({"name":"ci","role":"viewer"})");
  const Reply audit = ask("GET", "/api/v1/audit");
  std::set<std::string> whats;
  for (const Json& entry : audit.body["entries"]) whats.insert(entry["what"]);
  EXPECT_TRUE(whats.count("token.created"));
  EXPECT_EQ(audit.body["entries"].back()["who"], admin_who());
  EXPECT_EQ(ask("GET", "/api/v1/audit/verify").body["holds"], true);
  EXPECT_EQ(ask_as(token("viewer", "red"), "GET", "/api/v1/audit").status, 403);
}

TEST_F(ApiServerTest, SubmitsOncePerIdempotencyKey) {
  const auto submit_with = [this](const std::string& key, const std::string& body) {
    return ask_as(admin, "POST", "/api/v1/jobs", body, {{"Idempotency-Key", key}});
  };
  const Reply first = submit_with("k", R"({"kind":"noop"})");
  const Reply again = submit_with("k", R"({"kind":"noop"})");
  ASSERT_EQ(first.status, 201) << first.text;
  EXPECT_EQ(again.status, 201) << again.text;
  EXPECT_EQ(again.body["job_id"], first.body["job_id"]);
  EXPECT_EQ(again.headers.at("Idempotency-Replayed"), "true");
  EXPECT_FALSE(first.headers.count("Idempotency-Replayed"));
  EXPECT_EQ(submit_with("k", R"({"kind":"sleep"})").status, 422);
  EXPECT_NE(submit_with("other", R"({"kind":"noop"})").body["job_id"], first.body["job_id"]);
  EXPECT_EQ(ask_as(token("operator"), "POST", "/api/v1/jobs", R"({"kind":"sleep"})",
                   {{"Idempotency-Key", "k"}})
                .status,
            201)
      << "a key belongs to its token";
  EXPECT_EQ(submit_with(std::string(255, 'k'), R"({"kind":"noop"})").status, 201);
  EXPECT_EQ(submit_with(std::string(256, 'k'), R"({"kind":"noop"})").status, 400);
  const std::string many = R"({"jobs":[{"kind":"noop"},{"kind":"noop"}]})";
  const Reply bulk =
      ask_as(admin, "POST", "/api/v1/jobs/bulk-submit", many, {{"Idempotency-Key", "b"}});
  EXPECT_EQ(
      ask_as(admin, "POST", "/api/v1/jobs/bulk-submit", many, {{"Idempotency-Key", "b"}}).body,
      bulk.body);
}

TEST_F(ApiServerTest, ADeletedJobIsCalledDeletedWhenItsSubmitIsRepeated) {
  const HeaderList key{{"Idempotency-Key", "k"}};
  const std::string id =
      ask_as(admin, "POST", "/api/v1/jobs", R"({"kind":"noop"})", key).body["job_id"];
  ask("DELETE", "/api/v1/jobs/" + id);
  const Reply again = ask_as(admin, "POST", "/api/v1/jobs", R"({"kind":"noop"})", key);
  EXPECT_EQ(again.status, 410) << again.text;
  EXPECT_EQ(again.code(), "job-deleted");
  EXPECT_EQ(again.body["job_id"], id);
  EXPECT_EQ(again.headers.at("Idempotency-Replayed"), "true");
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id).status, 410);
}

TEST_F(ApiServerTest, ARepeatTellsWhatTheJobIsNow) {
  const HeaderList key{{"Idempotency-Key", "k"}};
  const std::string id =
      ask_as(admin, "POST", "/api/v1/jobs", R"({"kind":"noop"})", key).body["job_id"];
  ask("POST", "/api/v1/jobs/" + id + "/cancel");
  const Reply again = ask_as(admin, "POST", "/api/v1/jobs", R"({"kind":"noop"})", key);
  EXPECT_EQ(again.status, 201) << again.text;
  EXPECT_EQ(again.body["status"], "cancelled");
}

TEST_F(ApiServerTest, ARepeatOfManyNamesThoseThatWereDeletedMeanwhile) {
  const HeaderList key{{"Idempotency-Key", "b"}};
  const std::string many = R"({"jobs":[{"kind":"noop"},{"kind":"noop"},{"kind":"noop"}]})";
  const auto submit_many = [&] {
    return ask_as(admin, "POST", "/api/v1/jobs/bulk-submit", many, key);
  };
  const Reply first = submit_many();
  ASSERT_EQ(first.body["stored"], 3) << first.text;
  ask("DELETE", "/api/v1/jobs/" + first.body["job_ids"][1].get<std::string>());
  const Reply again = submit_many();
  EXPECT_EQ(again.status, 201) << again.text;
  EXPECT_EQ(again.body["job_ids"], first.body["job_ids"]);
  EXPECT_EQ(again.body["stored"], 2);
  EXPECT_EQ(again.body["conflicts"], Json::parse(R"([{"index":1,"code":"job-deleted"}])"));
}

class EventsTest : public ApiServerTest {
 protected:
  std::shared_ptr<FakeSink> follow(const std::string& query = "", const std::string& last = "") {
    HeaderList headers{{"Authorization", "Bearer " + admin}};
    if (!last.empty()) headers.emplace_back("Last-Event-ID", last);
    const auto answer = begin("GET", "/api/v1/events" + query, "", headers);
    EXPECT_EQ(answer->given->status, 200);
    EXPECT_EQ(answer->given->content_type, "text/event-stream");
    return answer->sink;
  }
  void happen(const std::string& type, std::optional<JobId> job = {}) {
    NodeEvent event;
    event.type = type;
    event.job = job;
    event.at = now;
    for (const auto& [id, watcher] : node.watchers) watcher(event);
  }
  static std::string last_id(const std::string& text) {
    const std::size_t at = text.rfind("id: ");
    return text.substr(at + 4, text.find('\n', at) - at - 4);
  }
  static std::size_t times(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
      ++n;
    return n;
  }
  Instant now = system_clock().now();
};

TEST_F(EventsTest, TellsWhatTheFilterLetsThrough) {
  const auto all = follow();
  const auto some = follow("?types=job.deleted,pool.*");
  happen("job.created");
  happen("job.deleted");
  happen("pool.grown");
  EXPECT_EQ(times(all->text, "event: "), 3u);
  EXPECT_EQ(times(some->text, "event: "), 2u);
  EXPECT_EQ(some->text.find("job.created"), std::string::npos);
}

TEST_F(EventsTest, ReplaysWhatWasMissedOrSaysReset) {
  const auto first = follow();
  happen("job.created");
  const std::string seen = last_id(first->text);
  happen("job.started");
  happen("job.deleted");
  const auto second = follow("", seen);
  EXPECT_EQ(times(second->text, "event: "), 2u);
  EXPECT_NE(second->text.find("job.started"), std::string::npos);
  EXPECT_NE(follow("", "elsewhere.7")->text.find("event: reset"), std::string::npos);
  EXPECT_NE(follow("", seen.substr(0, seen.rfind('.')) + ".999")->text.find("event: reset"),
            std::string::npos);
}

TEST_F(EventsTest, TellsProgressSeldomAndDeletesAlways) {
  const auto sink = follow();
  const JobId job = node.ids().next();
  for (int i = 0; i < 100; ++i) {
    happen("job.progress", job);
    happen("job.deleted", node.ids().next());
  }
  EXPECT_EQ(times(sink->text, "event: job.progress"), 1u);
  EXPECT_EQ(times(sink->text, "event: job.deleted"), 100u);
  loop.later.back()();
  EXPECT_EQ(times(sink->text, "event: job.progress"), 2u) << "the last one is told in the end";
}

TEST_F(EventsTest, TellsNothingOfAJobAfterItsDeletion) {
  const auto sink = follow();
  const JobId job = node.ids().next();
  for (int i = 0; i < 3; ++i) happen("job.progress", job);
  happen("job.deleted", job);
  const std::string then = sink->text;
  for (int i = 0; i < 3; ++i) loop.later.back()();
  EXPECT_EQ(sink->text, then);
  EXPECT_EQ(times(sink->text, "event: job.progress"), 1u);
}

TEST_F(EventsTest, TellsWhatWaitsOfAJobBeforeItsNextNews) {
  const auto sink = follow();
  const JobId job = node.ids().next();
  for (int i = 0; i < 3; ++i) happen("job.progress", job);
  happen("job.succeeded", job);
  EXPECT_EQ(times(sink->text, "event: job.progress"), 2u);
  EXPECT_LT(sink->text.rfind("event: job.progress"), sink->text.find("event: job.succeeded"));
}

TEST_F(EventsTest, ReplaysOfADeletedJobOnlyItsDeletion) {
  const JobId job = node.ids().next(), other = node.ids().next();
  const auto first = follow();
  happen("job.created", other);
  const std::string seen = last_id(first->text);
  for (const char* type : {"job.created", "job.started", "job.deleted"}) happen(type, job);
  happen("job.started", other);
  const std::string text = follow("", seen)->text;
  EXPECT_EQ(times(text, job.text()), 1u) << text;
  EXPECT_EQ(times(text, "event: job.deleted"), 1u);
  EXPECT_EQ(times(text, other.text()), 1u);
}

TEST_F(EventsTest, CutsReadersWhoDoNotRead) {
  const auto sink = follow();
  sink->pretend_unsent = 2 << 20;
  loop.later.back()();
  EXPECT_NE(sink->text.find("event: reset"), std::string::npos);
  EXPECT_FALSE(sink->open);
}

TEST_F(EventsTest, SaysGoodbyeWhenTheServerDrains) {
  const auto sink = follow();
  api.close();
  EXPECT_NE(sink->text.find("event: system.draining"), std::string::npos);
  EXPECT_FALSE(sink->open);
  EXPECT_TRUE(node.watchers.empty());
}

TEST_F(EventsTest, KeepsProjectsApart) {
  const std::string red = token("viewer", "red");
  const std::string id = submit();
  EXPECT_EQ(ask_as(red, "GET", "/api/v1/events").status, 403);
  EXPECT_EQ(ask_as(red, "GET", "/api/v1/events?job_id=" + id).status, 404);
}

class RatedServerTest : public ApiServerTest {
 protected:
  RatedServerTest() : ApiServerTest(three_writes()) {}
  static ApiSettings three_writes() {
    ApiSettings settings;
    settings.rate_write_per_minute = 3;
    return settings;
  }
};

TEST_F(RatedServerTest, SlowsDownWhoAsksTooMuch) {
  for (int i = 0; i < 3; ++i) submit();
  const Reply reply = ask("POST", "/api/v1/jobs", R"({"kind":"noop"})");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.code(), "quota-exceeded");
  EXPECT_GT(std::stoi(reply.headers.at("Retry-After")), 0);
  EXPECT_EQ(ask("GET", "/api/v1/jobs").status, 200) << "reads have a limit of their own";
  EXPECT_EQ(ask_as(token("operator"), "POST", "/api/v1/jobs", R"({"kind":"noop"})").status, 201);
}

class SmallServerTest : public ApiServerTest {
 protected:
  SmallServerTest() : ApiServerTest(small()) {}
  static ApiSettings small() {
    ApiSettings settings;
    settings.body_max = 2'048;
    settings.bulk_body_max = 4'096;
    return settings;
  }
};

TEST_F(SmallServerTest, TakesBodiesAsLargeAsIsSetAndSaysSo) {
  EXPECT_EQ(ruling(admin, "POST", "/api/v1/jobs").limit, 2'048u);
  EXPECT_EQ(ruling(admin, "POST", "/api/v1/jobs/bulk-delete").limit, 4'096u);
  const Reply reply = ask("GET", "/api/v1/system");
  EXPECT_EQ(reply.body.at("limits").at("body_bytes"), 2'048) << reply.text;
  EXPECT_EQ(reply.body.at("limits").at("bulk_body_bytes"), 4'096);
}

TEST(RateLimit, FillsSteadily) {
  RateLimit limit(60, 0, 0);
  RateLimit::Time now{};
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(limit.take(RatePolicy::read, "t", now).allowed);
  EXPECT_FALSE(limit.take(RatePolicy::read, "t", now).allowed);
  now += std::chrono::seconds{1};
  EXPECT_TRUE(limit.take(RatePolicy::read, "t", now).allowed);
  EXPECT_FALSE(limit.take(RatePolicy::read, "t", now).allowed);
  EXPECT_TRUE(limit.take(RatePolicy::write, "t", now).allowed);
}

TEST(OpenApi, DescribesEveryRouteAndNoOther) {
  const Json document = Json::parse(openapi_json());
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::size_t operations = 0;
  std::set<std::string> ids;
  for (const auto& [path, item] : document["paths"].items())
    for (const auto& [method, operation] : item.items()) {
      ++operations;
      ids.insert(operation["operationId"].get<std::string>());
    }
  EXPECT_EQ(operations, routes().size());
  for (const Route& route : routes()) {
    EXPECT_TRUE(ids.count(std::string{route.name})) << route.name;
    std::string method{route.method};
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    EXPECT_TRUE(document["paths"][std::string{route.path}].contains(method)) << route.path;
  }
}

}  // namespace
}  // namespace quell::http
