// A server that has lost what it had acknowledged is noticed at the next connection, by the process
// that was told and by its next start; one that has lost nothing of that is not accused.
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

struct TwoServers {
  TemporaryPostgres primary;
  TemporaryPostgres standby{primary, "second"};
};

class PostgresHistory : protected TwoServers, public PostgresDatabase {
 protected:
  PostgresHistory() : PostgresDatabase(primary) {}
  ~PostgresHistory() override {
    if (promoted_) primary.start();  // for whoever drops the database
  }

  // Whichever is the primary.
  std::unique_ptr<Store> opened_anywhere(const std::string& acknowledged = {}) {
    OpenOptions options;
    options.acknowledged = acknowledged;
    auto store = open_store("postgres:///" + database() + "?host=" + host(primary) + "," +
                                host(standby) + "&user=quell",
                            options);
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : to_string(store.error()));
    QUELL_ASSERT(store.ok());
    return std::move(*store);
  }
  static std::string host(const TemporaryPostgres& server) {
    const std::string url = server.url("x");
    const std::size_t begin = url.find("host=") + 5;
    return url.substr(begin, url.find('&') - begin);
  }

  void submit_one(Writer& writer) {
    Batch batch;
    batch.enqueues.push_back(submit());
    applied(writer, batch);
  }
  void until_it_has_all() {
    const char* all =
        "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn >= "
        "pg_current_wal_flush_lsn()";
    while (primary.ask("postgres", all) != "t") std::this_thread::yield();
  }
  // From now on the standby hears of nothing, and the primary does not know.
  void freeze_sender() {
    sender_ = std::stoi(primary.ask("postgres", "SELECT pid FROM pg_stat_replication"));
    ::kill(sender_, SIGSTOP);
  }
  void fail_over() {
    primary.crash(sender_);
    standby.promote();
    promoted_ = true;
  }
  // Others come first: what the lost transactions were called is now theirs.
  void others_write(int transactions) {
    for (int i = 0; i < transactions; ++i)
      static_cast<void>(standby.ask(database(), "SELECT pg_current_xact_id()"));
  }
  void others_write_here_alone() {
    by_hand(
        "SET synchronous_commit = local; CREATE TABLE others AS SELECT generate_series(1, 9999) AS "
        "i");
  }
  // The first try meets the connection that is gone, and a new one is not tried at once.
  static bool goes_on(Store& store, Writer& writer) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (store.lost().empty() && std::chrono::steady_clock::now() < end) {
      if (writer.apply(Batch{}).ok()) return true;
      std::this_thread::yield();
    }
    return false;
  }

 private:
  pid_t sender_ = 0;
  bool promoted_ = false;
};

TEST_F(PostgresHistory, WhatAPromotedStandbyNeverGotIsNoticed) {
  const auto store = opened_anywhere();
  const auto writer = writer_of(*store);
  submit_one(*writer);
  until_it_has_all();
  freeze_sender();
  submit_one(*writer);
  fail_over();
  others_write(30);
  const std::string acknowledged = store->acknowledged();
  EXPECT_FALSE(goes_on(*store, *writer));
  EXPECT_NE(store->lost().find("it became the primary before that reached it"), std::string::npos)
      << store->lost();
  EXPECT_FALSE(store->open_reader().ok());

  const auto next = opened_anywhere(acknowledged);
  EXPECT_FALSE(next->open_writer().ok());
  EXPECT_NE(next->lost(), "");
  next->accept_history();
  const auto accepted = writer_of(*next);
  submit_one(*accepted);
  EXPECT_EQ(next->lost(), "");

  const auto last = opened_anywhere(next->acknowledged());
  EXPECT_TRUE(last->open_writer().ok()) << last->lost();
}

// By then it has forgotten where it began, and others have the numbers of what was lost.
TEST_F(PostgresHistory, WhoWasAwayLearnsOfItAlsoFromAServerThatWasStartedAnew) {
  const auto away = opened_anywhere();
  const auto writer = writer_of(*away);
  submit_one(*writer);
  until_it_has_all();
  freeze_sender();
  submit_one(*writer);
  fail_over();
  submit_one(*writer_of(*opened_anywhere()));
  others_write(30);
  standby.crash();
  standby.start();
  const auto next = opened_anywhere(away->acknowledged());
  EXPECT_FALSE(next->open_writer().ok());
  EXPECT_NE(next->lost().find("it became the primary before that reached it"), std::string::npos)
      << next->lost();
}

TEST_F(PostgresHistory, WhatOthersHadOnThePrimaryAloneIsNoLossOfOurs) {
  const auto store = opened_anywhere();
  const auto writer = writer_of(*store);
  submit_one(*writer);
  until_it_has_all();
  freeze_sender();
  others_write_here_alone();
  fail_over();
  others_write(5);
  EXPECT_TRUE(goes_on(*store, *writer)) << store->lost();
  submit_one(*writer);
  EXPECT_TRUE(opened_anywhere(store->acknowledged())->open_writer().ok());
}

TEST_F(PostgresHistory, ACrashedServerThatIsBackHasLostNothing) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  for (int round = 0; round < 2; ++round) {
    submit_one(*writer);
    server_.crash();
    server_.start();
    EXPECT_TRUE(goes_on(*store, *writer)) << store->lost();
  }
}

}  // namespace
}  // namespace quell::storage
