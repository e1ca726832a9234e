// What a setting says is what the node does: one test for each that used to be a promise only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>

#include "actors/node/node.hpp"
#include "actors/node/node_life.hpp"
#include "actors/node/submission.hpp"
#include "tests/actors/effects/outbound_fixture.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

// A node of its own kinds, and how its jobs ended.
class SetNode {
 public:
  SetNode(const std::function<void(NodeSettings&)>& change, Registry kinds) {
    NodeSettings settings;
    settings.unsafe = true;
    change(settings);
    auto node = start_node(settings, std::move(kinds), nullptr);
    EXPECT_TRUE(node.ok()) << to_string(node.error());
    node_ = std::move(node).value();
    node_->subscribe([this](const NodeEvent& event) {
      const std::lock_guard lock(mutex_);
      ended_ += event.type == "job.succeeded" || event.type == "job.failed" ? 1 : 0;
      changed_.notify_all();
    });
  }

  JobId submit(const std::string& kind, const std::string& args = {}) {
    NewJob job{.id = node_->ids().next(), .kind = kind, .args = args};
    const JobId id = job.id;
    std::promise<bool> stored;
    node_->submit({std::move(job)}, [&](const auto& answer) { stored.set_value(answer.ok()); });
    EXPECT_TRUE(stored.get_future().get());
    return id;
  }
  void await_ends(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, patience, [&] { return ended_ >= count; }));
  }
  JobView view(JobId id) {
    std::promise<JobView> found;
    node_->read(
        [&](storage::Reader& reader) { found.set_value(*reader.get({id}, true)->front().job); });
    return found.get_future().get();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int ended_ = 0;
  std::unique_ptr<Node> node_;  // last: tells of events until it is gone
};

TEST(SettingEffects, ANodeIsListedByItsName) {
  NodeSettings settings;
  const auto name = [&] { return Json::parse(node_info(settings, {}, "up"))["name"]; };
  EXPECT_EQ(name(), Json::parse(node_info(settings, {}, "up"))["host"]);
  settings.node_name = "the one in the cellar";
  EXPECT_EQ(name(), "the one in the cellar");
}

TEST(SettingEffects, ACallIsWrittenInPiecesOfTheSetSize) {
  std::vector<std::size_t> sizes;
  for (const WriteOps& piece : Submission::slices(std::vector<NewJob>(5), 2, Instant{}, {}, {}))
    sizes.push_back(piece.ops->enqueues.size());
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
}

Task big(JobContext) {
  co_return '"' + std::string(2'000, 'x') + '"';
}

TEST(SettingEffects, AnAttemptWithALargerResultFails) {
  Registry kinds;
  kinds.add("big", big);
  SetNode node([](NodeSettings& settings) { settings.step_result_max = 1'024; }, kinds);
  const JobId id = node.submit("big");
  node.await_ends(1);
  const JobView job = node.view(id);
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.result, "");
  EXPECT_THAT(job.error, HasSubstr("body-too-large"));
  EXPECT_THAT(job.error, HasSubstr("step_result_max_bytes"));
}

TEST(SettingEffects, NoResponseIsReadBeyondTheNodesLimit) {
  Server server([](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(5'000, 'x'));
  });
  Registry kinds;
  add_standard_kinds(kinds);
  const auto change = [](NodeSettings& settings) {
    settings.outbound_allow = {"127.0.0.1"};
    settings.response_max = 4'096;
  };
  SetNode node(change, kinds);
  const JobId id =
      node.submit("http", Json{{"url", server.url("/")}, {"max_body_bytes", 1'000'000}}.dump());
  node.await_ends(1);
  EXPECT_EQ(node.view(id).state, JobState::failed);
  EXPECT_THAT(node.view(id).error, HasSubstr("4096 bytes"));
}

// How many of the blocking works were there at once. Each gives a second one time to come.
struct Crowd {
  std::mutex mutex;
  std::condition_variable changed;
  int here = 0, most = 0;

  void visit() {
    std::unique_lock lock(mutex);
    most = std::max(most, ++here);
    changed.notify_all();
    changed.wait_for(lock, 200ms, [this] { return most > 1; });
    --here;
  }
};

TEST(SettingEffects, BlockingWorkHasAsManyThreadsAsAreSet) {
  for (const int threads : {1, 2}) {
    auto crowd = std::make_shared<Crowd>();
    Registry kinds;
    kinds.add("blocks", [crowd](JobContext job) -> Task {
      return [](JobContext job, std::shared_ptr<Crowd> crowd) -> Task {
        auto work = [&crowd](std::stop_token) { crowd->visit(); };
        co_await job.offload(work);
        co_return std::string();
      }(job, crowd);
    });
    SetNode node([&](NodeSettings& settings) { settings.offload_threads = threads; }, kinds);
    node.submit("blocks");
    node.submit("blocks");
    node.await_ends(2);
    const std::lock_guard lock(crowd->mutex);
    EXPECT_EQ(crowd->most, threads);
  }
}

TEST(SettingEffects, WhatARunShowsIsWrittenAsOftenAsIsSet) {
  Stage stage;
  stage.restart_with([](NodeSettings& settings) { settings.flush_period = 5s; });
  const JobId id = stage.submit("two");
  stage.run();
  ASSERT_TRUE(stage.life().effects.end(id));
  stage.run();
  stage.turn(4s);
  stage.run();
  EXPECT_FALSE(stage.job(id)->progress.has_value());
  stage.turn(2s);
  stage.run();
  EXPECT_EQ(stage.job(id)->progress, 0.5);
}

TEST(SettingEffects, TheJanitorWaitsAsLongAsIsSetBetweenTwoTries) {
  Stage stage;
  stage.restart_with([](NodeSettings& settings) { settings.delete_retry = 60s; });
  stage.life().effects.manner = StageEffects::Manner::late;  // nothing closes: the ticket stays
  const JobId id = stage.submit("one");
  stage.run();
  stage.erase({id});
  stage.run();
  ASSERT_EQ(stage.tickets().size(), 1u);
  const auto tries_after = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      stage.turn(1s);
      stage.run();
    }
    return stage.tickets().at(0).tries;
  };
  EXPECT_EQ(tries_after(30), 1);
  EXPECT_EQ(tries_after(35), 2);
}

}  // namespace
}  // namespace quell::test
