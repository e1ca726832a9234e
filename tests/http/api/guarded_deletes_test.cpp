// The law of deleting at the API: every way to ask, under every rule.
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

using Json = nlohmann::json;

const std::string unseen = "0198c2c0-0000-7000-8000-000000000001";

class GuardedDeletesTest : public ApiServerTest {
 protected:
  // A delete of one waiting job by each way there is, with `more` in its query or body.
  std::vector<Reply> each_way(const Json& more = Json::object()) {
    std::string query;
    for (const auto& [name, value] : more.items()) query += "&" + name + "=" + value.dump();
    Json body = more;
    std::vector<Reply> replies;
    replies.push_back(ask("DELETE", "/api/v1/jobs/" + submit() + "?wait=1" + query));
    replies.push_back(ask("DELETE", "/api/v1/jobs/" + submit(), body.dump()));
    body["job_ids"] = {submit()};
    replies.push_back(ask("DELETE", "/api/v1/jobs/bulk", body.dump()));
    body["job_ids"] = {submit()};
    replies.push_back(ask("POST", "/api/v1/jobs/bulk-delete", body.dump()));
    return replies;
  }

  // Of a delete that waits for a run.
  Reply force(const Json& more = Json::object()) {
    const std::string id = submit();
    node.claim("default", 10);
    const Reply pending = ask("DELETE", "/api/v1/jobs/" + id + "?confirm=true");
    EXPECT_EQ(pending.status, 202) << pending.text;
    return force(pending.body.value("delete_id", ""), more);
  }
  Reply force(const std::string& delete_id, const Json& more) {
    Json body = more;
    body["reason"] = "the machine burned down";
    DeleteReport done;
    done.complete = true;
    node.next_report = done;
    const Reply reply = ask("POST", "/api/v1/deletions/" + delete_id + "/force", body.dump());
    node.next_report.reset();
    return reply;
  }
  std::string pending_delete() {
    const DeletionRules kept = std::exchange(node.rules, {});
    const std::string id = submit();
    node.claim("default", 10);
    const Reply pending = ask("DELETE", "/api/v1/jobs/" + id);
    node.rules = kept;
    return pending.body.value("delete_id", "");
  }
};

TEST_F(GuardedDeletesTest, LiveEveryWayDeletes) {
  for (const Reply& reply : each_way()) {
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body["counts"]["deleted"], 1) << reply.text;
  }
  EXPECT_EQ(force().status, 200);
  EXPECT_EQ(node.forced.size(), 1u);
}

TEST_F(GuardedDeletesTest, AnExplicitDryRunIsAnsweredUnderEveryRule) {
  for (const DeletionRules& rules :
       {DeletionRules{}, DeletionRules{.dry_run = true}, DeletionRules{.require_confirm = true},
        DeletionRules{.frozen = true, .require_confirm = true}}) {
    node.rules = rules;
    for (const Reply& reply : each_way({{"validate_only", true}})) {
      EXPECT_EQ(reply.status, 200) << reply.text;
      EXPECT_EQ(reply.body["dry_run"], true);
      EXPECT_EQ(reply.body["counts"]["deleted"], 0);
      EXPECT_EQ(reply.body.value("frozen", false), rules.frozen) << "and says so";
    }
    EXPECT_EQ(force(pending_delete(), {{"validate_only", true}}).status, 200);
    EXPECT_TRUE(node.forced.back().dry_run);
  }
}

TEST_F(GuardedDeletesTest, InDryRunModeEveryDeleteIsADryRunAndAsksNoConfirmation) {
  node.rules = {.dry_run = true, .require_confirm = true};
  for (const Reply& reply : each_way()) {
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body["success"], false);
    EXPECT_EQ(reply.body["dry_run"], true);
    EXPECT_EQ(reply.body["deleted_count"], 0);
  }
  for (const DeleteRequest& asked : node.erased) EXPECT_TRUE(asked.dry_run);
  EXPECT_EQ(force(pending_delete(), Json::object()).status, 200);
  EXPECT_TRUE(node.forced.back().dry_run);
}

TEST_F(GuardedDeletesTest, FrozenEveryDeleteIsRefusedAndForceToo) {
  node.rules.frozen = true;
  for (const Reply& reply : each_way({{"confirm", true}})) {
    EXPECT_EQ(reply.status, 423);
    EXPECT_EQ(reply.code(), "deletions-frozen");
  }
  EXPECT_TRUE(node.erased.empty());
  EXPECT_EQ(force(pending_delete(), {{"confirm", true}}).code(), "deletions-frozen");
  EXPECT_TRUE(node.forced.empty());
}

TEST_F(GuardedDeletesTest, WhatIsMarkedMayBeTriedAgainUnderEveryRule) {
  for (const DeletionRules& rules : {DeletionRules{}, DeletionRules{.dry_run = true},
                                     DeletionRules{.frozen = true, .require_confirm = true}}) {
    node.rules = rules;
    const std::string id = pending_delete();
    DeleteReport done;
    done.complete = true;
    node.next_report = done;
    EXPECT_EQ(ask("POST", "/api/v1/deletions/" + id + "/retry").status, 200);
  }
}

TEST_F(GuardedDeletesTest, UnconfirmedNothingIsDeletedWhereConfirmationIsAsked) {
  node.rules.require_confirm = true;
  for (const Json& more : {Json::object(), Json{{"confirm", false}}})
    for (const Reply& reply : each_way(more)) {
      EXPECT_EQ(reply.status, 400);
      EXPECT_EQ(reply.code(), "confirmation-required");
    }
  EXPECT_TRUE(node.erased.empty());
  const std::string pending = pending_delete();
  node.erased.clear();
  EXPECT_EQ(force(pending, Json::object()).code(), "confirmation-required");
  EXPECT_TRUE(node.forced.empty());
  for (const Reply& reply : each_way({{"confirm", true}})) EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(force(pending, {{"confirm", true}}).status, 200);
}

TEST_F(GuardedDeletesTest, AFreezeComesBeforeTheConfirmationAndTheDryRun) {
  node.rules = {.frozen = true, .dry_run = true, .require_confirm = true};
  for (const Reply& reply : each_way()) EXPECT_EQ(reply.code(), "deletions-frozen");
  node.rules.frozen = false;
  for (const Reply& reply : each_way()) EXPECT_EQ(reply.status, 200);
}

TEST_F(GuardedDeletesTest, TokenAndScopeComeBeforeTheFreeze) {
  node.rules.frozen = true;
  const std::string path = "/api/v1/jobs/" + unseen;
  EXPECT_EQ(ask_as("", "DELETE", path).status, 401);
  EXPECT_EQ(ask_as(token("viewer"), "DELETE", path).status, 403);
  EXPECT_EQ(ask("DELETE", path).status, 423);
}

TEST_F(GuardedDeletesTest, AProtectedJobIsAConflictAloneAndAFailureAmongOthers) {
  const std::string kept = submit(R"({"kind":"noop","protected":true})");
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + kept).status, 409);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + kept).code(), "protected");
  const Reply bulk =
      ask("POST", "/api/v1/jobs/bulk-delete", Json{{"job_ids", {kept, submit()}}}.dump());
  EXPECT_EQ(bulk.status, 200);
  EXPECT_EQ(bulk.body["counts"]["deleted"], 1);
  EXPECT_EQ(bulk.body["counts"]["failed"], 1);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + kept).status, 200);
}

TEST_F(GuardedDeletesTest, SaysInWhichModeItIs) {
  node.rules = {.frozen = true, .dry_run = true, .require_confirm = true};
  const Json said = ask("GET", "/api/v1/system").body["deletions"];
  for (const char* mode : {"confirm", "dry_run", "frozen"}) EXPECT_EQ(said[mode], true) << mode;
  EXPECT_EQ(said["spike_hold"], false);
}

}  // namespace
}  // namespace quell::http
