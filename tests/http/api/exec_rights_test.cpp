// Who may have programs run: only where they are on, only with their scope, also at a second look.
#include "http/api/job_request.hpp"
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {

namespace {

const std::string program = R"({"kind":"exec","args":{"argv":["true"]}})";

class ExecRights : public ApiServerTest {
 protected:
  std::string retry(const std::string& id) { return "/api/v1/jobs/" + id + "/retry"; }
  // Of a program that was submitted while they were on, and is to be run again.
  std::string cancelled_program() {
    const std::string id = submit(program);
    EXPECT_EQ(ask("POST", "/api/v1/jobs/" + id + "/cancel").status, 200);
    return id;
  }
};

TEST_F(ExecRights, ASubmitWhereExecIsOffSaysHowToEnableIt) {
  node.run_programs(false);
  for (const auto& [path, body] : {std::pair{"/api/v1/jobs", program},
                                   {"/api/v1/jobs/bulk-submit", "{\"jobs\":[" + program + "]}"}}) {
    const Reply reply = ask("POST", path, body);
    EXPECT_EQ(reply.status, 403) << reply.text;
    EXPECT_EQ(reply.code(), "exec-disabled");
    EXPECT_EQ(reply.headers.at("Content-Type"), "application/problem+json");
    EXPECT_NE(reply.text.find("--exec-enabled"), std::string::npos) << reply.text;
  }
  EXPECT_EQ(ask("POST", "/api/v1/jobs", R"({"kind":"noop"})").status, 201);
}

TEST_F(ExecRights, ARetryWhereExecIsOffIsRefusedAndMovesNothing) {
  const std::string id = cancelled_program();
  node.run_programs(false);
  const Reply reply = ask("POST", retry(id));
  EXPECT_EQ(reply.status, 403) << reply.text;
  EXPECT_EQ(reply.code(), "exec-disabled");
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id).body["status"], "cancelled");
}

TEST_F(ExecRights, ARetryNeedsTheScopeOfTheKindAsTheSubmitDid) {
  const std::string id = cancelled_program();
  const Reply reply = ask_as(token("operator"), "POST", retry(id));
  EXPECT_EQ(reply.status, 403) << reply.text;
  EXPECT_NE(reply.text.find("jobs:exec"), std::string::npos) << reply.text;
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id).body["status"], "cancelled");
  const std::string later = submit(R"({"kind":"exec","args":{"argv":["true"]},"delay_s":1000})");
  EXPECT_EQ(ask_as(token("operator"), "POST", retry(later)).status, 403) << "run now";
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + later).body["status"], "scheduled");
  EXPECT_EQ(ask_as(token("jobs:write jobs:exec"), "POST", retry(id)).status, 200);
}

TEST_F(ExecRights, ARetryOfAnotherProjectsProgramTellsNothingOfIt) {
  const std::string id = cancelled_program();
  EXPECT_EQ(ask_as(token("jobs:write", "elsewhere"), "POST", retry(id)).status, 404);
}

TEST_F(ExecRights, NoRoleInAProjectHasThem) {
  const Reply made =
      ask("POST", "/api/v1/tokens", R"({"name":"p","role":"admin","project":"one"})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.text.find("jobs:exec"), std::string::npos) << made.text;
  const std::string of_project = made.body.value("token", "");
  EXPECT_EQ(ask_as(of_project, "POST", "/api/v1/jobs", program).status, 403);
  EXPECT_EQ(ask_as(of_project, "POST", "/api/v1/tokens",
                   R"({"name":"q","scopes":["jobs:write","jobs:exec"]})")
                .status,
            403)
      << "nor can it give them";
  const Reply named = ask("POST", "/api/v1/tokens",
                          R"({"name":"r","scopes":["jobs:write","jobs:exec"],"project":"one"})");
  ASSERT_EQ(named.status, 201) << named.text;
  EXPECT_EQ(ask_as(named.body.value("token", ""), "POST", "/api/v1/jobs", program).status, 201);
}

TEST_F(ExecRights, AStoredRoleInAProjectDoesNotHaveThemEither) {
  const NewToken made =
      make_token("t", "admin", ScopeSet::of(Role::admin), "one", system_clock().now());
  const auto read = token_from_json(made.record.id, to_json(made.record));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->scopes.has(Scope::jobs_exec));
  EXPECT_TRUE(read->scopes.has(Scope::jobs_delete));
}

}  // namespace

}  // namespace quell::http
