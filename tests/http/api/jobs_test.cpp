#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

using Json = nlohmann::json;

const std::string unseen_job = "0198c2c0-0000-7000-8000-000000000001";

TEST_F(ApiServerTest, SubmitsAJobAndShowsIt) {
  const Reply made = ask("POST", "/api/v1/jobs",
                         R"({"kind":"sleep","args":{"seconds":1.50,"big":12345678901234567890123},
                             "queue":"q","priority":9,"tags":["a","b"],"max_attempts":4,
                             "timeout_s":2.5,"unique_key":"k"})");
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string id = made.body.at("job_id");
  EXPECT_EQ(made.headers.at("Location"), "/api/v1/jobs/" + id);
  EXPECT_EQ(made.body.at("status"), "queued");
  const Reply seen = ask("GET", "/api/v1/jobs/" + id);
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.body.at("kind"), "sleep");
  EXPECT_EQ(seen.body.at("queue"), "q");
  EXPECT_EQ(seen.body.at("priority"), 9);
  EXPECT_EQ(seen.body.at("max_attempts"), 4);
  EXPECT_EQ(seen.body.at("timeout_s"), 2.5);
  EXPECT_EQ(seen.body.at("tags"), Json({"a", "b"}));
  EXPECT_EQ(seen.body.at("unique_key"), "k");
  EXPECT_EQ(seen.body.at("attempt"), 0);
  EXPECT_NE(seen.text.find(R"("args":{"seconds":1.50,"big":12345678901234567890123})"),
            std::string::npos)
      << "arguments come back byte by byte";
}

TEST_F(ApiServerTest, AnswersNotModifiedAndPicksFields) {
  const std::string id = submit();
  const Reply seen = ask("GET", "/api/v1/jobs/" + id);
  const auto again =
      begin("GET", "/api/v1/jobs/" + id, "",
            {{"Authorization", "Bearer " + admin}, {"If-None-Match", seen.headers.at("ETag")}});
  EXPECT_EQ(again->given->status, 304);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id + "?fields=status,job_id").text,
            R"({"status":"queued","job_id":")" + id + "\"}");
}

TEST_F(ApiServerTest, RefusesEveryWrongSubmit) {
  struct Case {
    const char* body;
    int status;
    const char* code;
    const char* pointer;
  };
  for (const Case& wrong : {
           Case{R"({})", 400, "invalid-field", "/kind"},
           Case{R"({"kind":1})", 400, "invalid-field", "/kind"},
           Case{R"({"kind":"none"})", 422, "unknown-kind", "/kind"},
           Case{R"({"kind":"noop","arg":{}})", 400, "unknown-field", "/arg"},
           Case{R"({"kind":"noop","a/b~c":1})", 400, "unknown-field", "/a~1b~0c"},
           Case{R"({"kind":"noop","args":[]})", 400, "invalid-field", "/args"},
           Case{R"({"kind":"noop","priority":10})", 400, "invalid-field", "/priority"},
           Case{R"({"kind":"noop","priority":-1})", 400, "invalid-field", "/priority"},
           Case{R"({"kind":"noop","priority":1.5})", 400, "invalid-field", "/priority"},
           Case{R"({"kind":"noop","priority":"5"})", 400, "invalid-field", "/priority"},
           Case{R"({"kind":"noop","max_attempts":0})", 400, "invalid-field", "/max_attempts"},
           Case{R"({"kind":"noop","timeout_s":0})", 400, "invalid-field", "/timeout_s"},
           Case{R"({"kind":"noop","timeout_s":1e99})", 400, "invalid-field", "/timeout_s"},
           Case{R"({"kind":"noop","run_at":"tomorrow"})", 400, "invalid-field", "/run_at"},
           Case{R"({"kind":"noop","run_at":"2026-01-01T00:00:00Z","delay_s":1})", 400,
                "invalid-field", "/delay_s"},
           Case{R"({"kind":"noop","queue":"a b"})", 400, "invalid-field", "/queue"},
           Case{R"({"kind":"noop","tags":["a",1]})", 400, "invalid-field", "/tags/1"},
           Case{R"({"kind":"noop","webhook":"ftp://x"})", 400, "invalid-field", "/webhook"},
           Case{R"({"kind":"noop","job_id":"x"})", 400, "invalid-field", "/job_id"},
           Case{R"({"kind":"noop","unique_key":""})", 400, "invalid-field", "/unique_key"},
           Case{R"({"kind":"noop","limit_key":""})", 400, "invalid-field", "/limit_key"},
           Case{R"({"kind":"noop","limit_key":"a\nb"})", 400, "invalid-field", "/limit_key"},
           Case{R"({"kind":"noop","status":"running"})", 400, "unknown-field", "/status"},
       }) {
    const Reply reply = ask("POST", "/api/v1/jobs", wrong.body);
    EXPECT_EQ(reply.status, wrong.status) << wrong.body;
    EXPECT_EQ(reply.code(), wrong.code) << wrong.body;
    ASSERT_TRUE(reply.body.contains("errors")) << wrong.body;
    EXPECT_EQ(reply.body["errors"][0]["pointer"], wrong.pointer) << wrong.body;
  }
  const Reply misspelt = ask("POST", "/api/v1/jobs", R"({"kind":"slepp"})");
  EXPECT_NE(misspelt.body["errors"][0].dump().find("did you mean 'sleep'?"), std::string::npos)
      << misspelt.body;
  for (const char* body : {"", "{", "[]", "1", R"({"kind":"noop","kind":"noop"})", "null"})
    EXPECT_EQ(
        ask_as(admin, "POST", "/api/v1/jobs", body, {{"Content-Type", "application/json"}}).status,
        400)
        << body;
}

TEST_F(ApiServerTest, TellsAllFaultsAtOnce) {
  const Reply reply =
      ask("POST", "/api/v1/jobs", R"({"kind":"noop","priority":99,"max_attempts":-1,"x":1})");
  EXPECT_EQ(reply.body["errors"].size(), 3u);
}

TEST_F(ApiServerTest, WantsJsonToBeCalledJson) {
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "application/jsonx"}) {
    const auto answer = begin("POST", "/api/v1/jobs", R"({"kind":"noop"})",
                              {{"Authorization", "Bearer " + admin}, {"Content-Type", type}});
    EXPECT_EQ(answer->given->status, 415) << type;
  }
  const auto answer = begin(
      "POST", "/api/v1/jobs", R"({"kind":"noop"})",
      {{"Authorization", "Bearer " + admin}, {"Content-Type", "Application/JSON; charset=utf-8"}});
  EXPECT_EQ(answer->given->status, 201);
}

TEST_F(ApiServerTest, HoldsTheLimitOfArgumentsExactly) {
  const auto with_args = [](std::size_t bytes) {
    return R"({"kind":"noop","args":{"a":")" + std::string(bytes - 8, 'x') + "\"}}";
  };
  EXPECT_EQ(ask("POST", "/api/v1/jobs", with_args(256 * 1024)).status, 201);
  EXPECT_EQ(ask("POST", "/api/v1/jobs", with_args(256 * 1024 + 1)).status, 400);
}

TEST_F(ApiServerTest, AsksForTheScopeOfTheKind) {
  const std::string with_exec = token("jobs:write jobs:exec");
  const std::string body = R"({"kind":"exec","args":{"argv":["true"]}})";
  EXPECT_EQ(ask_as(token("operator"), "POST", "/api/v1/jobs", body).status, 403);
  EXPECT_EQ(ask_as(with_exec, "POST", "/api/v1/jobs", body).status, 201);
  EXPECT_EQ(ask_as(token("operator"), "POST", "/api/v1/jobs/bulk-submit",
                   R"({"jobs":[{"kind":"noop"},)" + body + "]}")
                .status,
            403);
}

TEST_F(ApiServerTest, NamesTheJobThatHasTheUniqueKey) {
  const std::string body = R"({"kind":"noop","unique_key":"k"})";
  const std::string id = submit(body);
  const Reply reply = ask("POST", "/api/v1/jobs", body);
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.code(), "unique-conflict");
  EXPECT_EQ(reply.body.at("existing_job_id"), id);
}

TEST_F(ApiServerTest, SubmitsManyInOrder) {
  const Reply reply = ask("POST", "/api/v1/jobs/bulk-submit",
                          R"({"jobs":[{"kind":"noop"},{"kind":"noop","unique_key":"u"},
                              {"kind":"noop","unique_key":"u"}]})");
  ASSERT_EQ(reply.status, 201) << reply.text;
  ASSERT_EQ(reply.body["job_ids"].size(), 3u);
  EXPECT_EQ(reply.body["stored"], 2);
  EXPECT_EQ(reply.body["job_ids"][2], reply.body["job_ids"][1]);
  EXPECT_EQ(reply.body["conflicts"][0]["index"], 2);
  const Reply wrong = ask("POST", "/api/v1/jobs/bulk-submit",
                          R"({"jobs":[{"kind":"noop"},{"kind":"noop","priority":77}]})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.body["errors"][0]["pointer"], "/jobs/1/priority");
  EXPECT_EQ(ask("POST", "/api/v1/jobs/bulk-submit", R"({"jobs":[]})").status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/counts").body["counts"]["queued"], 2);
}

TEST_F(ApiServerTest, HoldsTheLimitOfManyExactly) {
  const auto body = [](int n) {
    std::string text = R"({"jobs":[)";
    for (int i = 0; i < n; ++i) text += i == 0 ? R"({"kind":"noop"})" : R"(,{"kind":"noop"})";
    return text + "]}";
  };
  EXPECT_EQ(ask("POST", "/api/v1/jobs/bulk-submit", body(10'000)).status, 201);
  EXPECT_EQ(ask("POST", "/api/v1/jobs/bulk-submit", body(10'001)).status, 413);
}

TEST_F(ApiServerTest, DeletesOneJobAndRemembersIt) {
  const std::string id = submit();
  const Reply reply = ask("DELETE", "/api/v1/jobs/" + id);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.at("status"), "DELETED");
  EXPECT_EQ(reply.body.at("counts").at("dequeued"), 1);
  const Reply gone = ask("GET", "/api/v1/jobs/" + id);
  EXPECT_EQ(gone.status, 410);
  EXPECT_EQ(gone.code(), "job-deleted");
  EXPECT_TRUE(gone.body.contains("deleted_at"));
  EXPECT_EQ(gone.body.at("deleted_by"), admin_who());
  const Reply again = ask("DELETE", "/api/v1/jobs/" + id);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body.at("status"), "ALREADY_DELETED");
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + unseen_job).status, 404);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + unseen_job + "?allow_missing=true").status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/not-an-id").status, 404);
}

// Its first half is gone; of the other nobody has a ticket, because nobody has marked it yet.
TEST_F(ApiServerTest, ADeletionIsNotDoneWhileASliceOfItIsUnmarked) {
  storage::Batch batch;
  storage::MarkOp& mark = batch.marks.emplace_back();
  mark.delete_id = node.ids().next();
  mark.jobs = {*Uuid::parse(submit())};
  mark.now = system_clock().now();
  mark.tomb_until = mark.now + std::chrono::hours{1};
  mark.slices = 2;
  const auto state = [&] {
    EXPECT_TRUE(node.apply(batch).ok());
    const std::string id = mark.delete_id.text();
    const Reply one = ask("GET", "/api/v1/deletions/" + id), all = ask("GET", "/api/v1/deletions");
    EXPECT_EQ(all.body.at("deletions").at(0).at("state"), one.body.at("state"));
    return one.body.value("state", one.text);
  };
  EXPECT_EQ(state(), "PENDING_DELETE");
  mark.slice = 1;
  mark.jobs = {*Uuid::parse(submit())};
  EXPECT_EQ(state(), "DELETED");
}

TEST_F(ApiServerTest, DeletesManyWithAnOutcomeEach) {
  const std::string a = submit();
  const std::string b = submit();
  const Json ids{a, b, a, unseen_job};
  const Reply reply = ask("POST", "/api/v1/jobs/bulk-delete", Json{{"job_ids", ids}}.dump());
  ASSERT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.body["counts"]["requested"], 4);
  EXPECT_EQ(reply.body["counts"]["distinct"], 3);
  EXPECT_EQ(reply.body["deleted_count"], 2);
  EXPECT_EQ(reply.body["redis_removed"], 2);
  EXPECT_EQ(reply.body["outcomes"][0]["job_id"], a);
  EXPECT_EQ(reply.body["outcomes"][1]["job_id"], b);
  EXPECT_EQ(reply.body["outcomes"][2]["outcome"], "not_found");
}

TEST_F(ApiServerTest, OldClientsMaySendUnknownFieldsNewOnesMayNot) {
  const std::string body = Json{{"job_ids", {submit()}}, {"revoke", true}}.dump();
  const Reply strict = ask("POST", "/api/v1/jobs/bulk-delete", body);
  EXPECT_EQ(strict.status, 400);
  EXPECT_EQ(strict.code(), "unknown-field");
  EXPECT_TRUE(node.erased.empty()) << "a mistyped field must not delete anything";
  const Reply old = ask("DELETE", "/api/v1/jobs/bulk", body);
  EXPECT_EQ(old.status, 200);
  EXPECT_EQ(old.body["deleted_count"], 1);
}

TEST_F(ApiServerTest, RefusesWrongBulkDeletesWhole) {
  const std::string good = submit();
  for (const std::string& body :
       {std::string{"{}"}, std::string{R"({"job_ids":[]})"}, std::string{R"({"job_ids":"x"})"},
        std::string{R"({"job_ids":[1]})"}, Json{{"job_ids", {good, "x"}}}.dump(),
        Json{{"job_ids", {good}}, {"wait", 31}}.dump(),
        Json{{"job_ids", {good}}, {"atomic", true}}.dump()}) {
    const Reply reply = ask("POST", "/api/v1/jobs/bulk-delete", body);
    EXPECT_EQ(reply.status, 400) << body;
  }
  EXPECT_TRUE(node.erased.empty());
}

TEST_F(ApiServerTest, HoldsTheLimitOfIdsExactly) {
  Json ids = Json::array();
  for (int i = 0; i < 1000; ++i) ids.push_back(node.ids().next().text());
  EXPECT_EQ(ask("POST", "/api/v1/jobs/bulk-delete", Json{{"job_ids", ids}}.dump()).status, 200);
  ids.push_back(unseen_job);
  const Reply reply = ask("POST", "/api/v1/jobs/bulk-delete", Json{{"job_ids", ids}}.dump());
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.code(), "too-many-ids");
}

TEST_F(ApiServerTest, PassesOnWhatADeleteAsksFor) {
  const std::string id = submit();
  ask("DELETE", "/api/v1/jobs/" + id + "?wait=2.5&reason=wrong%20input");
  ASSERT_EQ(node.erased.size(), 1u);
  EXPECT_EQ(node.erased[0].wait, Millis{2500});
  EXPECT_EQ(node.erased[0].reason, "wrong input");
  EXPECT_EQ(node.erased[0].who, admin_who());
  EXPECT_EQ(node.erased[0].remote, "127.0.0.1");
  ask("POST", "/api/v1/jobs/bulk-delete",
      Json{{"job_ids", {id}}, {"validate_only", true}, {"wait", 0}}.dump());
  EXPECT_TRUE(node.erased[1].dry_run);
  EXPECT_EQ(node.erased[1].wait, Millis{0});
  begin("DELETE", "/api/v1/jobs/" + id, "",
        {{"Authorization", "Bearer " + admin}, {"Prefer", "respond-async, wait=7"}});
  EXPECT_EQ(node.erased[2].wait, Millis{7000});
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + id + "?wait=31").status, 400);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + id + "?wiat=1").status, 400);
}

TEST_F(ApiServerTest, CancelsAndRetries) {
  const std::string id = submit();
  Reply reply = ask("POST", "/api/v1/jobs/" + id + "/cancel");
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.body.at("status"), "cancelled");
  reply = ask("POST", "/api/v1/jobs/" + id + "/retry");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.at("status"), "queued");
  reply = ask("POST", "/api/v1/jobs/" + id + "/retry");
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.body.at("job_status"), "queued");
  EXPECT_EQ(reply.body.at("status"), 409) << "a problem has its status once";
  const std::string later = submit(R"({"kind":"noop","delay_s":1000})");
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + later).body["status"], "scheduled");
  EXPECT_EQ(ask("POST", "/api/v1/jobs/" + later + "/retry").body["status"], "queued");
  node.claim("default", 10);
  reply = ask("POST", "/api/v1/jobs/" + id + "/cancel");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body.at("cancel_requested"), true);
  EXPECT_EQ(ask("POST", "/api/v1/jobs/" + unseen_job + "/cancel").status, 404);
}

TEST_F(ApiServerTest, ShowsAJobThatIsBeingDeleted) {
  const std::string id = submit();
  node.claim("default", 1);
  const Reply reply = ask("DELETE", "/api/v1/jobs/" + id);
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body.at("success"), false);
  const std::string ticket = reply.headers.at("Location");
  const Reply seen = ask("GET", "/api/v1/jobs/" + id);
  EXPECT_EQ(seen.body.at("status"), "pending_delete");
  EXPECT_EQ(seen.body.at("deletion").at("was"), "running");
  EXPECT_EQ(seen.body.at("deletion").at("open_holders"), 1);
  const Reply shown = ask("GET", ticket);
  EXPECT_EQ(shown.body.at("state"), "PENDING_DELETE");
  EXPECT_EQ(shown.body.at("pending")[0].at("job_id"), id);
  EXPECT_EQ(ask("GET", "/api/v1/deletions?state=PENDING_DELETE").body["deletions"].size(), 1u);
  EXPECT_EQ(ask("GET", "/api/v1/deletions").body["deletions"][0]["state"], "PENDING_DELETE");
  EXPECT_EQ(ask("POST", "/api/v1/jobs/" + id + "/cancel").code(), "deletion-in-progress");
}

TEST_F(ApiServerTest, ListsPageByPageWithoutGapOrRepeat) {
  std::vector<std::string> made;
  for (int i = 0; i < 7; ++i) made.push_back(submit());
  std::vector<std::string> seen;
  std::string target = "/api/v1/jobs?page_size=3";
  for (int page = 0; page < 5 && !target.empty(); ++page) {
    const Reply reply = ask("GET", target);
    ASSERT_EQ(reply.status, 200) << reply.text;
    for (const Json& job : reply.body["jobs"]) seen.push_back(job["job_id"]);
    const std::string next = reply.body["next_page_token"];
    target = next.empty() ? "" : "/api/v1/jobs?page_size=3&page_token=" + next;
  }
  std::reverse(seen.begin(), seen.end());
  EXPECT_EQ(seen, made);
}

TEST_F(ApiServerTest, BindsAPageTokenToItsFilter) {
  for (int i = 0; i < 3; ++i) submit();
  const std::string token =
      ask("GET", "/api/v1/jobs?page_size=1&status=queued").body["next_page_token"];
  EXPECT_EQ(ask("GET", "/api/v1/jobs?status=queued&page_token=" + token).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/jobs?filter=status%3Dqueued&page_token=" + token).status, 200);
  for (const std::string& target :
       {"/api/v1/jobs?page_token=" + token, "/api/v1/jobs?status=failed&page_token=" + token,
        std::string{"/api/v1/jobs?status=queued&page_token=x"},
        "/api/v1/jobs?status=queued&page_token=1" + token})
    EXPECT_EQ(ask("GET", target).code(), "invalid-page-token") << target;
}

TEST_F(ApiServerTest, FiltersByWhatTheStoreCanAnswer) {
  submit(R"({"kind":"noop","queue":"a","tags":["x"]})");
  submit(R"({"kind":"sleep","queue":"b"})");
  const auto n = [this](const std::string& query) {
    const Reply reply = ask("GET", "/api/v1/jobs?" + query);
    EXPECT_EQ(reply.status, 200) << reply.text;
    return reply.body["jobs"].size();
  };
  EXPECT_EQ(n("filter=queue%3Da"), 1u);
  EXPECT_EQ(n("filter=queue%3Da%20AND%20kind%3Dsleep"), 0u);
  EXPECT_EQ(n("filter=tags:x"), 1u);
  EXPECT_EQ(n("filter=status%3DQUEUED%20OR%20status%3Drunning"), 2u);
  EXPECT_EQ(n("filter=created_at%3C%222020-01-01T00:00:00Z%22"), 0u);
  EXPECT_EQ(n("filter=created_at%3E2020-01-01T00:00:00Z"), 2u);
  EXPECT_EQ(n("status=queued,failed&queue=b"), 1u);
  EXPECT_EQ(n("filter=((status%3Dqueued%20OR%20status%3Dfailed)%20AND%20(queue%3Db))"), 1u);
  for (const char* filter : {"colour%3Dred",
                             "status%3Dblue",
                             "status",
                             "status%3D",
                             "queue!%3Da",
                             "queue%3Da%20OR%20queue%3Db",
                             "NOT%20queue%3Da",
                             "queue%3Da%20queue%3Db",
                             "created_at%3Dx",
                             "queue%3D%22a",
                             "queue%3Da%20AND",
                             "queue%3Da%20AND%20queue%3Db",
                             "(",
                             ")",
                             "()",
                             "(queue%3Da",
                             "queue%3Da)",
                             "()%20queue%3Da",
                             "queue%3Da%20AND%20(",
                             "queue%3Da%20AND%20()",
                             "(queue%3Da%20AND%20status%3Dqueued)%20OR%20status%3Dfailed",
                             "status%3Dfailed%20OR%20(status%3Dqueued%20AND%20queue%3Da)"})
    EXPECT_EQ(ask("GET", std::string{"/api/v1/jobs?filter="} + filter).code(), "invalid-filter")
        << filter;
  EXPECT_EQ(ask("GET", "/api/v1/jobs?page_size=-1").status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/jobs?stat=queued").code(), "unknown-field");
}

TEST_F(ApiServerTest, CountsByStatusAndQueue) {
  submit(R"({"kind":"noop","queue":"a"})");
  submit(R"({"kind":"noop","queue":"b"})");
  const Reply by_status = ask("GET", "/api/v1/jobs/counts?group_by=status");
  EXPECT_EQ(by_status.body["counts"]["queued"], 2);
  EXPECT_EQ(by_status.body["counts"]["failed"], 0);
  EXPECT_TRUE(by_status.body.contains("as_of"));
  EXPECT_EQ(ask("GET", "/api/v1/jobs/counts?group_by=queue").body["counts"]["a"], 1);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/counts?group_by=status,queue").body["groups"].size(), 2u);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/counts?group_by=colour").status, 400);
}

TEST_F(ApiServerTest, KeepsProjectsApart) {
  const std::string red = token("admin", "red");
  const std::string blue = token("admin", "blue");
  const Reply made = ask_as(red, "POST", "/api/v1/jobs", R"({"kind":"noop"})");
  const std::string id = made.body.at("job_id");
  EXPECT_EQ(made.body.at("project"), "red");
  const std::string path = "/api/v1/jobs/" + id;
  EXPECT_EQ(ask_as(red, "GET", path).status, 200);
  EXPECT_EQ(ask("GET", path).status, 200) << "an administrator of all sees it";
  for (const char* part : {"", "/attempts", "/logs", "/partials", "/result", "/deliveries"})
    EXPECT_EQ(ask_as(blue, "GET", path + part).status, 404) << part;
  EXPECT_EQ(ask_as(blue, "POST", path + "/cancel").status, 404);
  EXPECT_EQ(ask_as(blue, "DELETE", path).status, 404);
  EXPECT_EQ(ask_as(blue, "POST", "/api/v1/jobs/bulk-delete", Json{{"job_ids", {id}}}.dump())
                .body["outcomes"][0]["outcome"],
            "not_found");
  EXPECT_EQ(ask_as(blue, "GET", "/api/v1/jobs").body["jobs"].size(), 0u);
  EXPECT_EQ(ask_as(blue, "GET", "/api/v1/jobs?project=red").status, 403);
  EXPECT_EQ(ask_as(blue, "GET", "/api/v1/jobs/counts").body["counts"]["queued"], 0);
  EXPECT_EQ(ask_as(blue, "POST", "/api/v1/jobs", R"({"kind":"noop","project":"red"})").status, 403);
  EXPECT_EQ(ask_as(red, "DELETE", path).status, 200);
}

TEST_F(ApiServerTest, WaitsForAJobToEnd) {
  const std::string id = submit();
  const auto answer = begin("GET", "/api/v1/jobs/" + id + "?wait_for=final&timeout=30", "",
                            {{"Authorization", "Bearer " + admin}});
  EXPECT_FALSE(answer->given) << "it is still queued";
  ask("POST", "/api/v1/jobs/" + id + "/cancel");
  ASSERT_EQ(node.watchers.size(), 1u);
  NodeEvent event;
  event.job = Uuid::parse(id);
  const auto watcher = node.watchers.begin()->second;
  watcher(event);
  ASSERT_TRUE(answer->given);
  EXPECT_EQ(reply_of(*answer).body["status"], "cancelled");
  EXPECT_TRUE(node.watchers.empty()) << "nobody waits, so nobody listens";
}

TEST_F(ApiServerTest, GivesUpWaitingWhenTheTimeIsUp) {
  const std::string id = submit();
  const auto answer = begin("GET", "/api/v1/jobs/" + id + "?wait_for=final&timeout=1", "",
                            {{"Authorization", "Bearer " + admin}});
  EXPECT_FALSE(answer->given);
  loop.later.back()();
  EXPECT_EQ(reply_of(*answer).body["status"], "queued");
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id + "?wait_for=final&timeout=0").body["status"],
            "queued");
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id + "?wait_for=nonsense").status, 400);
}

TEST_F(ApiServerTest, SteersQueuesAndPools) {
  EXPECT_EQ(ask("POST", "/api/v1/queues/q/pause").body["paused"], true);
  EXPECT_EQ(ask("GET", "/api/v1/queues/q").body["paused"], true);
  EXPECT_EQ(ask("POST", "/api/v1/queues/q/resume").body["paused"], false);
  EXPECT_EQ(ask("POST", "/api/v1/queues/q/drain").status, 202);
  EXPECT_EQ(ask("GET", "/api/v1/queues/q").body["closed"], true);
  EXPECT_EQ(ask("POST", "/api/v1/queues/q/open").body["closed"], false);
  EXPECT_EQ(ask("GET", "/api/v1/queues/none").status, 404);
  const std::string limits = R"({"concurrency":7,"key_rate":{"count":5,"per_s":60},"per_key":2})";
  EXPECT_EQ(ask("PATCH", "/api/v1/queues/q", "{\"limits\":" + limits + "}").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/queues/q").body["limits"].dump(), limits);
  EXPECT_EQ(ask("PATCH", "/api/v1/queues/q", R"({"limits":{}})").body["limits"].dump(), "{}");
  for (const char* wrong : {R"({})", R"({"limits":{"concurrency":0}})", R"({"limits":{"more":1}})",
                            R"({"limits":{"rate":{"per_s":1}}})", R"({"limits":7})"})
    EXPECT_EQ(ask("PATCH", "/api/v1/queues/q", wrong).status, 400) << wrong;
  EXPECT_EQ(ask("PATCH", "/api/v1/pools/default", R"({"capacity":7})").body["capacity"], 7);
  EXPECT_EQ(ask("PATCH", "/api/v1/pools/default", R"({"capacity":-7})").status, 400);
  EXPECT_EQ(ask("PATCH", "/api/v1/pools/none", R"({"capacity":7})").status, 404);
  const Reply pools = ask("GET", "/api/v1/pools");
  EXPECT_EQ(pools.body["pools"][0]["name"], "default");
  for (const char* field : {"capacity", "used", "free", "waiting"})
    EXPECT_TRUE(pools.body["pools"][0].contains(field));
}

TEST_F(ApiServerTest, ANamesakeOfAnotherProjectIsSomebodyElse) {
  const std::string ours = token("admin", "ours"), theirs = token("admin", "theirs");
  const Reply made = ask_as(ours, "POST", "/api/v1/jobs", R"({"kind":"noop"})");
  const std::string job = "/api/v1/jobs/" + made.body.at("job_id").get<std::string>();
  const Reply erased = ask_as(ours, "DELETE", job);
  ASSERT_EQ(erased.status, 200) << erased.text;
  const std::string call = "/api/v1/deletions/" + erased.body.at("delete_id").get<std::string>();
  EXPECT_TRUE(ask_as(ours, "GET", job).body.at("deleted_by").is_string());
  EXPECT_TRUE(ask_as(theirs, "GET", job).body.at("deleted_by").is_null());
  EXPECT_EQ(ask_as(ours, "GET", call).status, 200);
  EXPECT_EQ(ask_as(theirs, "GET", call).status, 404);
  node.next_report = DeleteReport{};
  EXPECT_EQ(ask_as(theirs, "POST", call + "/force", R"({"reason":"mine now"})").status, 404);
}

}  // namespace
}  // namespace quell::http
