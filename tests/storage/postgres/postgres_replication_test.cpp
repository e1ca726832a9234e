// What is said of a commit's durability, on a primary with a standby: `replicated` only of what the
// standby has, whoever ended the wait for it and whatever the settings say.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

class Pair {
 public:
  static Pair& shared() {
    static Pair one;
    return one;
  }
  TemporaryPostgres primary;
  TemporaryPostgres standby{primary, "second"};
};

class PostgresReplication : public PostgresDatabase {
 protected:
  PostgresReplication() : PostgresDatabase(Pair::shared().primary) { await("second"); }
  ~PostgresReplication() override {
    await("");
    if (standby_is_down_) standby().start();
  }

  static TemporaryPostgres& standby() { return Pair::shared().standby; }
  void lose_standby() {
    standby().crash();
    standby_is_down_ = true;
    until("SELECT count(*) = 0 FROM pg_stat_replication");
  }
  void bring_standby_back() {
    standby().start();
    standby_is_down_ = false;
  }
  // The server waits for the standby of this name from now on; "" for none.
  void await(const std::string& name) {
    server_.run("postgres", "ALTER SYSTEM SET synchronous_standby_names = '" + name + "'");
    server_.run("postgres", "SELECT pg_reload_conf()");
    until("SELECT current_setting('synchronous_standby_names') = '" + name + "'");
    if (!name.empty())
      until("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
  }
  void until(const std::string& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (server_.ask("postgres", condition) != "t") {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << condition;
      static_cast<void>(server_.ask("postgres", "SELECT pg_sleep(0.01)"));
    }
  }
  static std::future<Result<Outcome>> in_background(Writer& writer, Batch batch) {
    return std::async(std::launch::async,
                      [&writer, batch = std::move(batch)] { return writer.apply(batch); });
  }
  void until_one_waits() {
    until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  }
  Batch deletion(Writer& writer) {
    Batch batch;
    batch.marks = {mark({submitted(writer)})};
    return batch;
  }
  static Batch fence() {
    Batch batch;
    batch.fences.emplace_back();
    return batch;
  }

 private:
  bool standby_is_down_ = false;
};

TEST_F(PostgresReplication, ADeleteThatAStandbyHasIsReplicated) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  EXPECT_EQ(store->at_best(), Durability::replicated);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(applied(*writer, deletion(*writer)).durability, Durability::replicated);
}

TEST_F(PostgresReplication, WithoutStandbyNamesItIsLocal) {
  await("");
  const auto store = opened();
  const auto writer = writer_of(*store);
  EXPECT_EQ(store->at_best(), Durability::local);
  EXPECT_EQ(applied(*writer, deletion(*writer)).durability, Durability::local);
}

TEST_F(PostgresReplication, ADeleteWhoseWaitIsCancelledIsOfUnknownOutcome) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const Batch batch = deletion(*writer);
  lose_standby();
  auto deleted = in_background(*writer, batch);
  until_one_waits();
  server_.run("postgres",
              "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  const auto outcome = deleted.get();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::store_unavailable);
  EXPECT_NE(outcome.error().detail.find("outcome unknown"), std::string::npos)
      << outcome.error().detail;
}

// Without a word the server lets everybody go who waits.
TEST_F(PostgresReplication, ADeleteWhoseStandbyNamesAreEmptiedIsLocal) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const Batch batch = deletion(*writer);
  lose_standby();
  auto deleted = in_background(*writer, batch);
  until_one_waits();
  await("");
  const auto outcome = deleted.get();
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_EQ(outcome->durability, Durability::local);
}

TEST_F(PostgresReplication, AnAsynchronousStandbyThatIsBehindProvesNothing) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const Batch batch = deletion(*writer);
  server_.run("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''");
  lose_standby();
  server_.run("postgres", "SELECT pg_reload_conf()");
  EXPECT_EQ(applied(*writer, batch).durability, Durability::local);
}

// What the crash of a server leaves to be read: a tombstone that no standby has.
TEST_F(PostgresReplication, AFenceSaysWhetherAStandbyHasWhatWasRead) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  EXPECT_EQ(applied(*writer, fence()).durability, Durability::replicated);
  lose_standby();
  auto fenced = in_background(*writer, fence());
  until_one_waits();
  EXPECT_EQ(fenced.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  bring_standby_back();
  const auto outcome = fenced.get();
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_EQ(outcome->durability, Durability::replicated);
}

TEST_F(PostgresReplication, ARoleThatMayNotSeeStandbysSaysLocal) {
  { const auto store = opened(); }
  by_hand(
      "DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN;"
      " GRANT ALL ON ALL TABLES IN SCHEMA public TO blind;"
      " GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO blind");
  std::string as_blind = url();
  as_blind.replace(as_blind.find("user=quell"), 10, "user=blind");
  OpenOptions options;
  options.migrate = false;
  auto store = open_store(as_blind, options);
  ASSERT_TRUE(store.ok()) << to_string(store.error());
  const auto writer = writer_of(**store);
  EXPECT_EQ((*store)->at_best(), Durability::local);
  EXPECT_EQ(applied(*writer, deletion(*writer)).durability, Durability::local);
  by_hand("DROP OWNED BY blind");
}

// The session went to a server that takes no writes: the next one is looked for.
TEST_F(PostgresReplication, ANodeThatMetAStandbyFindsThePrimary) {
  const std::string made = server_.ask("postgres", "SELECT pg_current_wal_lsn()");
  until("SELECT replay_lsn >= '" + made + "' FROM pg_stat_replication");  // it has our database
  const auto encoded = [](const std::string& path) {
    std::string out;
    for (const char c : path) out += c == '/' ? std::string("%2F") : std::string(1, c);
    return out;
  };
  const std::string both = "postgres:///" + database() +
                           "?host=" + encoded(standby().folder().string()) + "," +
                           encoded(server_.folder().string()) + "&user=quell";
  auto store = open_store(both, {});
  ASSERT_TRUE(store.ok()) << to_string(store.error());
  const auto writer = writer_of(**store);
  submitted(*writer);
}

}  // namespace
}  // namespace quell::storage
