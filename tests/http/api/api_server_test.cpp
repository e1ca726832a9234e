#include <algorithm>

#include "http/api/router.hpp"
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

using Json = nlohmann::json;

std::string example_path(std::string_view pattern) {
  std::string path{pattern};
  for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{'))
    path.replace(open, path.find('}') - open + 1, "0198c2c0-0000-7000-8000-000000000001");
  return path;
}

TEST_F(ApiServerTest, RefusesEveryRouteToStrangers) {
  for (const Route& route : routes()) {
    const Reply reply = ask_as("", std::string{route.method}, example_path(route.path), "{}");
    if (route.need.is_open) {
      EXPECT_EQ(reply.status, route.method == "GET" ? 200 : 403) << route.name;
      continue;
    }
    EXPECT_EQ(reply.status, 401) << route.name;
    EXPECT_EQ(reply.code(), "unauthenticated") << route.name;
    EXPECT_EQ(reply.headers.at("WWW-Authenticate"), "Bearer") << route.name;
  }
}

TEST_F(ApiServerTest, LetsEachRoleThroughToItsScopesOnly) {
  for (const Role role : {Role::viewer, Role::operator_, Role::admin}) {
    const std::string who = token(std::string{to_string(role)});
    for (const Route& route : routes()) {
      const bool allowed = route.need.is_open || ScopeSet::of(role).has(route.need.scope);
      const auto answer =
          begin(std::string{route.method}, example_path(route.path), "",
                {{"Authorization", "Bearer " + who}, {"Sec-Fetch-Site", "same-origin"}});
      const Reply reply = reply_of(*answer);
      if (!allowed) {
        EXPECT_EQ(reply.status, 403) << to_string(role) << " " << route.name;
        EXPECT_EQ(reply.body.value("scope", ""), to_string(route.need.scope));
      } else {
        EXPECT_NE(reply.status, 403) << to_string(role) << " " << route.name;
        EXPECT_NE(reply.status, 401) << to_string(role) << " " << route.name;
      }
    }
  }
}

TEST_F(ApiServerTest, OnlyAnAdministratorOrATokenMadeForItMayDelete) {
  const std::string id = submit();
  for (const char* scopes : {"viewer", "operator", "jobs:read jobs:write"})
    EXPECT_EQ(ask_as(token(scopes), "DELETE", "/api/v1/jobs/" + id).status, 403) << scopes;
  EXPECT_EQ(ask_as(token("jobs:delete"), "DELETE", "/api/v1/jobs/" + id).status, 200);
}

TEST_F(ApiServerTest, RefusesTokensThatAreWrongExpiredOrGone) {
  std::string other = admin;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& bad : {other, std::string{"quell_x_y"}, std::string{"x"}, admin + "0"})
    EXPECT_EQ(ask_as(bad, "GET", "/api/v1/jobs").status, 401);
  NewToken old = make_token("old", "admin", ScopeSet::of(Role::admin), "", Instant{});
  old.record.expires = system_clock().now() - Millis{1};
  api.auth().put(old.record);
  EXPECT_EQ(ask_as(old.text, "GET", "/api/v1/jobs").status, 401);
  const NewToken gone = make_token("g", "admin", ScopeSet::of(Role::admin), "", Instant{});
  api.auth().put(gone.record);
  EXPECT_EQ(ask_as(gone.text, "GET", "/api/v1/jobs").status, 200);
  api.auth().remove(gone.record.id);
  EXPECT_EQ(ask_as(gone.text, "GET", "/api/v1/jobs").status, 401);
}

TEST_F(ApiServerTest, TakesTheSchemeInAnyCaseAndNoTokenInTheQuery) {
  EXPECT_EQ(
      reply_of(*begin("GET", "/api/v1/jobs", "", {{"Authorization", "bearer " + admin}})).status,
      200);
  EXPECT_EQ(ask_as("", "GET", "/api/v1/jobs?token=" + admin).status, 401);
}

TEST_F(ApiServerTest, AnswersExactlyWhichMethodsAPathTakes) {
  Reply reply = ask("PUT", "/api/v1/jobs");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers.at("Allow"), "POST, GET, HEAD");
  reply = ask("POST", "/api/v1/jobs/bulk", "{}");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers.at("Allow"), "DELETE");
  EXPECT_NE(reply.body.value("detail", "").find("bulk-submit"), std::string::npos);
  EXPECT_EQ(ask("TRACE", "/api/v1/jobs").status, 405);
}

TEST_F(ApiServerTest, NeverTakesAReservedWordForAnId) {
  EXPECT_EQ(ask("GET", "/api/v1/jobs/bulk").status, 405);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/counts").status, 405);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/bulk-delete").status, 405);
  EXPECT_TRUE(node.erased.empty());
}

TEST_F(ApiServerTest, KnowsNoOtherPaths) {
  for (const char* path : {"/", "/api", "/api/v1/", "/api/v1/jobs/", "//api/v1/jobs",
                           "/api/v1/jobs/x/y/z", "/API/v1/jobs", "/api/v1/jobs/../jobs"}) {
    const Reply reply = ask("GET", path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.code(), "not-found") << path;
    EXPECT_EQ(reply.headers.at("Content-Type"), "application/problem+json");
  }
}

TEST_F(ApiServerTest, GivesEveryProblemItsShape) {
  const auto answer = begin("GET", "/api/v1/jobs/0198c2c0-0000-7000-8000-000000000001", "",
                            {{"Authorization", "Bearer " + admin}, {"X-Request-Id", "abc-1"}});
  const Reply reply = reply_of(*answer);
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body.at("type"), "https://quell.dev/problems/job-not-found");
  EXPECT_EQ(reply.body.at("status"), 404);
  EXPECT_EQ(reply.body.at("code"), "job-not-found");
  EXPECT_EQ(reply.body.at("request_id"), "abc-1");
  EXPECT_EQ(reply.body.at("retryable"), false);
  EXPECT_EQ(reply.body.at("instance"), "/api/v1/jobs/0198c2c0-0000-7000-8000-000000000001");
  EXPECT_FALSE(reply.body.at("title").get<std::string>().empty());
  EXPECT_EQ(reply.headers.at("X-Request-Id"), "abc-1");
  EXPECT_EQ(reply.headers.at("Cache-Control"), "no-store");
}

TEST_F(ApiServerTest, MakesAnIdForRequestsWithoutOneOrWithAStrangeOne) {
  const auto answer = begin("GET", "/livez", "", {{"X-Request-Id", "a b\"<"}});
  EXPECT_NE(reply_of(*answer).headers.at("X-Request-Id"), "a b\"<");
  EXPECT_FALSE(ask("GET", "/livez").headers.at("X-Request-Id").empty());
}

TEST_F(ApiServerTest, SaysHowReadyItIs) {
  EXPECT_EQ(ask_as("", "GET", "/readyz").status, 200);
  node.ready = false;
  const Reply reply = ask_as("", "GET", "/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body["checks"]["store"], "gone");
}

TEST_F(ApiServerTest, TellsACallerWhenToComeBack) {
  node.fault = Error{ErrorCode::overloaded};
  const Reply reply = ask("POST", "/api/v1/jobs", R"({"kind":"noop"})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.at("Retry-After"), "1");
  EXPECT_EQ(reply.body.at("retryable"), true);
}

TEST_F(ApiServerTest, TellsEachFaultOfTheNodeByItsOwnCode) {
  for (const ErrorCode code :
       {ErrorCode::internal, ErrorCode::store_unavailable, ErrorCode::store_full,
        ErrorCode::store_corrupt, ErrorCode::draining, ErrorCode::overloaded}) {
    node.fault = Error{code, "the disk at /secret/place"};
    for (const Reply& reply :
         {ask("POST", "/api/v1/jobs", R"({"kind":"noop"})"),
          ask("POST", "/api/v1/jobs/bulk-submit", R"({"jobs":[{"kind":"noop"}]})"),
          ask("DELETE", "/api/v1/jobs/0198c2c0-0000-7000-8000-000000000001"),
          ask("POST", "/api/v1/jobs/bulk-delete",
              R"({"job_ids":["0198c2c0-0000-7000-8000-000000000001"]})")}) {
      EXPECT_EQ(reply.status, info(code).http_status) << info(code).wire;
      EXPECT_EQ(reply.code(), info(code).wire);
    }
  }
}

TEST_F(ApiServerTest, AsksToRepeatWhatIsStillRunningUnderTheSameKey) {
  node.docs_are_lost = true;
  const Reply reply =
      ask_as(admin, "POST", "/api/v1/jobs", R"({"kind":"noop"})", {{"Idempotency-Key", "k"}});
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.code(), "idempotency-in-progress");
}

TEST_F(ApiServerTest, CountsItsRequestsByRoute) {
  submit();
  ask("GET", "/nowhere");
  const Reply reply = ask("GET", "/metrics");
  EXPECT_NE(reply.text.find("quell_fake 1"), std::string::npos);
  EXPECT_NE(reply.text.find("quell_http_requests_total{route=\"submit_job\",status=\"2xx\"} 1"),
            std::string::npos);
  EXPECT_NE(reply.text.find("quell_http_requests_total{route=\"none\",status=\"4xx\"} 1"),
            std::string::npos);
}

TEST_F(ApiServerTest, MakesOneAdministratorOnly) {
  ApiServer second(node, loop, {});
  const auto opened = second.open();
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(opened.value().has_value());
  EXPECT_TRUE(second.auth().check(admin, system_clock().now()).has_value());
}

TEST_F(ApiServerTest, ShowsTheLawItKeeps) {
  const Reply reply = ask("GET", "/api/v1/spec");
  EXPECT_EQ(reply.body["routes"].size(), routes().size());
  EXPECT_EQ(reply.body["delete_steps"].size(), 5u);
  const auto& states = reply.body["states"];
  EXPECT_TRUE(std::any_of(states.begin(), states.end(),
                          [](const Json& state) { return state["name"] == "pending_delete"; }));
  EXPECT_EQ(ask("GET", "/api/v1/system").body["limits"]["delete_ids"], 1000);
}

}  // namespace
}  // namespace quell::http
