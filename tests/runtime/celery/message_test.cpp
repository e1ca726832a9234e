#include "runtime/celery/message.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/celery/result_meta.hpp"

namespace quell::celery {
namespace {

using Json = nlohmann::json;

Json envelope() {
  return Json::parse(R"({"body":"W1tdLCB7fSwge31d","content-encoding":"utf-8",
    "content-type":"application/json","headers":{"lang":"py","task":"shop.add","id":"some-id",
    "eta":null,"expires":null,"group":"g","timelimit":[null,null],"root_id":"r","parent_id":null,
    "ignore_result":false},"properties":{"priority":3}})");
}

TEST(CeleryMessage, WhatTheJobNeedsIsReadFromItsHeaders) {
  const auto message = read_message(envelope().dump());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, "some-id");
  EXPECT_EQ(message->task, "shop.add");
  EXPECT_EQ(message->priority, 3);
  EXPECT_EQ(message->group, "g");
  EXPECT_EQ(message->root, "r");
  EXPECT_FALSE(message->eta);
}

TEST(CeleryMessage, WhatIsNoMessageOfProtocolTwoIsRefusedWithASentence) {
  for (const char* text :
       {"", "[]", "null", "{}", R"({"headers":7})", R"({"headers":{"id":"x"}})",
        R"({"headers":{"id":"","task":"t"}})", R"({"headers":{"id":"a b","task":"t"}})",
        R"({"headers":{"id":"x","task":"t","eta":"tomorrow"}})"})
    EXPECT_FALSE(read_message(text)) << text;
  Json long_id = envelope();
  long_id["headers"]["id"] = std::string(id_max + 1, 'x');
  EXPECT_FALSE(read_message(long_id.dump()));
}

TEST(CeleryMessage, AMessageComesOutOfItsJobAsItWentIn) {
  const auto message = read_message(envelope().dump());
  const std::string args = job_args(*message, envelope().dump());
  EXPECT_EQ(Json::parse(*envelope_of(args)), envelope());
  EXPECT_FALSE(envelope_of("{}"));
}

TEST(CeleryMessage, TimesHaveAZoneOrAreUtc) {
  const Instant at = *time_of("2026-11-30T11:44:51.789773");
  EXPECT_EQ(*time_of("2026-11-30T11:44:51.789773+00:00"), at);
  EXPECT_EQ(*time_of("2026-11-30T11:44:51.789Z"), at);
  EXPECT_EQ(*time_of("2026-11-30T12:44:51.789+01:00"), at);
  EXPECT_EQ(*time_of("2026-11-30 06:14:51.789-0530"), at);
  for (const char* text : {"", "2026", "2026-13-01T00:00:00", "2026-11-30T25:00:00",
                           "2026-11-30T11:44:51 noon", "2026-11-30T11:44:51+1"})
    EXPECT_FALSE(time_of(text)) << text;
}

JobView job_in(JobState state, std::string error = {}) {
  JobView job;
  job.state = state;
  job.error = std::move(error);
  return job;
}

std::string status_of(const std::optional<std::string>& meta) {
  return meta ? Json::parse(*meta)["status"].get<std::string>() : "nothing";
}

// Every state of a job, with a record that says the end, one that says progress, and none.
TEST(CeleryMeta, AnEndIsToldOnlyOfAJobThatHasEnded) {
  const std::string end = R"({"status":"SUCCESS","result":1})";
  const std::string progress = R"({"status":"PROGRESS","result":1})";
  const auto told = [](JobState state, const std::optional<std::string>& meta,
                       const std::string& error = {}) {
    return status_of(told_of(job_in(state, error), "id", meta, Instant{}));
  };
  for (const JobState waits : {JobState::scheduled, JobState::queued, JobState::running}) {
    EXPECT_EQ(told(waits, end), "nothing");
    EXPECT_EQ(told(waits, progress), "PROGRESS");
    EXPECT_EQ(told(waits, {}), "nothing");
  }
  EXPECT_EQ(told(JobState::succeeded, end), "SUCCESS");
  EXPECT_EQ(told(JobState::succeeded, progress), "nothing");
  EXPECT_EQ(told(JobState::succeeded, {}), "nothing");  // its result was to be ignored
  EXPECT_EQ(told(JobState::cancelled, end), "REVOKED");
  EXPECT_EQ(told(JobState::pending_delete, end), "nothing");
  EXPECT_EQ(told(JobState::delete_failed, end), "nothing");
  const auto error = [](const char* code) { return Json{{"code", code}}.dump(); };
  EXPECT_EQ(told(JobState::failed, end, error(fault::failure)), "SUCCESS");
  EXPECT_EQ(told(JobState::failed, {}, error(fault::failure)), "nothing");
  EXPECT_EQ(told(JobState::failed, {}, error(fault::expired)), "REVOKED");
  EXPECT_EQ(told(JobState::failed, {}, error(fault::time_limit)), "FAILURE");
  EXPECT_EQ(told(JobState::failed, progress, error(fault::lost)), "FAILURE");
  EXPECT_EQ(told(JobState::failed, {}, ""), "FAILURE");
}

TEST(CeleryMessage, WhatAScheduleFiresIsCalledByItsJob) {
  Json fired = envelope();
  fired["headers"]["id"] = fired["headers"]["root_id"] = id_of_job;
  fired["properties"]["correlation_id"] = id_of_job;
  const auto first = read_message(fired.dump());
  ASSERT_TRUE(first);
  const std::string args = job_args(*first, fired.dump());
  const auto job = Uuid::parse("0198c2c0-0000-7000-8000-000000000001");
  const Json kept = Json::parse(*envelope_of(args, *job));
  EXPECT_EQ(kept["headers"]["id"], job->text());
  EXPECT_EQ(kept["headers"]["root_id"], job->text());
  EXPECT_EQ(kept["properties"]["correlation_id"], job->text());
  EXPECT_EQ(read_message(kept.dump())->id, job->text());
}

TEST(CeleryProgress, OfAStateOfTheTasksOwnIsShown) {
  const auto seen =
      progress_in(R"({"status":"PACKING","result":{"current":3,"total":4},"task_id":"x"})");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->fraction, 0.75);
  EXPECT_EQ(seen->phase.substr(0, 8), "PACKING ");
  EXPECT_FALSE(progress_in(R"({"status":"SUCCESS","result":1})"));
  EXPECT_FALSE(progress_in(R"({"status":"P","result":{"current":9}})")->fraction);
  EXPECT_EQ(progress_in(R"({"status":"P","result":{"current":9,"total":2}})")->fraction, 1.0);
}

TEST(CeleryRecord, OfAnyShapeIsReadWithoutAFault) {
  for (const char* meta :
       {R"({"status":5})", R"({"status":null})", R"({"status":["SUCCESS"]})",
        R"({"status":{"a":1},"result":{"current":"x","total":[]}})", "[]", "5"}) {
    is_end(meta);
    if (const auto seen = progress_in(meta)) {
      EXPECT_LE(seen->phase.size(), 200u);
    }
  }
  EXPECT_FALSE(is_end(R"({"status":5})"));
}

}  // namespace
}  // namespace quell::celery
