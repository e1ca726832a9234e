#include "runtime/policy/webhook_outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace quell {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const SubscriptionSet set({{"all", "shop", {"*"}},
                           {"ends", "shop", {"job.succeeded", "job.failed"}},
                           {"gone", "shop", {"job.deleted", "jobs.deleted"}},
                           {"other", "farm", {}}},
                          7);
const Instant at{1'700'000'000'123ms};

TEST(WebhookOutbox, FindsWhoWantsAnEventOfAProject) {
  EXPECT_THAT(set.endpoints("shop", "job.failed"), ElementsAre("all", "ends"));
  EXPECT_THAT(set.endpoints("shop", "job.created"), ElementsAre("all"));
  EXPECT_THAT(set.endpoints("farm", "job.created"), ElementsAre("other"));
  EXPECT_THAT(set.endpoints("none", "job.created"), IsEmpty());
}

TEST(WebhookOutbox, TheOwnUrlHearsOfEverythingButADeletion) {
  EXPECT_THAT(webhook_receivers(set, "shop", "job.retrying", true), ElementsAre("all", ""));
  EXPECT_THAT(webhook_receivers({}, "shop", "job.failed", true), ElementsAre(""));
  EXPECT_THAT(webhook_receivers({}, "shop", "job.failed", false), IsEmpty());
  EXPECT_THAT(webhook_receivers(set, "shop", "job.deleted", true), ElementsAre("all", "gone"));
  EXPECT_THAT(webhook_receivers({}, "shop", "jobs.deleted", true), IsEmpty());
}

TEST(WebhookOutbox, NamesTheEndOfARunAndNoHandOver) {
  EXPECT_EQ(told_by_webhook(JobEvent::succeed), "job.succeeded");
  EXPECT_EQ(told_by_webhook(JobEvent::exhaust), "job.failed");
  EXPECT_EQ(told_by_webhook(JobEvent::stopped), "job.cancelled");
  EXPECT_EQ(told_by_webhook(JobEvent::retry), "job.retrying");
  EXPECT_EQ(told_by_webhook(JobEvent::hand_over), "");
  EXPECT_EQ(told_by_webhook(JobEvent::mark), "");
  for (const std::string_view type : webhook_event_types()) EXPECT_TRUE(is_webhook_event(type));
  EXPECT_TRUE(is_webhook_event("*"));
  EXPECT_FALSE(is_webhook_event("job.exploded"));
}

TEST(WebhookOutbox, WritesThinBodies) {
  const JobId job = *Uuid::parse("018f3c1e-0000-7000-8000-000000000001");
  EXPECT_EQ(job_message_body("job.failed", at, {job, "failed", "shop", 3}),
            R"({"type":"job.failed","timestamp":"2023-11-14T22:13:20.123Z","data":)"
            R"({"job_id":"018f3c1e-0000-7000-8000-000000000001","status":"failed",)"
            R"("project":"shop","attempt":3}})");
  const auto gone = nlohmann::json::parse(
      deleted_body(at, {job, job, JobState::running, Verdict::lease_expired, "shop"}));
  EXPECT_EQ(gone.at("data").at("was"), "running");
  EXPECT_EQ(gone.at("data").at("proven"), false);
  const auto many =
      nlohmann::json::parse(deleted_summary_body(at, {job, 101, 0, "shop", "me", "old \xff"}));
  EXPECT_EQ(many.at("type"), "jobs.deleted");
  EXPECT_EQ(many.at("data").at("deleted"), 101);
}

TEST(WebhookOutbox, GivesTheSameMessageTheSameIdAndAnotherOneAnother) {
  const Uuid a = *Uuid::parse("018f3c1e-0000-7000-8000-000000000001");
  const Uuid b = *Uuid::parse("018f3c1e-0000-7000-8000-000000000002");
  EXPECT_EQ(notice_id("e", "job.deleted", a, b), notice_id("e", "job.deleted", a, b));
  EXPECT_NE(notice_id("e", "job.deleted", a, b), notice_id("f", "job.deleted", a, b));
  EXPECT_NE(notice_id("e", "job.deleted", a, b), notice_id("e", "jobs.deleted", a, b));
  EXPECT_NE(notice_id("e", "job.deleted", a, b), notice_id("e", "job.deleted", b, a));
}

TEST(WebhookOutbox, SaysWhyAJobWasGivenUp) {
  const JobId job = *Uuid::parse("018f3c1e-0000-7000-8000-000000000001");
  const auto body = nlohmann::json::parse(
      job_message_body("job.failed", at, {job, "failed", "shop", {}, "lost_too_often"}));
  EXPECT_EQ(body.at("data").at("reason"), "lost_too_often");
  EXPECT_FALSE(body.at("data").contains("attempt"));
}

TEST(DeletionSummary, GoesToWhoAskedForEitherEventAndGrows) {
  EXPECT_THAT(set.of_summaries("shop"), ElementsAre("all", "gone"));
  EXPECT_THAT(set.of_summaries("none"), IsEmpty());
  EXPECT_THAT(set.of_any_project(), ElementsAre("all", "ends", "gone", "other"));
  const JobId call = *Uuid::parse("018f3c1e-0000-7000-8000-000000000001");
  const std::string first = deleted_summary_body(at, {call, 100, 1, "shop", "me", "old"});
  const std::string grown = add_to_summary(first, at + 1s, 50, 2);
  EXPECT_EQ(grown, deleted_summary_body(at + 1s, {call, 150, 3, "shop", "me", "old"}));
  EXPECT_EQ(deleted_in_summary(grown), 150u);
}

TEST(DeletionNotices, BeginWithTheTimeOfTheirDelete) {
  IdSource ids(system_clock());
  const DeleteId call = ids.next();
  EXPECT_EQ(notice_id("e", "job.deleted", ids.next(), call).time(), call.time());
}

}  // namespace
}  // namespace quell
