// The API on the real program: TLS, events, tokens, secrets, the description of the API.
#include "tests/e2e/running_server.hpp"

namespace quell::e2e {
namespace {

TEST(RealServer, ServesTlsAndIsCheckedByItsClient) {
  char pattern[] = "/tmp/quell-e2e-XXXXXX";
  const std::string dir = mkdtemp(pattern);
  const std::string cert = dir + "/cert.pem";
  const std::string key = dir + "/key.pem";
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
      "-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 "
      "-keyout " +
      key + " -out " + cert + " 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);
  {
    RunningServer server({"--tls-cert-file", cert, "--tls-key-file", key});
    ASSERT_EQ(server.url().substr(0, 8), "https://");
    http::Client trusting({server.url(), server.token(), cert, Millis{10'000}});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(trusting.send("GET", jobs).value().status, 200);
    http::Client wary({server.url(), server.token(), "", Millis{10'000}});
    EXPECT_EQ(wary.send("GET", jobs).error().code, ErrorCode::server_unreachable);
    EXPECT_EQ(server.run({"list", "--ca-file", cert}).code, 0);
    EXPECT_EQ(server.stop(), 0);
  }
  std::filesystem::remove_all(dir);
}

TEST(RealServer, TellsAJobsLifeAsItHappens) {
  RunningServer server;
  http::Client follower({server.url(), server.token(), "", Millis{20'000}});
  std::string seen;
  std::string id;
  const auto reply = follower.follow("/api/v1/events", {}, [&](std::string_view piece) {
    seen += piece;
    if (id.empty()) id = server.submit({{"kind", "noop"}});
    return seen.find("event: job.succeeded") == std::string::npos;
  });
  ASSERT_TRUE(reply.ok()) << to_string(reply.error());
  const std::size_t created = seen.find("event: job.created"),
                    started = seen.find("event: job.started"),
                    succeeded = seen.find("event: job.succeeded");
  EXPECT_LT(created, started) << seen;
  EXPECT_LT(started, succeeded) << seen;
  EXPECT_NE(seen.find(id), std::string::npos);
}

TEST(RealServer, EndsEventStreamsWhenItDrains) {
  RunningServer server;
  http::Client follower({server.url(), server.token(), "", Millis{20'000}});
  std::string seen;
  bool asked = false;
  follower
      .follow("/api/v1/events", {},
              [&](std::string_view piece) {
                seen += piece;
                const bool first = !std::exchange(asked, true);
                if (first) {
                  EXPECT_EQ(server.stop(), 0);
                }
                return true;
              })
      .ok();
  EXPECT_NE(seen.find("event: system.draining"), std::string::npos);
}

TEST(RealServer, KeepsTokensSecretsAndAuditAcrossAKill) {
  RunningServer server;
  ProgramEnd end = server.run({"token", "create", "ci", "--scope", "jobs:read", "-o", "json"});
  ASSERT_EQ(end.code, 0) << end.err;
  const std::string token = Json::parse(end.out).at("token");
  std::ofstream(server.dir() + "/secret") << "hunter2-and-more\n";
  EXPECT_EQ(
      server.run({"secret", "set", "k", "--host", "api.example.com"}, server.dir() + "/secret")
          .code,
      0);
  server.kill_hard();
  server.start();
  http::Client ci({server.url(), token, "", Millis{10'000}});
  EXPECT_EQ(ci.send("GET", jobs).value().status, 200);
  EXPECT_EQ(ci.send("POST", jobs, "{\"kind\":\"noop\"}").value().status, 403);
  EXPECT_NE(server.run({"secret", "list", "--plain"}).out.find("api.example.com"),
            std::string::npos);
  EXPECT_EQ(server.run({"audit", "verify"}).code, 0);
  EXPECT_NE(server.run({"audit", "list"}).out.find("token.created"), std::string::npos);
  EXPECT_EQ(server.run({"worker", "list"}).code, 0);
  for (const auto& file : std::filesystem::directory_iterator(server.data())) {
    const std::string text = text_of(file.path());
    EXPECT_EQ(text.find("hunter2-and-more"), std::string::npos) << file.path();
    EXPECT_EQ(text.find(token.substr(24)), std::string::npos) << file.path();
  }
}

TEST(RealServer, SubmitsOnceHoweverOftenTheCallIsRepeated) {
  RunningServer server;
  http::Client client({server.url(), server.token(), "", Millis{10'000}});
  const auto submit = [&client] {
    return Json::parse(
        client.send("POST", jobs, "{\"kind\":\"noop\"}", {{"Idempotency-Key", "once"}})
            .value()
            .body)["job_id"];
  };
  const Json first = submit();
  EXPECT_EQ(submit(), first);
  server.kill_hard();
  server.start();
  client = http::Client({server.url(), server.token(), "", Millis{10'000}});
  EXPECT_EQ(submit(), first);
  EXPECT_EQ(server.ask("GET", jobs).body["jobs"].size(), 1u);
}

}  // namespace
}  // namespace quell::e2e
