// Who is refused leaves a trace: a count, a line, and for a delete a row of the audit log.
#include "http/api/page_token.hpp"
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

using Json = nlohmann::json;
const std::string not_there = "0198c2c0-0000-7000-8000-000000000001";

class RefusalsTest : public ApiServerTest {
 protected:
  explicit RefusalsTest(ApiSettings settings = {}) : ApiServerTest(logged(std::move(settings))) {}
  ApiSettings logged(ApiSettings settings) {
    settings.refusal_log = [this](const std::string& line) { lines.push_back(Json::parse(line)); };
    return settings;
  }
  std::vector<Json> refused_deletes() {
    std::vector<Json> found;
    const Reply audit = ask("GET", "/api/v1/audit");
    for (const Json& entry : audit.body["entries"])
      if (entry["what"] == "delete.refused") found.push_back(entry);
    return found;
  }
  bool counts(const std::string& why, int n) {
    return api.metrics().find("quell_http_refused_total{why=\"" + why + "\"} " + std::to_string(n) +
                              "\n") != std::string::npos;
  }
  std::vector<Json> lines;
};

TEST_F(RefusalsTest, AFailedLoginIsCountedAndLogged) {
  ask_as("", "POST", "/api/v1/login", R"({"token":"quell_no"})",
         {{"Sec-Fetch-Site", "same-origin"}});
  EXPECT_TRUE(counts("login", 1)) << api.metrics();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["why"], "login");
  EXPECT_EQ(lines[0]["remote"], "127.0.0.1");
  EXPECT_EQ(lines[0]["who"], "stranger");
  EXPECT_TRUE(refused_deletes().empty());
}

TEST_F(RefusalsTest, ARefusedDeleteIsInTheAuditLog) {
  const std::string viewer = token("viewer"), id = submit();
  EXPECT_EQ(ask_as(viewer, "DELETE", "/api/v1/jobs/" + id).status, 403);
  EXPECT_EQ(ask_as("", "DELETE", "/api/v1/jobs/" + id).status, 401);
  EXPECT_TRUE(counts("forbidden", 1) && counts("unauthenticated", 1)) << api.metrics();
  const auto rows = refused_deletes();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["who"], "token:t#" + Token::parse(viewer)->id);
  EXPECT_EQ(rows[0]["ref"], id);
  EXPECT_EQ(rows[1]["who"], "stranger");
}

TEST_F(RefusalsTest, AFloodIsCountedAndDrownsNothing) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 500; ++i) ask_as("", "DELETE", "/api/v1/jobs/" + not_there);
  EXPECT_TRUE(counts("unauthenticated", 500));
  // There is room for one more with each second that the flood takes.
  const auto took =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - began);
  const auto room = 60u + static_cast<std::size_t>(took.count());
  EXPECT_LE(lines.size(), room);
  EXPECT_LE(refused_deletes().size(), room);
  const std::string viewer = token("viewer");
  ask_as(viewer, "DELETE", "/api/v1/jobs/" + not_there);
  EXPECT_EQ(lines.back()["who"], "token:t#" + Token::parse(viewer)->id)
      << "strangers take no room from who is known";
}

TEST_F(RefusalsTest, APageTokenCannotBeMadeOfWhatEverybodyKnows) {
  for (int i = 0; i < 3; ++i) submit();
  const std::string place = ask("GET", "/api/v1/jobs?page_size=1").body["jobs"][0]["job_id"];
  const std::string of_public =
      make_page_token("quell page token", node.public_key_pem(), "").substr(1);
  for (const std::string& key : {std::string{}, node.public_key_pem(), of_public})
    for (const std::string list : {"", "jobs", "deletions"})
      EXPECT_EQ(ask("GET", "/api/v1/jobs?page_token=" + make_page_token(key, list, place)).status,
                400);
}

TEST_F(RefusalsTest, APageTokenHoldsForItsListOnly) {
  for (int i = 0; i < 3; ++i) submit();
  const std::string jobs = ask("GET", "/api/v1/jobs?page_size=1").body["next_page_token"];
  EXPECT_EQ(ask("GET", "/api/v1/jobs?page_token=" + jobs).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/deletions?page_token=" + jobs).code(), "invalid-page-token");
}

class LoopbackServerTest : public RefusalsTest {
 protected:
  LoopbackServerTest() : RefusalsTest(on_loopback()) {}
  static ApiSettings on_loopback() {
    ApiSettings settings;
    settings.hosts = {"localhost", "127.0.0.1", "[::1]", "q.example"};
    return settings;
  }
  int asked_as_host(const std::string& host) {
    Result<Head> head = read_head("GET /livez HTTP/1.1\r\nHost: " + host + "\r\n\r\n", {});
    auto answer = std::make_shared<Answer>();
    api.handle(std::move(head->request), answer);
    return answer->given->status;
  }
};

// A page of evil.example whose name was moved to 127.0.0.1 in between.
TEST_F(LoopbackServerTest, IsNotAskedByAStrangersName) {
  for (const char* own :
       {"localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]", "q.example"})
    EXPECT_EQ(asked_as_host(own), 200) << own;
  for (const char* other : {"evil.example", "evil.example:8080", "localhost.evil.example",
                            "127.0.0.1.nip.example", "10.0.0.1"})
    EXPECT_EQ(asked_as_host(other), 403) << other;
}

}  // namespace
}  // namespace quell::http
