// A birth and the mark of its sender on two connections: whichever is first, the other waits for it
// and sees what it did. So nothing is born whose sender was marked before.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "tests/storage/conformance/two_sessions.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

constexpr int gate = 777;

class PostgresSender : public PostgresDatabase {
 protected:
  // Who writes to this table stands there until the gate is opened, with all that it has locked.
  void stop_writes_to(const std::string& table) {
    by_hand(fmt::format(R"(
      CREATE FUNCTION stand_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_lock_shared({0}); PERFORM pg_advisory_unlock_shared({0});
      RETURN NULL; END $$;
      CREATE TRIGGER gate AFTER INSERT ON {1} FOR EACH STATEMENT EXECUTE FUNCTION stand_at_gate())",
                        gate, table));
  }
  ClaimedJob running(Writer& writer, NodeLife node) {
    Batch batch;
    batch.enqueues = {submit("of-senders")};
    batch.claims = {{"of-senders", 1, node, now(), {}}};
    return applied(writer, batch).claims.at(0).at(0);
  }
  Batch sent_by(const ClaimedJob& run) {
    Batch batch;
    batch.enqueues = {submit()};
    batch.enqueues[0].sender = Sender{run.job, run.epoch};
    return batch;
  }
  static void await_lock(Prompt& watcher, const std::string& which) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (watcher.ask("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE"
                       " NOT granted AND a.datname = current_database() AND locktype " +
                       which) == "0")
      ASSERT_LT(std::chrono::steady_clock::now(), until) << which;
  }
  static constexpr const char* at_gate = "= 'advisory'";
  static constexpr const char* behind_a_row = "IN ('transactionid', 'tuple')";
};

TEST_F(PostgresSender, AMarkWaitsForTheBirthThatHasLookedAtItsJob) {
  const auto here = opened(), there = opened();
  const auto sender = writer_of(*here), marker = writer_of(*there);
  const ClaimedJob run = running(*sender, started(*sender));
  stop_writes_to("live");
  Prompt watcher(url());
  watcher.run(fmt::format("SELECT pg_advisory_lock({})", gate));
  const Batch birth = sent_by(run);
  auto born = std::async(std::launch::async, [&] { return applied(*sender, birth); });
  await_lock(watcher, at_gate);
  Batch batch;
  batch.marks = {mark({run.job})};
  auto marked = std::async(std::launch::async, [&] { return applied(*marker, batch); });
  await_lock(watcher, behind_a_row);
  watcher.run("SELECT pg_advisory_unlock_all()");
  EXPECT_EQ(born.get().enqueues.at(0).answer, EnqueueAnswer::stored);
  EXPECT_EQ(marked.get().marks.at(0).at(0).answer, MarkAnswer::held);
}

TEST_F(PostgresSender, ABirthWaitsForTheMarkOfItsSenderAndIsNone) {
  const auto here = opened(), there = opened();
  const auto sender = writer_of(*here), marker = writer_of(*there);
  const ClaimedJob run = running(*sender, started(*sender));
  stop_writes_to("ticket");
  Prompt watcher(url());
  watcher.run(fmt::format("SELECT pg_advisory_lock({})", gate));
  Batch batch;
  batch.marks = {mark({run.job})};
  auto marked = std::async(std::launch::async, [&] { return applied(*marker, batch); });
  await_lock(watcher, at_gate);
  const Batch birth = sent_by(run);
  auto born = std::async(std::launch::async, [&] { return applied(*sender, birth); });
  await_lock(watcher, behind_a_row);
  watcher.run("SELECT pg_advisory_unlock_all()");
  EXPECT_EQ(marked.get().marks.at(0).at(0).answer, MarkAnswer::held);
  EXPECT_EQ(born.get().enqueues.at(0).answer, EnqueueAnswer::sender_ended);
  EXPECT_EQ(ask(fmt::format("SELECT count(*) FROM jobs WHERE id = '{}'",
                            birth.enqueues[0].job.id.text())),
            "0");
}

TEST_F(PostgresSender, InTwoHundredRacesNothingIsBornThatWasSentBehindTheMark) {
  constexpr int races = 200;
  const auto here = opened(), there = opened();
  const auto sender = writer_of(*here), marker = writer_of(*there);
  const NodeLife node = started(*marker);
  int late = 0, early = 0;
  for (int i = 0; i < races; ++i) {
    const ClaimedJob run = running(*marker, node);
    std::atomic<bool> is_marked = false;
    std::atomic<int> sent = 0;
    auto sends = std::async(std::launch::async, [&] {
      for (bool was_marked = false; !was_marked; ++sent) {
        was_marked = is_marked;
        const bool stored =
            applied(*sender, sent_by(run)).enqueues.at(0).answer == EnqueueAnswer::stored;
        if (stored) ++(was_marked ? late : early);
      }
    });
    while (sent == 0) std::this_thread::yield();
    Batch batch;
    batch.marks = {mark({run.job})};
    EXPECT_EQ(applied(*marker, batch).marks.at(0).at(0).answer, MarkAnswer::held);
    is_marked = true;
    sends.get();
  }
  EXPECT_EQ(late, 0);
  EXPECT_GE(early, races);
}

}  // namespace
}  // namespace quell::storage
