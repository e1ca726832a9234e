// Webhooks on the stage: what goes out, when it is tried again, and what a delete does to it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "actors/send.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using nlohmann::json;
constexpr const char* shop = "0198c2c0-0000-7000-8000-000000000001";

class CourierTest : public testing::Test {
 protected:
  // Registers an endpoint as the API does: stored, and known to this node.
  void listen(std::vector<std::string> events, const std::string& id = shop) {
    WebhookEndpoint endpoint;
    endpoint.id = id;
    endpoint.url = "http://receiver.example/" + id;
    endpoint.events = std::move(events);
    endpoint.created = stage.clock.now();
    endpoint.secrets.push_back({WebhookSecret::make(), std::nullopt});
    auto ops = std::make_shared<storage::Batch>();
    ops->docs.push_back(registry().sealed(endpoint));
    stage.write(std::move(ops));
    endpoint.version = 1;
    registry().put(endpoint);
    stage.run();
  }
  EndpointRegistry& registry() { return *stage.context().endpoints; }
  StageEffects& effects() { return stage.life().effects; }

  JobId finished(const std::string& kind = "one", std::function<void(NewJob&)> change = {}) {
    const JobId id = stage.submit(kind, std::move(change));
    stage.run();
    while (effects().end(id)) stage.run();
    return id;
  }
  std::vector<std::string> sent_events() {
    std::vector<std::string> events;
    for (const HttpRequest& one : effects().delivered)
      events.push_back(json::parse(one.body()).at("type"));
    return events;
  }
  std::vector<storage::DeliveryView> log() {
    return std::move(stage.reader().deliveries_of(shop, {}, 100)).value();
  }
  json last_log() { return json::parse(log().at(0).log); }
  // Turns the clock in small steps, at most so far, until something is in flight.
  bool waits_at_most(Millis most) {
    const Millis from = stage.life().timers.now();
    while (effects().delivery() == nullptr && stage.life().timers.now() - from < most) {
      stage.turn(std::max(Millis{100}, most / 200));
      stage.run();
    }
    return effects().delivery() != nullptr;
  }
  void answer(int status, Headers headers = {}) {
    ASSERT_TRUE(effects().end_delivery(HttpReply(status, std::move(headers), {})));
    stage.run();
  }

  Stage stage;
};

TEST_F(CourierTest, AJobNobodyListensToCostsNoRow) {
  const JobId id = finished();
  EXPECT_EQ(stage.state(id), JobState::succeeded);
  EXPECT_TRUE(std::move(stage.reader().deliveries(id)).value().empty());
  EXPECT_TRUE(effects().delivered.empty());
}

TEST_F(CourierTest, AnEndpointHearsOfTheWholeLife) {
  listen({});
  const JobId id = finished();
  stage.land_deliveries();
  stage.run();
  stage.erase({id});
  stage.run();
  EXPECT_EQ(sent_events(),
            (std::vector<std::string>{"job.created", "job.succeeded", "job.deleted"}));
  const json body = json::parse(effects().delivered.at(1).body());
  EXPECT_EQ(body["data"]["job_id"], id.text());
  EXPECT_EQ(body["data"]["attempt"], 1);
}

TEST_F(CourierTest, AnEndpointHearsOnlyWhatItAskedFor) {
  listen({"job.failed", "job.retrying"});
  finished();
  finished("fails", [](NewJob& job) { job.options.max_attempts = 1; });
  const JobId twice = finished("fails", [](NewJob& job) { job.options.max_attempts = 2; });
  EXPECT_EQ(sent_events(), (std::vector<std::string>{"job.failed", "job.retrying"}));
  EXPECT_EQ(json::parse(effects().delivered.at(1).body())["data"]["job_id"], twice.text());
}

TEST_F(CourierTest, ACancelIsToldWhetherTheJobRunsOrWaits) {
  listen({"job.cancelled"});
  const JobId running = stage.submit("one");
  stage.run();
  stage.steer(running, JobEvent::cancel);
  stage.run();
  stage.pause("default", true);
  const JobId waiting = stage.submit("one");
  stage.run();
  stage.steer(waiting, JobEvent::cancel);
  stage.run();
  ASSERT_EQ(sent_events().size(), 2u);
  EXPECT_EQ(json::parse(effects().delivered.at(0).body())["data"]["job_id"], running.text());
  EXPECT_EQ(json::parse(effects().delivered.at(1).body())["data"]["job_id"], waiting.text());
}

TEST_F(CourierTest, ACancelOfAWaitingJobIsToldInItsOwnCommit) {
  listen({"job.cancelled"});
  stage.pause("default", true);
  const JobId waiting = stage.submit("one");
  stage.run();
  auto cancelled = std::make_shared<bool>(false);
  stage.fate = [cancelled](const storage::Batch& batch) {  // after the cancel the store is away
    if (*cancelled)
      return storage::CommitFate{storage::CommitFate::Kind::refuse,
                                 Error{ErrorCode::store_unavailable, "away"}};
    *cancelled = !batch.steers.empty();
    return storage::CommitFate{};
  };
  stage.steer(waiting, JobEvent::cancel);
  stage.run();
  ASSERT_EQ(stage.state(waiting), JobState::cancelled);
  stage.fate = {};
  stage.crash();
  stage.run();
  EXPECT_EQ(sent_events(), std::vector<std::string>{"job.cancelled"});
}

TEST_F(CourierTest, ADeletionIsToldOnceThoughItsNodeDiedBeforeTheReceipt) {
  listen({"job.deleted"});
  const JobId id = finished();
  stage.fate = [](const storage::Batch& batch) {
    if (batch.calls.empty() && batch.delivery_claims.empty()) return storage::CommitFate{};
    return storage::CommitFate{storage::CommitFate::Kind::refuse,
                               Error{ErrorCode::store_unavailable, "away"}};
  };
  stage.erase({id});
  stage.run();
  ASSERT_TRUE(stage.has_tomb(id));
  stage.fate = {};
  stage.crash();
  stage.run();
  stage.erase({id});
  stage.run();
  EXPECT_EQ(sent_events(), std::vector<std::string>{"job.deleted"});
}

TEST_F(CourierTest, ADeletionThatTheNextStartFinishesIsTold) {
  listen({"job.deleted"});
  const JobId id = stage.submit("one");
  stage.run();
  effects().manner = StageEffects::Manner::late;
  stage.erase({id});
  stage.run();
  ASSERT_EQ(stage.state(id), JobState::pending_delete);
  stage.crash();
  stage.run();
  EXPECT_EQ(sent_events(), std::vector<std::string>{"job.deleted"});
  EXPECT_EQ(json::parse(effects().delivered.at(0).body())["data"]["was"], "running");
}

TEST_F(CourierTest, TheJobsOwnUrlHearsNothingOfItsDeletion) {
  const auto with_url = [](NewJob& job) { job.options.webhook = "http://own.example/x"; };
  const JobId id = finished("one", with_url);
  stage.land_deliveries();
  stage.run();
  EXPECT_EQ(sent_events(), (std::vector<std::string>{"job.created", "job.succeeded"}));
  EXPECT_EQ(effects().delivered.at(0).url(), "http://own.example/x");
  stage.erase({id});
  stage.run();
  EXPECT_EQ(effects().delivered.size(), 2u);
}

TEST_F(CourierTest, AMessageIsSignedAndItsIdIsTheDeliverys) {
  listen({"job.created"});
  finished();
  const HttpRequest& sent = effects().delivered.at(0);
  WebhookHeaders headers;
  for (const auto& [name, value] : sent.headers()) {
    if (name == "webhook-id") headers.id = value;
    if (name == "webhook-timestamp") headers.timestamp = value;
    if (name == "webhook-signature") headers.signature = value;
  }
  EXPECT_EQ(headers.id, log().at(0).id.text());
  const auto secrets = living(registry().find(shop)->secrets, stage.clock.now());
  EXPECT_TRUE(verify_webhook(headers, sent.body(), secrets, stage.clock.now()).ok());
}

TEST_F(CourierTest, BothSecretsSignWhileRotating) {
  listen({"job.created"});
  WebhookEndpoint endpoint = *registry().find(shop);
  const auto old = living(endpoint.secrets, stage.clock.now());
  endpoint.secrets = rotated(endpoint.secrets, WebhookSecret::make(), stage.clock.now(),
                             Millis{std::chrono::hours{24}});
  registry().put(endpoint);
  const auto sign_count = [this] {
    for (const auto& [name, value] : effects().delivered.back().headers())
      if (name == "webhook-signature") return std::count(value.begin(), value.end(), ',');
    return std::ptrdiff_t{0};
  };
  finished();
  EXPECT_EQ(sign_count(), 2);
  stage.land_deliveries();
  stage.turn(Millis{std::chrono::hours{25}});
  finished();
  EXPECT_EQ(sign_count(), 1);
}

TEST_F(CourierTest, AFailureIsTriedAgainByTheTableAndThenGivenUp) {
  listen({"job.created"});
  finished();
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  const std::vector<Millis> waits{seconds{5}, minutes{5}, minutes{30}, hours{2}, hours{5},
                                  hours{10},  hours{14},  hours{20},   hours{24}};
  WebhookEndpoint patient = *registry().find(shop);
  for (const Millis wait : waits) {
    ASSERT_NO_FATAL_FAILURE(answer(500));
    EXPECT_FALSE(log().at(0).in_flight);
    EXPECT_GE(*log().at(0).due, stage.clock.now() + wait);
    EXPECT_LE(*log().at(0).due, stage.clock.now() + wait + wait / 5);
    EXPECT_FALSE(waits_at_most(wait - Millis{1'000})) << "before its time";
    ASSERT_TRUE(waits_at_most(wait / 4 + Millis{2'000}));
  }
  ASSERT_NO_FATAL_FAILURE(answer(500));
  EXPECT_FALSE(log().at(0).due.has_value());
  EXPECT_EQ(log().at(0).tries, 10);
  EXPECT_EQ(last_log()["given_up"], true);
  EXPECT_EQ(last_log()["status"], 500);
  const std::string id = effects().delivered.at(0).headers().at(2).second;
  for (const HttpRequest& one : effects().delivered) EXPECT_EQ(one.headers().at(2).second, id);
}

TEST_F(CourierTest, ARetryAfterOnlyLengthensTheWait) {
  listen({"job.created"});
  finished();
  ASSERT_NO_FATAL_FAILURE(answer(429, {{"Retry-After", "3600"}}));
  EXPECT_GE(*log().at(0).due, stage.clock.now() + Millis{3'600'000});
}

TEST_F(CourierTest, NoReplyAndARedirectAreFailures) {
  listen({"job.created"});
  finished();
  ASSERT_TRUE(effects().end_delivery(EffectFailure{"timeout", "no answer", true}));
  stage.run();
  EXPECT_EQ(last_log()["status"], nullptr);
  EXPECT_EQ(last_log()["fault"], "timeout: no answer");
  ASSERT_TRUE(waits_at_most(Millis{8'000}));
  ASSERT_NO_FATAL_FAILURE(answer(302, {{"Location", "http://elsewhere.example/"}}));
  EXPECT_TRUE(log().at(0).due.has_value());
  EXPECT_EQ(effects().delivery(), nullptr) << "the redirect was followed";
}

TEST_F(CourierTest, GoneDisablesTheEndpointWithAnAlert) {
  std::vector<NodeEvent> alerts;
  stage.life().events.subscribe([&alerts](const NodeEvent& event) {
    if (event.type == "alert.raised") alerts.push_back(event);
  });
  listen({"job.created"});
  finished();
  ASSERT_NO_FATAL_FAILURE(answer(410));
  EXPECT_FALSE(registry().find(shop)->health.enabled);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(json::parse(alerts[0].data)["webhook_id"], shop);
  finished();
  EXPECT_EQ(effects().delivered.size(), 1u) << "a disabled endpoint hears nothing more";
  const auto stored = std::move(stage.reader().doc("webhook", shop)).value();
  EXPECT_EQ(json::parse(stored->body)["enabled"], false);
}

TEST_F(CourierTest, DaysOfFailureDisableTheEndpointAndOneSuccessForgetsThem) {
  listen({"job.created"});
  finished();
  ASSERT_NO_FATAL_FAILURE(answer(500));
  EXPECT_TRUE(registry().find(shop)->health.failing_since.has_value());
  ASSERT_TRUE(waits_at_most(Millis{8'000}));
  ASSERT_NO_FATAL_FAILURE(answer(200));
  EXPECT_FALSE(registry().find(shop)->health.failing_since.has_value());
  finished();
  ASSERT_NO_FATAL_FAILURE(answer(500));
  stage.turn(Millis{std::chrono::hours{24 * 5}});
  stage.run();
  ASSERT_NE(effects().delivery(), nullptr);
  ASSERT_NO_FATAL_FAILURE(answer(500));
  EXPECT_FALSE(registry().find(shop)->health.enabled);
  EXPECT_FALSE(log().at(0).due.has_value());
}

TEST_F(CourierTest, NeverMoreInFlightThanAllowed) {
  listen({"job.created"});
  for (int i = 0; i < 50; ++i) stage.submit("one");
  stage.run();
  const auto flying = [this] {
    std::size_t n = 0;
    for (const auto& one : log()) n += one.in_flight ? 1 : 0;
    return n;
  };
  EXPECT_EQ(flying(), 32u);
  ASSERT_NO_FATAL_FAILURE(answer(200));
  EXPECT_EQ(flying(), 32u);
  stage.land_deliveries();
  stage.run();
  stage.land_deliveries();
  stage.run();
  EXPECT_EQ(flying(), 0u);
  EXPECT_EQ(effects().delivered.size(), 50u);
}

TEST_F(CourierTest, ADeleteAbortsWhatIsInFlightBeforeItAnswers) {
  listen({"job.succeeded"});
  const JobId id = finished();
  ASSERT_NE(effects().delivery(), nullptr);
  effects().manner = StageEffects::Manner::late;
  const auto call = stage.erase({id});
  stage.run();
  EXPECT_FALSE(call->answered()) << "the connection is open";
  effects().let_aborted_ones_end();
  stage.run();
  ASSERT_EQ(call->reports.size(), 1u);
  const JobOutcome& one = call->reports[0].outcomes.at(0);
  EXPECT_EQ(one.deliveries_aborted, 1);
  EXPECT_EQ(one.deliveries_removed, 0);
  EXPECT_EQ(call->reports[0].counts.at_rest, 1u);
  const json receipt = json::parse(call->reports[0].receipt);
  EXPECT_EQ(receipt["outcomes"][0]["deliveries"]["aborted_maybe_delivered"], 1);
  EXPECT_TRUE(stage.wrong.empty());
}

TEST_F(CourierTest, ADeleteRemovesWhatWaits) {
  listen({"job.succeeded"});
  const JobId id = finished();
  ASSERT_NO_FATAL_FAILURE(answer(500));
  const auto call = stage.erase({id});
  stage.run();
  EXPECT_EQ(call->reports.at(0).outcomes.at(0).deliveries_removed, 1);
  stage.turn(Millis{60'000});
  stage.run();
  EXPECT_EQ(effects().delivered.size(), 1u);
}

TEST_F(CourierTest, ADeliveryThatEndsBesideTheMarkHoldsNobodyUp) {
  listen({"job.succeeded"});
  const JobId id = finished();
  const auto call = stage.erase({id});
  ASSERT_TRUE(effects().end_delivery(HttpReply(200, {}, {})));
  stage.run();
  ASSERT_EQ(call->reports.size(), 1u);
  EXPECT_EQ(call->reports[0].outcomes.at(0).fate, JobFate::deleted);
}

TEST_F(CourierTest, ACrashInMidFlightDeliversAgainUnderTheSameId) {
  listen({"job.succeeded"});
  finished();
  const std::string id = log().at(0).id.text();
  ASSERT_TRUE(log().at(0).in_flight);
  stage.crash();
  stage.run();
  ASSERT_EQ(effects().delivered.size(), 1u);
  EXPECT_EQ(effects().delivered[0].headers().at(2).second, id);
  ASSERT_NO_FATAL_FAILURE(answer(200));
  EXPECT_FALSE(log().at(0).due.has_value());
}

TEST_F(CourierTest, AnEndThatTheStoreDidNotTakeIsSaidAgain) {
  listen({"job.created"});
  finished();
  stage.fate = [](const storage::Batch&) {
    return storage::CommitFate{storage::CommitFate::Kind::refuse,
                               Error{ErrorCode::store_unavailable, "away"}};
  };
  ASSERT_NO_FATAL_FAILURE(answer(200));
  EXPECT_TRUE(log().at(0).in_flight);
  stage.fate = {};
  stage.turn(Millis{600});
  stage.run();
  EXPECT_FALSE(log().at(0).in_flight);
  EXPECT_FALSE(log().at(0).due.has_value());
  EXPECT_EQ(effects().delivered.size(), 1u);
}

TEST_F(CourierTest, AClaimOfUnknownOutcomeIsGivenBack) {
  listen({"job.created"});
  auto lost = std::make_shared<bool>(false);
  stage.fate = [lost](const storage::Batch& batch) {
    if (batch.delivery_claims.empty() || std::exchange(*lost, true)) return storage::CommitFate{};
    return storage::CommitFate{storage::CommitFate::Kind::commit_and_lose_answer,
                               Error{ErrorCode::store_unavailable, "away"}};
  };
  finished();
  ASSERT_TRUE(*lost);
  EXPECT_TRUE(effects().delivered.empty());
  stage.turn(Millis{600});
  stage.run();
  EXPECT_EQ(effects().delivered.size(), 1u);
}

TEST_F(CourierTest, ManyJobsInOneCallAreToldInOneSummary) {
  listen({"job.deleted"});
  stage.pause("default", true);
  std::vector<JobId> ids;
  for (int i = 0; i < 101; ++i) ids.push_back(stage.submit("one"));
  stage.run();
  stage.erase(ids);
  stage.run();
  ASSERT_EQ(sent_events(), std::vector<std::string>{"jobs.deleted"});
  const json data = json::parse(effects().delivered.at(0).body())["data"];
  EXPECT_EQ(data["deleted"], 101);
  EXPECT_EQ(data["who"], "tester");
}

TEST_F(CourierTest, AnotherProjectsEndpointHearsNothing) {
  listen({});
  finished("one", [](NewJob& job) { job.project = "theirs"; });
  EXPECT_TRUE(effects().delivered.empty());
}

TEST_F(CourierTest, ADrainHandsBackWhatIsInFlight) {
  listen({"job.created"});
  finished();
  bool done = false;
  tell(stage.context().courier, DrainDeliveries{[&done] { done = true; }, false});
  stage.run();
  EXPECT_FALSE(done);
  tell(stage.context().courier, DrainDeliveries{[&done] { done = true; }, true});
  stage.run();
  EXPECT_TRUE(done);
  EXPECT_TRUE(log().at(0).due.has_value());
  EXPECT_FALSE(log().at(0).in_flight);
}

TEST_F(CourierTest, TheStoreKeepsNoSecretInTheClear) {
  listen({});
  const auto stored = std::move(stage.reader().doc("webhook", shop)).value();
  EXPECT_EQ(stored->body.find("whsec_"), std::string::npos);
  const std::string text = registry().find(shop)->secrets.at(0).secret.text();
  EXPECT_EQ(stored->body.find(text.substr(6)), std::string::npos);
}

}  // namespace
}  // namespace quell
