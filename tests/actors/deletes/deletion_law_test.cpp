// The law of deleting at Node::erase: what a program is told when it asks past the API, and what
// the audit keeps of it.
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "actors/node/node.hpp"

namespace quell {
namespace {

using Json = nlohmann::json;

class DeletionLawTest : public testing::Test {
 protected:
  void start(DeletionRules rules = {}) {
    NodeSettings settings;
    settings.unsafe = true;
    settings.pools = {{"default", 1}};
    settings.frozen = rules.frozen;
    settings.dry_run = rules.dry_run;
    settings.require_confirm = rules.require_confirm;
    settings.ids_max = static_cast<decltype(settings.ids_max)>(rules.ids_max);
    Registry registry;
    add_standard_kinds(registry);
    auto node = start_node(settings, std::move(registry), nullptr);
    ASSERT_TRUE(node.ok()) << to_string(node.error());
    node_ = std::move(node).value();
  }

  template <class T, class F>
  static T ask(F call) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    call([promise](T result) { promise->set_value(std::move(result)); });
    return future.get();
  }

  JobId submit(bool is_protected = false) {
    NewJob job{.id = node_->ids().next(), .kind = "sleep", .args = R"({"seconds":60})"};
    job.options.is_protected = is_protected;
    job.run_at = system_clock().now() + std::chrono::hours{1};
    const JobId id = job.id;
    EXPECT_TRUE(ask<Result<std::vector<storage::EnqueueResult>>>([&](auto answer) {
                  node_->submit({job}, answer);
                }).ok());
    return id;
  }

  static DeleteRequest request_for(std::vector<JobId> jobs) {
    DeleteRequest request;
    request.jobs = std::move(jobs);
    request.who = "program";
    return request;
  }
  Result<DeleteReport> erase(DeleteRequest request) {
    return ask<Result<DeleteReport>>([&](auto answer) { node_->erase(request, answer); });
  }
  Result<DeleteReport> erase(JobId job, bool confirm = false, bool dry_run = false) {
    DeleteRequest request = request_for({job});
    request.confirm = confirm;
    request.dry_run = dry_run;
    return erase(request);
  }
  Result<DeleteReport> force(bool confirm = false, bool dry_run = false) {
    return ask<Result<DeleteReport>>([&](auto answer) {
      node_->force_delete({node_->ids().next(), "program", "at last", confirm, dry_run}, answer);
    });
  }

  bool is_there(JobId job) {
    return ask<bool>([&](auto answer) {
      node_->read([=](storage::Reader& reader) {
        answer(reader.get({job}, false)->front().job.has_value());
      });
    });
  }

  void freeze(bool frozen) {
    EXPECT_TRUE(ask<Result<void>>([&](auto answer) {
                  node_->freeze_deletions({frozen, "admin", "fire", system_clock().now()}, answer);
                }).ok());
  }

  // The reasons of all refusals, in order.
  std::vector<std::string> refusals() {
    return ask<std::vector<std::string>>([&](auto answer) {
      node_->read([=](storage::Reader& reader) {
        std::vector<std::string> reasons;
        const auto rows = reader.audit(0, 1'000);
        for (const auto& row : rows.value())
          if (row.what == "delete.refused") {
            EXPECT_EQ(row.who, "program");
            reasons.push_back(Json::parse(row.detail).value("reason", ""));
          }
        answer(reasons);
      });
    });
  }

  static ErrorCode code_of(const Result<DeleteReport>& report) {
    return report ? ErrorCode::internal : report.error().code;
  }

  std::unique_ptr<Node> node_;
};

TEST_F(DeletionLawTest, LiveDeletes) {
  start();
  const JobId job = submit();
  EXPECT_EQ(erase(job)->counts.deleted, 1u);
  EXPECT_FALSE(is_there(job));
  EXPECT_TRUE(force().ok());
  EXPECT_TRUE(refusals().empty());
}

TEST_F(DeletionLawTest, AnExplicitDryRunIsAnsweredUnderEveryRuleAndSaysThatDeletionsAreFrozen) {
  for (const DeletionRules& rules : {DeletionRules{}, DeletionRules{.dry_run = true},
                                     DeletionRules{.frozen = true, .require_confirm = true}}) {
    start(rules);
    const JobId job = submit();
    const auto report = erase(job, false, true);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->dry_run);
    EXPECT_EQ(report->frozen, rules.frozen);
    EXPECT_EQ(report->outcomes.front().fate, JobFate::would_delete);
    EXPECT_TRUE(is_there(job));
    EXPECT_TRUE(force(false, true)->dry_run);
    EXPECT_TRUE(refusals().empty());
    node_.reset();
  }
}

TEST_F(DeletionLawTest, InDryRunModeNothingChangesAndNoConfirmationIsAsked) {
  start({.dry_run = true, .require_confirm = true});
  const JobId job = submit();
  const auto report = erase(job);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->dry_run);
  EXPECT_EQ(report->counts.deleted, 0u);
  EXPECT_TRUE(is_there(job));
  EXPECT_TRUE(force()->dry_run);
}

TEST_F(DeletionLawTest, AFreezeOfTheFleetRefusesDeleteAndForceUntilItIsLifted) {
  start();
  const JobId job = submit();
  freeze(true);
  EXPECT_TRUE(node_->deletion_rules().frozen);
  EXPECT_EQ(code_of(erase(job, true)), ErrorCode::deletions_frozen);
  EXPECT_EQ(code_of(force(true)), ErrorCode::deletions_frozen);
  EXPECT_TRUE(is_there(job));
  EXPECT_EQ(refusals(), (std::vector<std::string>{"deletions-frozen", "deletions-frozen"}));
  freeze(false);
  EXPECT_EQ(erase(job)->counts.deleted, 1u);
}

TEST_F(DeletionLawTest, WhatIsMarkedMayBeTriedAgainWhileDeletionsAreFrozen) {
  start({.frozen = true});
  EXPECT_TRUE(ask<Result<DeleteReport>>([&](auto answer) {
                node_->retry_delete(node_->ids().next(), Millis{0}, answer);
              }).ok());
}

TEST_F(DeletionLawTest, AsksConfirmationOfDeleteAndForce) {
  start({.require_confirm = true});
  const JobId job = submit();
  EXPECT_EQ(code_of(erase(job)), ErrorCode::confirmation_required);
  EXPECT_EQ(code_of(force()), ErrorCode::confirmation_required);
  EXPECT_EQ(refusals(),
            (std::vector<std::string>{"confirmation-required", "confirmation-required"}));
  EXPECT_TRUE(force(true).ok());
  EXPECT_EQ(erase(job, true)->counts.deleted, 1u);
}

TEST_F(DeletionLawTest, ABulkCallOfTooManyIsRefusedAndNoted) {
  start({.ids_max = 2});
  DeleteRequest request = request_for({submit(), submit(), submit()});
  request.path = "bulk";
  request.origin = DeletionOrigin::bulk;
  EXPECT_EQ(code_of(erase(request)), ErrorCode::too_many_ids);
  EXPECT_EQ(refusals(), std::vector<std::string>{"too-many-ids"});
}

TEST_F(DeletionLawTest, AProtectedJobStaysAndTheAuditSaysWhy) {
  start();
  const JobId kept = submit(true), other = submit();
  const auto report = erase(request_for({kept, other}));
  EXPECT_EQ(report->counts.deleted, 1u);
  EXPECT_EQ(report->counts.failed, 1u);
  EXPECT_TRUE(is_there(kept));
  // The row is written behind the answer; the next write is behind the row.
  EXPECT_EQ(erase(submit())->counts.deleted, 1u);
  EXPECT_EQ(refusals(), std::vector<std::string>{"protected"});
}

}  // namespace
}  // namespace quell
