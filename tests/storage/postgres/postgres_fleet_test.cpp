// Many connections at once: each job is claimed once, deletes and finishes meet, hints arrive.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_set>

#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

class PostgresFleet : public PostgresDatabase {
 protected:
  void enqueue_many(Writer& writer, int n, std::vector<JobId>* made = nullptr) {
    for (int done = 0; done < n;) {
      Batch batch;
      for (int i = 0; i < 1'000 && done < n; ++i, ++done) {
        batch.enqueues.push_back(submit());
        if (made) made->push_back(batch.enqueues.back().job.id);
      }
      applied(writer, batch);
    }
  }
  FinishOp finish_op(const ClaimedJob& job) {
    FinishOp op;
    op.job = job.job;
    op.epoch = job.epoch;
    op.event = JobEvent::succeed;
    op.now = now();
    return op;
  }
  void expect_sound(Store& store) {
    const auto orphans = reader_of(store)->orphans();
    ASSERT_TRUE(orphans.ok()) << to_string(orphans.error());
    EXPECT_EQ(orphans.value(), std::vector<std::string>{});
  }
};

TEST_F(PostgresFleet, EightConnectionsClaimEachOfFiftyThousandJobsOnce) {
  constexpr int jobs = 50'000;
  const auto store = opened();
  const auto first = writer_of(*store);
  enqueue_many(*first, jobs);
  std::mutex mutex;
  std::unordered_set<JobId> claimed;
  std::atomic<int> twice = 0, total = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i)
    all.emplace_back([&] {
      const auto writer = writer_of(*store);
      const NodeLife node = started(*writer);
      Batch batch;
      while (true) {
        batch.claims = {{"default", 200, node, now()}};
        const Outcome out = applied(*writer, batch);
        batch = {};
        for (const ClaimedJob& job : out.claims[0]) batch.finishes.push_back(finish_op(job));
        if (out.claims[0].empty()) return;
        total += static_cast<int>(out.claims[0].size());
        const std::scoped_lock lock(mutex);
        for (const ClaimedJob& job : out.claims[0])
          if (!claimed.insert(job.job).second) ++twice;
      }
    });
  for (std::thread& one : all) one.join();
  EXPECT_EQ(twice, 0);
  EXPECT_EQ(total, jobs);
  expect_sound(*store);
}

// One runs jobs, one deletes any of them, one cancels and revives: whatever meets, the rows agree
// in the end, and every delete is done.
TEST_F(PostgresFleet, DeletesFinishesAndCancelsMeetAndTheRowsAgree) {
  constexpr int jobs = 3'000;
  const auto store = opened();
  const auto first = writer_of(*store);
  std::vector<JobId> ids;
  enqueue_many(*first, jobs, &ids);
  const NodeLife node = started(*first);
  std::atomic<bool> done = false;
  std::atomic<int> erased = 0;
  std::thread runner([&] {
    const auto writer = writer_of(*store);
    Batch batch;
    while (!done) {
      batch.claims = {{"default", 50, node, now()}};
      const Outcome out = applied(*writer, batch);
      batch = {};
      for (const ClaimedJob& job : out.claims[0]) {
        batch.finishes.push_back(finish_op(job));
        if (batch.finishes.size() % 5 == 0) batch.finishes.back().event = JobEvent::hand_over;
      }
    }
    applied(*writer, batch);
  });
  std::thread steerer([&] {
    const auto writer = writer_of(*store);
    std::mt19937 random(7);
    while (!done) {
      Batch batch;
      for (int i = 0; i < 40; ++i) {
        const JobEvent event = random() % 2 ? JobEvent::cancel : JobEvent::revive;
        batch.steers.push_back({ids[random() % ids.size()], event, "ann", now()});
      }
      applied(*writer, batch);
    }
  });
  std::shuffle(ids.begin(), ids.end(), std::mt19937(5));
  const std::vector<JobId> order = ids;
  for (std::size_t at = 0; at < order.size(); at += 60) {
    Batch batch;
    batch.marks = {mark({order.begin() + static_cast<std::ptrdiff_t>(at),
                         order.begin() + static_cast<std::ptrdiff_t>(at + 60)})};
    const Outcome out = applied(*first, batch);
    Batch verdicts;
    for (const MarkedJob& job : out.marks[0]) {
      if (job.answer == MarkAnswer::erased) ++erased;
      for (const Holder& holder : job.open)
        verdicts.verdicts.push_back({job.job, holder.what, holder.ref, holder.owner, holder.epoch,
                                     Verdict::stopped, now()});
    }
    for (const VerdictResult& one : applied(*first, verdicts).verdicts)
      if (one.answer == VerdictAnswer::erased) ++erased;
  }
  done = true;
  runner.join();
  steerer.join();
  EXPECT_EQ(erased, jobs);
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "0");
  expect_sound(*store);
}

TEST_F(PostgresFleet, OneNodeHearsWhatAnotherWrote) {
  const auto here = opened(), there = opened();
  const auto writer = writer_of(*here);
  started(*writer);
  auto hints = std::move(there->open_hints().value());
  ASSERT_TRUE(hints);
  Batch batch;
  batch.enqueues = {submit("mail"), submit("it's \\ a queue")};
  applied(*writer, batch);
  const auto heard = hints->wait(Millis(10'000));
  ASSERT_TRUE(heard.ok()) << to_string(heard.error());
  EXPECT_EQ(heard.value(), (std::vector<std::string>{"queue:it's \\ a queue", "queue:mail"}));
}

TEST_F(PostgresFleet, ASingleNodeTellsNobody) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  started(*writer);
  ASSERT_TRUE(writer->upkeep(now()).ok());  // looks around
  auto hints = std::move(store->open_hints().value());
  submitted(*writer);
  by_hand("NOTIFY quell, 'marker'");
  const auto heard = hints->wait(Millis(10'000));
  ASSERT_TRUE(heard.ok());
  EXPECT_EQ(heard.value(), std::vector<std::string>{"marker"});
}

TEST_F(PostgresFleet, HintsCanBeTurnedOff) {
  const auto store = opened("notify=off");
  auto hints = store->open_hints();
  ASSERT_TRUE(hints.ok());
  EXPECT_EQ(hints.value(), nullptr);
}

TEST_F(PostgresFleet, TheHotTableIsVacuumedWhileItChurns) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const NodeLife node = started(*writer);
  const std::string vacuums = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'live'";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (ask(vacuums) == "0") {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    enqueue_many(*writer, 1'000);
    Batch batch;
    batch.claims = {{"default", 1'000, node, now()}};
    applied(*writer, batch);
  }
}

TEST_F(PostgresFleet, ARecoveryAndAClaimOfTheDeadDoNotPass) {
  const auto store = opened();
  const auto writer = writer_of(*store), janitor = writer_of(*store);
  const NodeLife node = started(*writer);
  enqueue_many(*writer, 2'000);
  std::thread dead([&] {
    Batch batch;
    batch.claims = {{"default", 10, node, now()}};
    while (!applied(*writer, batch).claims[0].empty()) {
    }
  });
  Batch recover;
  recover.recoveries.resize(1);
  recover.recoveries[0].node = node.node;
  recover.recoveries[0].below_life = node.life + 1;
  recover.recoveries[0].verdict = Verdict::lease_expired;
  recover.recoveries[0].now = now();
  applied(*janitor, recover);
  dead.join();  // it claims nothing any more
  EXPECT_EQ(ask("SELECT count(*) FROM live WHERE place = 2"), "0");
  expect_sound(*store);
}

// The mark has locked the job and not committed when the recovery reads what its dead life held: it
// finds a run and no holder, waits for the lock, and then it is the other way round.
TEST_F(PostgresFleet, ARecoveryAnswersForTheRunThatAMarkHasJustTurnedIntoAHolder) {
  const auto store = opened("lock_timeout=0&statement_timeout=0");
  const auto writer = writer_of(*store), janitor = writer_of(*store);
  const NodeLife node = started(*writer);
  const JobId job = submitted(*writer);
  Batch claim;
  claim.claims = {{"default", 1, node, now()}};
  ASSERT_EQ(applied(*writer, claim).claims[0].size(), 1U);
  by_hand(
      "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;"
      "CREATE TRIGGER halt BEFORE INSERT ON holder FOR EACH ROW EXECUTE FUNCTION halt()");
  SqlPrompt hand(url());
  hand.run("SELECT pg_advisory_lock(1)");
  const auto wait_for = [this](const std::string& locks) {
    const std::string waiting =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype " + locks;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (ask(waiting) == "0") ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  };
  std::thread marker([&] {
    Batch batch;
    batch.marks = {mark({job})};
    applied(*writer, batch);
  });
  wait_for("= 'advisory'");
  std::thread burier([&] {
    Batch batch;
    batch.recoveries.resize(1);
    batch.recoveries[0].node = node.node;
    batch.recoveries[0].below_life = node.life + 1;
    batch.recoveries[0].verdict = Verdict::process_died;
    batch.recoveries[0].now = now();
    applied(*janitor, batch);
  });
  wait_for("IN ('transactionid', 'tuple')");
  hand.run("SELECT pg_advisory_unlock(1)");
  marker.join();
  burier.join();
  EXPECT_EQ(ask("SELECT count(*) FROM holder"), "0");
  EXPECT_EQ(ask("SELECT count(*) FROM tomb"), "1");
  expect_sound(*store);
}

}  // namespace
}  // namespace quell::storage
