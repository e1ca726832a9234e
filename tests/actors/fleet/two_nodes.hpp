// Two nodes on one store, each with its own actors and clock, and every step chosen by the test.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <caf/all.hpp>
#include <set>

#include "actors/node/node_life.hpp"
#include "actors/send.hpp"
#include "tests/actors/stage/stage.hpp"
#include "tests/actors/stage/stage_kinds.hpp"

namespace quell {

class FleetTest : public ::testing::Test {
 protected:
  FleetTest() : registry(stage_kinds()), ids(clock) {
    storage::OpenOptions options;
    options.unsafe = true;
    stores[0] = std::move(storage::open_memory(options)).value();
    stores[1] = stores[0]->share();
    reader = std::move(stores[0]->open_reader()).value();
    settings.pools = {{"default", 2}};
    for (std::size_t n = 0; n < 2; ++n) {
      node_ids[n] = ids.next();
      begin(n);
    }
    run();
  }

  void begin(std::size_t n) {
    nodes[n] =
        std::make_unique<StageLife>(*stores[n], settings, registry, clock, ids, node_ids[n], true);
  }

  // Until nobody has anything to do but wait. A paused node gets no turn.
  void run() {
    bool moved = true;
    while (moved) {
      moved = false;
      for (std::size_t n = 0; n < 2; ++n)
        while (!paused[n] && nodes[n] && nodes[n]->scheduler().has_job()) {
          nodes[n]->scheduler().run_once();
          moved = true;
        }
    }
  }

  void pass(Millis time) {
    for (Millis gone{0}; gone < time; gone += Millis{250}) {
      clock.ms += Millis{250};
      for (std::size_t n = 0; n < 2; ++n)
        if (!paused[n] && nodes[n]) nodes[n]->timers.advance(Millis{250});
      run();
    }
  }

  // The store takes nothing from this node any more, or again.
  void cut_off(std::size_t n) {
    stores[0]->on_commit([this, n](const storage::Batch& batch) {
      const bool cut = batch.writer == node_ids[n];
      return cut ? storage::CommitFate{storage::CommitFate::Kind::refuse,
                                       Error{ErrorCode::store_unavailable, "cut off"}}
                 : storage::CommitFate{};
    });
  }
  void reconnect() { stores[0]->on_commit({}); }

  // A job of this kind that the node runs.
  JobId running_on(std::size_t n, const std::string& kind = "one") {
    auto ops = std::make_shared<storage::Batch>();
    storage::EnqueueOp op;
    op.job.id = ids.next();
    op.job.kind = kind;
    op.now = clock.now();
    const JobId id = op.job.id;
    ops->enqueues.push_back(std::move(op));
    tell(nodes[n]->context().clerk, WriteOps{std::move(ops), {}});
    run();
    EXPECT_TRUE(runs_on(id, n)) << "the node that stores it claims it in the same commit";
    return id;
  }

  std::optional<JobView> job(JobId id) {
    return std::move(reader->get({id}, false)).value().front().job;
  }
  bool runs_on(JobId id, std::size_t n) {
    const auto view = job(id);
    return view && view->state == JobState::running && view->node == node_ids[n];
  }

  // One node's actors only, also from within a commit of another one.
  void run_alone(std::size_t n) {
    while (nodes[n]->scheduler().has_job()) nodes[n]->scheduler().run_once();
  }

  std::shared_ptr<std::optional<DeleteReport>> erase(std::size_t n, JobId id) {
    return erase(n, std::vector{id});
  }

  std::shared_ptr<std::optional<DeleteReport>> erase(std::size_t n, std::vector<JobId> jobs) {
    auto report = ask_to_erase(n, std::move(jobs));
    run();
    return report;
  }

  std::shared_ptr<std::optional<DeleteReport>> ask_to_erase(std::size_t n,
                                                            std::vector<JobId> jobs) {
    auto report = std::make_shared<std::optional<DeleteReport>>();
    EraseJobs erase;
    erase.request.jobs = std::move(jobs);
    erase.request.who = "tester";
    erase.request.wait = Millis{3'600'000};
    erase.answer = [report](const Result<DeleteReport>& answer) {
      if (answer) *report = *answer;
    };
    tell_first(nodes[n]->context().deleter, std::move(erase));
    return report;
  }

  void hear(std::size_t n, std::vector<std::string> hints) {
    tell(nodes[n]->context().registrar, HintsHeard{std::move(hints)});
    run();
  }

  StageClock clock;
  Registry registry;
  NodeSettings settings;
  IdSource ids;
  std::array<std::unique_ptr<storage::MemoryStore>, 2> stores;
  std::unique_ptr<storage::Reader> reader;
  std::array<NodeId, 2> node_ids;
  std::array<std::unique_ptr<StageLife>, 2> nodes;
  std::array<bool, 2> paused{};
};

}  // namespace quell
