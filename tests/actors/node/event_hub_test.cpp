// Who follows one node and who follows the fleet hear each event once, and of a job that is gone
// nothing more.
#include "actors/node/event_hub.hpp"

#include <gtest/gtest.h>

#include "runtime/base/clock.hpp"

namespace quell {
namespace {

using storage::News;

class FleetEvents : public testing::Test {
 protected:
  FleetEvents() {
    hub.subscribe([this](const NodeEvent& event) { node.push_back(event.type); });
    hub.subscribe_to_fleet([this](const NodeEvent& event) { fleet.push_back(event.type); });
  }
  News news(const char* type, const char* data = "") { return {type, job, "q", data}; }
  NodeEvent event(const char* type, const char* data = "") { return {type, job, "q", data, {}}; }

  using Types = std::vector<std::string>;
  IdSource ids{system_clock()};
  JobId job = ids.next();
  EventHub hub;
  Types node, fleet;
};

TEST_F(FleetEvents, OfANodeAloneAreToldAtOnce) {
  hub.tell_commit({news("job.created"), news("job.started")}, false);
  EXPECT_EQ(node, (Types{"job.created", "job.started"}));
  EXPECT_EQ(fleet, node);
}

TEST_F(FleetEvents, ThatComeBackFromTheFleetAreToldInItsOrder) {
  hub.tell_commit({news("job.started")}, true);
  EXPECT_TRUE(fleet.empty());
  hub.heard(event("job.created"));
  hub.heard(event("job.started"));
  EXPECT_EQ(fleet, (Types{"job.created", "job.started"}));
  EXPECT_EQ(node, Types{"job.started"});
}

TEST_F(FleetEvents, OfADeletionHereComeAtOnceAndOnce) {
  hub.tell_commit({news("job.deleted")}, true);
  EXPECT_EQ(fleet, Types{"job.deleted"});
  hub.heard(event("job.started"));  // older, and on its way when the delete was answered
  hub.heard(event("job.deleted"));
  EXPECT_EQ(fleet, Types{"job.deleted"});
}

TEST_F(FleetEvents, OfAJobThatAReplyCallsGoneAreNoneButItsDeletion) {
  hub.gone({job});
  hub.heard(event("job.started"));
  hub.heard(event("job.deleted"));
  hub.heard(event("job.deleted"));
  EXPECT_EQ(fleet, Types{"job.deleted"});
}

TEST_F(FleetEvents, BeginAgainWithARestoreOnly) {
  hub.heard(event("job.deleted"));
  hub.heard(event("job.created"));
  EXPECT_EQ(fleet, Types{"job.deleted"});
  hub.heard(event("job.created", R"({"restored":true})"));
  hub.heard(event("job.started"));
  EXPECT_EQ(fleet, (Types{"job.deleted", "job.created", "job.started"}));
}

TEST_F(FleetEvents, WhereSomeAreLostSayReset) {
  hub.lost();
  EXPECT_EQ(fleet, Types{reset_event});
  EXPECT_TRUE(node.empty());
}

TEST_F(FleetEvents, OutsideOfCommitsGoByTheFleetWhenItHears) {
  hub.tell({"alert.raised", {}, {}, "{}", {}});
  std::vector<NodeEvent> said;
  hub.say = [&](const NodeEvent& one) { return said.push_back(one), true; };
  hub.tell({"alert.raised", {}, {}, "{}", {}});
  EXPECT_EQ(said.size(), 1U);
  EXPECT_EQ(fleet, Types{"alert.raised"});
  EXPECT_EQ(node, (Types{"alert.raised", "alert.raised"}));
}

}  // namespace
}  // namespace quell
