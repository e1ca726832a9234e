#include "http/api/views/delete_views.hpp"
#include "tests/places.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace quell::http {
namespace {

using Json = nlohmann::json;

JobId id_of(int n) {
  JobId id;
  id.bytes[6] = 0x70;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

std::string golden(const std::string& name) {
  std::ifstream file(places::sources() + "/tests/http/golden/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

JobOutcome deleted(int n, JobState was, Verdict verdict) {
  JobOutcome outcome;
  outcome.job = id_of(n);
  outcome.fate = JobFate::deleted;
  outcome.was = was;
  outcome.verdict = verdict;
  outcome.mark = outcome.stop = outcome.release = outcome.erase = true;
  outcome.epoch = 2;
  outcome.queue = "default";
  if (verdict == Verdict::stopped) outcome.slots_freed = 1;
  return outcome;
}

JobOutcome with_fate(int n, JobFate fate) {
  JobOutcome outcome;
  outcome.job = id_of(n);
  outcome.fate = fate;
  return outcome;
}

DeleteReport mixed() {
  DeleteReport report;
  report.delete_id = id_of(200);
  report.at = Instant{Millis{1'767'225'600'000}};
  report.outcomes = {deleted(1, JobState::running, Verdict::stopped),
                     deleted(2, JobState::queued, Verdict::not_running),
                     deleted(3, JobState::succeeded, Verdict::not_running),
                     with_fate(4, JobFate::already_gone), with_fate(5, JobFate::pending)};
  report.outcomes[3].deleted_at = report.at;
  report.outcomes[4].was = JobState::running;
  report.outcomes[4].verdict = Verdict::stuck;
  report.outcomes[4].mark = true;
  report.outcomes[4].delete_id = report.delete_id;
  report.counts = count(report.outcomes, 6);
  return report;
}

// The contract of the service that is replaced: these five, with these names and this meaning.
TEST(DeleteViews, KeepTheOldFiveFields) {
  const Response response = bulk_delete_response(mixed(), OutcomeDetail::brief);
  const Json body = Json::parse(response.body);
  EXPECT_EQ(body.at("success"), false);
  EXPECT_EQ(body.at("deleted_count"), 3);
  EXPECT_EQ(body.at("tasks_revoked"), 1);
  EXPECT_EQ(body.at("redis_removed"), 1);
  EXPECT_EQ(body.at("message"),
            "3 of 5 jobs deleted, 1 run stopped, 1 removed from the queue, 1 slot freed, 1 was "
            "already gone, 1 is still being deleted.");
}

TEST(DeleteViews, TellEverythingOfAMixedCall) {
  const Response response = bulk_delete_response(mixed(), OutcomeDetail::brief);
  EXPECT_EQ(response.body + "\n", golden("bulk_delete_reply.json"));
}

TEST(DeleteViews, AnswerAcceptedWhileAnythingIsPending) {
  const Response response = bulk_delete_response(mixed(), OutcomeDetail::brief);
  EXPECT_EQ(response.status, 202);
  ASSERT_EQ(response.headers.size(), 2u);
  EXPECT_EQ(response.headers[0].second, "/api/v1/deletions/00000000-0000-7000-0000-0000000000c8");
  EXPECT_EQ(response.headers[1].first, "Retry-After");
}

TEST(DeleteViews, SucceedOnlyWhenAllIsFinal) {
  DeleteReport report = mixed();
  report.outcomes.pop_back();
  report.counts = count(report.outcomes, 4);
  report.receipt = R"({"payload":"x"})";
  const Response good = bulk_delete_response(report, OutcomeDetail::brief);
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(Json::parse(good.body).at("success"), true);
  EXPECT_EQ(Json::parse(good.body).at("receipt").at("payload"), "x");
  report.outcomes.push_back(with_fate(6, JobFate::failed));
  report.outcomes.back().error = Error{ErrorCode::protected_job};
  report.counts = count(report.outcomes, 5);
  const Response failed = bulk_delete_response(report, OutcomeDetail::failed_only);
  const Json body = Json::parse(failed.body);
  EXPECT_EQ(failed.status, 200);
  EXPECT_EQ(body.at("success"), false);
  ASSERT_EQ(body.at("outcomes").size(), 1u);
  EXPECT_EQ(body["outcomes"][0]["problem"]["code"], "protected");
}

TEST(DeleteViews, NeverClaimSuccessInADryRun) {
  DeleteReport report;
  report.dry_run = true;
  report.complete = true;
  report.outcomes = {with_fate(1, JobFate::would_delete)};
  report.counts = count(report.outcomes, 1);
  const Json body = Json::parse(bulk_delete_response(report, OutcomeDetail::brief).body);
  EXPECT_EQ(body.at("success"), false);
  EXPECT_EQ(body.at("dry_run"), true);
  EXPECT_EQ(body.at("deleted_count"), 0);
  EXPECT_EQ(body["outcomes"][0]["outcome"], "would_delete");
}

DeleteReport single(JobOutcome outcome) {
  DeleteReport report;
  report.delete_id = id_of(200);
  report.outcomes = {std::move(outcome)};
  report.counts = count(report.outcomes, 1);
  return report;
}

TEST(DeleteViews, TellOneDeletedJobWithItsProof) {
  const Response response = single_delete_response(
      single(deleted(1, JobState::running, Verdict::reaped)), false, "/x", "r");
  const Json body = Json::parse(response.body);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(body.at("status"), "DELETED");
  EXPECT_EQ(body.at("success"), true);
  EXPECT_EQ(body.at("outcome"), "deleted");
  EXPECT_EQ(body.at("counts").at("killed"), 1);
  EXPECT_EQ(body.at("proof").at("verdict"), "reaped");
  EXPECT_EQ(body.at("proof").at("proven"), true);
  EXPECT_EQ(body.at("proof").at("effects_aborted"), nullptr) << "unknown is null, never 0";
  EXPECT_EQ(body.at("steps").at("erase"), true);
}

TEST(DeleteViews, AnswerEachFateOfOneJob) {
  JobOutcome pending = with_fate(1, JobFate::pending);
  pending.delete_id = id_of(77);
  const Response waits = single_delete_response(single(pending), false, "/x", "r");
  EXPECT_EQ(waits.status, 202);
  EXPECT_EQ(Json::parse(waits.body).at("status"), "PENDING_DELETE");
  EXPECT_EQ(waits.headers[0].second, "/api/v1/deletions/" + id_of(77).text())
      << "the first call's ticket is the one to follow";
  const Response gone =
      single_delete_response(single(with_fate(1, JobFate::already_gone)), false, "/x", "r");
  EXPECT_EQ(gone.status, 200);
  EXPECT_EQ(Json::parse(gone.body).at("status"), "ALREADY_DELETED");
  const DeleteReport unknown = single(with_fate(1, JobFate::not_found));
  EXPECT_EQ(single_delete_response(unknown, false, "/x", "r").status, 404);
  EXPECT_EQ(single_delete_response(unknown, true, "/x", "r").status, 200);
  JobOutcome refused = with_fate(1, JobFate::failed);
  refused.error = Error{ErrorCode::protected_job};
  EXPECT_EQ(single_delete_response(single(refused), false, "/x", "r").status, 409);
}

}  // namespace
}  // namespace quell::http
