#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

class WorkersTest : public ApiServerTest {
 protected:
  // Another node of the fleet, as its beat tells of it.
  storage::NodeLife other() {
    storage::Batch start;
    const std::string info =
        R"({"name":"one","host":"h1","pid":7,"version":"0.1.0","state":"draining","running":3,)"
        R"("pools":[{"name":"default","capacity":5,"used":3,"free":2,"stuck":0}]})";
    start.starts.push_back({node.ids().next(), info, system_clock().now()});
    const storage::NodeLife life = (*node.apply(start)).starts.front();
    FleetNode seen;
    seen.view.owner = life;
    seen.view.info = info;
    seen.beat_age = Millis{700};
    node.nodes.push_back(seen);
    return life;
  }
};

TEST_F(WorkersTest, ShowsWhatEachNodeSaysOfItself) {
  const storage::NodeLife life = other();
  const Reply all = ask("GET", "/api/v1/workers");
  ASSERT_EQ(all.status, 200) << all.text;
  ASSERT_EQ(all.body.at("workers").size(), 1u);
  const auto& one = all.body.at("workers").front();
  EXPECT_EQ(one.at("worker_id"), life.node.text());
  EXPECT_EQ(one.at("state"), "draining");
  EXPECT_EQ(one.at("name"), "one");
  EXPECT_EQ(one.at("host"), "h1");
  EXPECT_EQ(one.at("pid"), 7);
  EXPECT_EQ(one.at("version"), "0.1.0");
  EXPECT_EQ(one.at("beat_age_ms"), 700);
  EXPECT_EQ(one.at("running"), 3);
  EXPECT_EQ(one.at("pools").front().at("capacity"), 5);
}

TEST_F(WorkersTest, SumsThePoolsOfTheFleetAndListsThemPerNode) {
  const storage::NodeLife life = other();
  const Reply pool = ask("GET", "/api/v1/pools/default");
  ASSERT_EQ(pool.status, 200) << pool.text;
  EXPECT_EQ(pool.body.at("capacity"), 1005);
  EXPECT_EQ(pool.body.at("used"), 3);
  EXPECT_EQ(pool.body.at("free"), 1002);
  ASSERT_EQ(pool.body.at("nodes").size(), 2u);
  EXPECT_EQ(pool.body.at("nodes").back().at("worker_id"), life.node.text());
}

TEST_F(WorkersTest, TellsANodeToDrainOrToStop) {
  const storage::NodeLife life = other();
  const std::string path = "/api/v1/workers/" + life.node.text();
  EXPECT_EQ(ask("POST", path + "/drain").status, 202);
  EXPECT_EQ(ask("POST", path + "/stop").status, 202);
  ASSERT_EQ(node.orders.size(), 2u);
  EXPECT_EQ(node.orders.front(), std::pair(life, false));
  EXPECT_EQ(node.orders.back(), std::pair(life, true));
  EXPECT_EQ(ask("POST", "/api/v1/workers/" + node.ids().next().text() + "/drain").status, 404);
}

TEST_F(WorkersTest, RefusesOrdersToANodeThatIsGone) {
  const storage::NodeLife life = other();
  storage::Batch end;
  storage::BeatOp bye;
  bye.owner = life;
  bye.goodbye = true;
  end.beats.push_back(bye);
  ASSERT_TRUE(node.apply(end).ok());
  EXPECT_EQ(ask("POST", "/api/v1/workers/" + life.node.text() + "/stop").status, 409);
  EXPECT_TRUE(node.orders.empty());
}

}  // namespace
}  // namespace quell::http
