// One straight line through the real program: submit, run, delete while running, receipt.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "runtime/base/base64.hpp"
#include "tests/e2e/running_server.hpp"

namespace quell::e2e {
namespace {

const Json long_sleep{{"kind", "sleep"}, {"args", {{"seconds", 600}}}};

// Ed25519 over the exact bytes of the payload, with the key that the server shows.
bool verifies(const std::string& pem, const Json& receipt) {
  const auto payload = from_base64(receipt.at("payload").get<std::string>());
  const auto signature = from_base64(receipt.at("signatures").at(0).at("sig").get<std::string>());
  if (!payload || !signature) return false;
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good = key != nullptr &&
                    EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
                    EVP_DigestVerify(context, signature->data(), signature->size(), payload->data(),
                                     payload->size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(bio);
  return good;
}

TEST(ThinWhole, RunsAJobToItsEnd) {
  RunningServer server;
  const std::string id = server.submit({{"kind", "noop"}});
  const auto reply = server.ask("GET", jobs + "/" + id + "?wait_for=final&timeout=10");
  EXPECT_EQ(reply.body["status"], "succeeded");
  EXPECT_EQ(reply.body["attempt"], 1);
  EXPECT_FALSE(reply.body["finished_at"].is_null());
  EXPECT_EQ(server.ask("GET", jobs + "/" + id + "/attempts").body["attempts"].size(), 1u);
}

TEST(ThinWhole, DeletesAJobWhileItRuns) {
  RunningServer server;
  const std::string id = server.submit(long_sleep);
  ASSERT_TRUE(server.reaches(id, "running"));
  const auto reply = server.ask("DELETE", jobs + "/" + id + "?reason=wrong");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body["success"], true);
  EXPECT_EQ(reply.body["status"], "DELETED");
  EXPECT_EQ(reply.body["counts"]["killed"], 1);
  EXPECT_EQ(reply.body["counts"]["slots_freed"], 1);
  EXPECT_EQ(reply.body["proof"]["verdict"], "stopped");
  const auto pool = server.ask("GET", "/api/v1/pools").body["pools"][0];
  EXPECT_EQ(pool["free"], pool["capacity"]) << "the slot was back before the reply";
  EXPECT_EQ(server.ask("GET", jobs + "/" + id).status, 410);
  EXPECT_EQ(server.ask("DELETE", jobs + "/" + id).body["status"], "ALREADY_DELETED");

  const std::string pem = server.ask("GET", "/api/v1/system").body["public_key"];
  ASSERT_TRUE(reply.body["receipt"].is_object());
  EXPECT_TRUE(verifies(pem, reply.body["receipt"]));
  Json forged = reply.body["receipt"];
  forged["payload"] = base64(std::string_view{"{}"});
  EXPECT_FALSE(verifies(pem, forged));
  const std::string delete_id = reply.body["delete_id"];
  EXPECT_EQ(server.ask("GET", "/api/v1/deletions/" + delete_id).body["receipt"],
            reply.body["receipt"]);
}

TEST(ThinWhole, EmptiesAFullPoolWithOneCall) {
  RunningServer server;
  Json many{{"jobs", Json::array()}};
  for (int i = 0; i < 100; ++i) many["jobs"].push_back(long_sleep);
  const auto made = server.ask("POST", jobs + "/bulk-submit", many);
  ASSERT_EQ(made.status, 201);
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(server.reaches(made.body["job_ids"][static_cast<std::size_t>(i)], "running"));
  const auto reply =
      server.ask("DELETE", jobs + "/bulk", {{"job_ids", made.body["job_ids"]}, {"old", 1}});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body["success"], true);
  EXPECT_EQ(reply.body["deleted_count"], 100);
  EXPECT_EQ(reply.body["tasks_revoked"], 20);
  EXPECT_EQ(reply.body["redis_removed"], 80);
  EXPECT_EQ(reply.body["counts"]["slots_freed"], 20);
  const auto probe = server.ask(
      "GET", jobs + "/" + server.submit({{"kind", "noop"}}) + "?wait_for=final&timeout=10");
  EXPECT_EQ(probe.body["status"], "succeeded");
}

TEST(ThinWhole, KeepsItsPromisesAcrossAKill) {
  RunningServer server;
  const std::string doomed = server.submit(long_sleep);
  const std::string kept = server.submit(long_sleep);
  const std::string later = server.submit({{"kind", "noop"}, {"delay_s", 1}});
  ASSERT_TRUE(server.reaches(kept, "running"));
  ASSERT_EQ(server.ask("DELETE", jobs + "/" + doomed).status, 200);
  server.kill_hard();
  server.start();
  EXPECT_EQ(server.ask("GET", jobs + "/" + doomed).status, 410);
  EXPECT_TRUE(server.reaches(kept, "running")) << "what was not deleted runs again";
  EXPECT_TRUE(server.reaches(later, "succeeded"));
  EXPECT_EQ(server.ask("DELETE", jobs + "/" + kept).body["counts"]["killed"], 1);
}

TEST(ThinWhole, AnswersEachMisuseWithItsOwnCode) {
  RunningServer server;
  http::Client stranger({server.url(), "", "", Millis{10'000}});
  EXPECT_EQ(stranger.send("GET", jobs).value().status, 401);
  http::Client wrong(
      {server.url(), "quell_0000000000000000_" + std::string(64, '0'), "", Millis{10'000}});
  EXPECT_EQ(wrong.send("GET", jobs).value().status, 401);
  EXPECT_EQ(server.ask("GET", "/api/v1/nothing").status, 404);
  EXPECT_EQ(server.ask("PUT", jobs).status, 405);
  EXPECT_EQ(server.ask("POST", jobs + "/bulk", Json::object()).status, 405);
  http::Client plain({server.url(), server.token(), "", Millis{10'000}});
  EXPECT_EQ(plain.send("POST", jobs, "", {{"Content-Type", "text/plain"}}).value().status, 415);
  const std::string large = "{\"kind\":\"noop\",\"x\":\"" + std::string(1 << 20, 'x') + "\"}";
  EXPECT_EQ(plain.send("POST", jobs, large).value().status, 413);
  EXPECT_EQ(plain.send("GET", "/readyz").value().status, 200);
}

TEST(ThinWhole, KeepsTheTokenForItsOwner) {
  RunningServer server;
  struct stat status {};
  ASSERT_EQ(stat((server.data() + "/admin.token").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  ASSERT_EQ(stat(server.data().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0700u);
  const std::string token = server.token();
  EXPECT_EQ(server.log().find(token), std::string::npos);
  EXPECT_EQ(server.stop(), 0);
  server.start();
  EXPECT_EQ(server.token(), token) << "made once";
  EXPECT_EQ(server.ask("GET", jobs).status, 200);
}

TEST(ThinWhole, RefusesASecondOwner) {
  RunningServer server;
  const std::string dir = server.dir() + "/client";
  const pid_t pid =
      start_program({"serve", "--data-dir", server.data(), "--listen", "127.0.0.1:0"}, dir);
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 5) << text_of(dir + "/err");
  EXPECT_EQ(server.ask("GET", jobs).status, 200);
}

TEST(ThinWhole, DrainsOnSigterm) {
  RunningServer server({"--pool", "default=20", "--drain-timeout-s", "10"});
  const std::string id = server.submit({{"kind", "sleep"}, {"args", {{"seconds", 0.3}}}});
  ASSERT_TRUE(server.reaches(id, "running"));
  EXPECT_EQ(server.stop(), 0);
  server.start();
  EXPECT_EQ(server.ask("GET", jobs + "/" + id).body["status"], "succeeded")
      << "what ran when the signal came was let finish";
}

}  // namespace
}  // namespace quell::e2e
