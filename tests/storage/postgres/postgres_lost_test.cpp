// A connection that is lost is replaced by one that we open ourselves, with all its settings; none
// is ever opened again behind our back.
#include "storage/postgres/connection/connection.hpp"

#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

using postgres::Address;
using postgres::Connection;
using postgres::Cure;
using postgres::PgFault;
using postgres::Query;

class PostgresLost : public PostgresDatabase {
 protected:
  // Each insert of a job notes what its session is like.
  void note_settings() {
    by_hand(
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() ||"
        " ' SET synchronous_commit = off'; END $$;"
        "CREATE TABLE seen (n serial, pid int, settings text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO seen (pid, settings) SELECT pg_backend_pid(), string_agg(name || '=' ||"
        " current_setting(name), ' ' ORDER BY name) FROM unnest(ARRAY['application_name',"
        " 'synchronous_commit', 'lock_timeout', 'statement_timeout', 'enable_seqscan',"
        " 'plan_cache_mode', 'idle_in_transaction_session_timeout']) name; RETURN NEW; END $$;"
        "CREATE TRIGGER note BEFORE INSERT ON live FOR EACH ROW EXECUTE FUNCTION note()");
  }
  // Whoever waits until it is so sees it through the server's own eyes.
  void end_sessions(const std::string& name) {
    SqlPrompt hand(url());
    const std::string theirs =
        " FROM pg_stat_activity WHERE datname = current_database() AND application_name = '" +
        name + "'";
    ASSERT_FALSE(hand.run("SELECT pg_terminate_backend(pid)" + theirs).empty());
    while (!hand.run("SELECT 1" + theirs).empty()) {
    }
  }
  // The store may tell the loss once; it must not tell it twice.
  void stored_at_the_second_try(Writer& writer) {
    Batch batch;
    batch.enqueues = {submit()};
    const auto first = writer.apply(batch);
    if (first.ok()) return;
    EXPECT_EQ(first.error().code, ErrorCode::store_unavailable);
    EXPECT_EQ(first.error().detail.find("outcome unknown"), std::string::npos)
        << first.error().detail;
    EXPECT_EQ(applied(writer, batch).enqueues[0].answer, EnqueueAnswer::stored);
  }
  void expect_two_like_sessions() {
    EXPECT_EQ(ask("SELECT count(DISTINCT settings) || ' ' || count(DISTINCT pid) FROM seen"),
              "1 2");
    EXPECT_EQ(ask("SELECT count(*) FROM seen WHERE settings LIKE '%application_name=quell writer%'"
                  " AND settings LIKE '%synchronous_commit=on%'"),
              ask("SELECT count(*) FROM seen"));
  }
  std::string sessions_of(const std::string& name) {
    return ask(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
        " application_name = '" +
        name + "'");
  }
  Address address(const std::string& parameters = {}) {
    return postgres::parse_address(url(parameters)).value();
  }
  static void expect_lost(Connection& db) {
    constexpr Query look{"look", "SELECT 1"};
    for (int i = 0; i < 2; ++i) {
      try {
        db.run(look);
        ADD_FAILURE() << "it works, on a session that nobody has set up";
      } catch (const PgFault& fault) {
        EXPECT_EQ(fault.cure(), Cure::reconnect) << to_string(fault.error());
      }
      EXPECT_FALSE(db.is_open());
    }
  }
};

TEST_F(PostgresLost, AConnectionOfAnyUseStaysLost) {
  for (const auto& [use, name] : std::vector<std::pair<Connection::Use, std::string>>{
           {Connection::Use::write, "quell writer"},
           {Connection::Use::read, "quell reader"},
           {Connection::Use::upkeep, "quell upkeep"}}) {
    Connection db(address(), use);
    end_sessions(name);
    expect_lost(db);
    EXPECT_EQ(sessions_of("quell"), "0") << name;
    EXPECT_EQ(sessions_of(name), "0");
  }
}

TEST_F(PostgresLost, InATransactionToo) {
  Connection db(address(), Connection::Use::write);
  {
    postgres::Transaction transaction(db, "READ COMMITTED");
    end_sessions("quell writer");
    expect_lost(db);
  }
  expect_lost(db);  // and its end opened none to roll back
  EXPECT_EQ(sessions_of("quell"), "0");
}

TEST_F(PostgresLost, ASessionThatIdledInATransactionIsEndedAndReplaced) {
  Connection db(address("idle_in_transaction_timeout=50"), Connection::Use::write);
  db.begin("READ COMMITTED");
  db.plain("SELECT 1");
  while (sessions_of("quell writer") != "0") {
  }
  expect_lost(db);
}

TEST_F(PostgresLost, BetweenTwoBatchesTheWritersNextSessionHasAllItsSettings) {
  const auto store = opened();
  note_settings();
  const auto writer = writer_of(*store);
  submitted(*writer);
  end_sessions("quell writer");
  stored_at_the_second_try(*writer);
  expect_two_like_sessions();
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "2");
}

TEST_F(PostgresLost, InTheMiddleOfABatchToo) {
  const auto store = opened();
  note_settings();
  by_hand(
      "CREATE SEQUENCE strikes;"
      "CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " IF nextval('strikes') = 3 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
      " RETURN NEW; END $$;"
      "CREATE TRIGGER strike BEFORE INSERT ON live FOR EACH ROW EXECUTE FUNCTION strike()");
  const auto writer = writer_of(*store);
  submitted(*writer);
  Batch batch;
  batch.enqueues = {submit(), submit(), submit()};
  const auto lost = writer->apply(batch);
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "1");
  applied(*writer, batch);
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "4");
  expect_two_like_sessions();
}

TEST_F(PostgresLost, AReaderAnswersOnANewSessionThatIsReadOnly) {
  const auto store = opened();
  const auto reader = reader_of(*store);
  ASSERT_TRUE(reader->counts("").ok());
  end_sessions("quell reader");
  const auto counts = reader->counts("");
  EXPECT_TRUE(counts.ok()) << to_string(counts.error());
  EXPECT_EQ(sessions_of("quell reader"), "1");
  EXPECT_EQ(sessions_of("quell"), "0");
  end_sessions("quell reader");
  const auto page = reader->list({});  // in a transaction
  EXPECT_TRUE(page.ok()) << to_string(page.error());
  EXPECT_EQ(sessions_of("quell"), "0");
}

TEST_F(PostgresLost, HintsAreHeardAgainOnANewSession) {
  const auto store = opened();
  auto hints = std::move(store->open_hints().value());
  end_sessions("quell hints");
  while (sessions_of("quell hints") == "0") (void)hints->wait(Millis{10});
  const auto writer = writer_of(*store);
  started(*writer);
  submitted(*writer);
  std::vector<std::string> names;
  while (names.empty()) {
    const auto heard = hints->wait(Millis{1'000});
    ASSERT_TRUE(heard.ok()) << to_string(heard.error());
    names = *heard;
  }
  EXPECT_EQ(sessions_of("quell"), "0");
}

TEST_F(PostgresLost, AStatementThatTakesTooLongIsToldAndTheWriterGoesOn) {
  const auto store = opened("statement_timeout=200");
  const auto writer = writer_of(*store);
  by_hand(
      "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " PERFORM pg_sleep(60); RETURN NEW; END $$;"
      "CREATE TRIGGER dawdle BEFORE INSERT ON live FOR EACH ROW WHEN (NEW.queue = 'slow')"
      " EXECUTE FUNCTION dawdle()");
  Batch batch;
  batch.enqueues = {submit("slow")};
  const auto refused = writer->apply(batch);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::store_unavailable);
  EXPECT_NE(refused.error().detail.find("57014"), std::string::npos) << refused.error().detail;
  submitted(*writer);
}

}  // namespace
}  // namespace quell::storage
