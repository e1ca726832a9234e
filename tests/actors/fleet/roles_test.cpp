// Who of two nodes leads a role, and who takes it over; and what a node is told to do.
#include "tests/actors/fleet/two_nodes.hpp"

namespace quell {
namespace {

// ---- roles ----
TEST_F(FleetTest, OneNodeLeadsEachRoleAndAnotherTakesItOverWhenItIsDead) {
  pass(Millis{6'000});
  for (const Role role : {Role::janitor, Role::timekeeper, Role::sealer}) {
    EXPECT_TRUE(nodes[0]->roles.leads(role));
    EXPECT_FALSE(nodes[1]->roles.leads(role));
  }
  paused[0] = true;
  pass(Millis{10'000});
  EXPECT_FALSE(nodes[0]->roles.leads(Role::janitor)) << "not even if it were asked";
  EXPECT_FALSE(nodes[1]->roles.leads(Role::janitor));
  pass(Millis{7'000});
  for (const Role role : {Role::janitor, Role::timekeeper, Role::sealer})
    EXPECT_TRUE(nodes[1]->roles.leads(role));
}

// ---- orders to a node ----
TEST_F(FleetTest, ANodeToldToDrainHandsOverAndTakesNothing) {
  settings.drain_timeout = Millis{3'000};
  nodes[0].reset();
  begin(0);
  run();
  const JobId id = running_on(0);
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(node_order(nodes[0]->context().self, false));
  tell(nodes[1]->context().clerk, WriteOps{std::move(ops), {}});
  run();
  pass(Millis{2'000});
  EXPECT_TRUE(runs_on(id, 0)) << "it has its time to end";
  pass(Millis{4'000});
  EXPECT_TRUE(runs_on(id, 1));
  EXPECT_EQ(job(id)->attempt, 1);
}

TEST_F(FleetTest, OneOfTheNodesMakesEachSnapshotAndTheOtherGoesOnWhenItIsGone) {
  const auto seen = [&] { return reader->docs("snapshot", "").value().size(); };
  const auto made = [&](std::size_t n) { return nodes[n]->metrics.snapshots.load(); };
  pass(Millis{11 * 60'000});
  EXPECT_EQ(seen(), 2u);
  EXPECT_EQ(made(0) + made(1), 2u);
  const std::size_t leader = made(0) > 0 ? 0 : 1;
  EXPECT_EQ(made(1 - leader), 0u);
  nodes[leader].reset();
  pass(Millis{10 * 60'000});
  EXPECT_EQ(seen(), 4u);
  EXPECT_EQ(made(1 - leader), 2u);
}

}  // namespace
}  // namespace quell
