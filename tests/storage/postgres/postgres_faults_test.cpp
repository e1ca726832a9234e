// What the database can do to a writer: lose the connection, hide the outcome of a commit, ask for
// another try, hold a lock, stop. The store says what is true and comes back.
#include <future>

#include "tests/storage/postgres/cutting_proxy.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

using Cut = CuttingProxy::Cut;

class PostgresFaults : public PostgresDatabase {
 protected:
  // Returns when a writer waits for a lock.
  void await_blocked_writer(SqlPrompt& hand) {
    while (hand.run("SELECT 1 FROM pg_stat_activity WHERE application_name = 'quell writer' AND"
                    " wait_event_type = 'Lock' AND datname = current_database()")
               .empty()) {
    }
  }
  std::string state_of(JobId job) {
    return ask("SELECT state FROM jobs WHERE id = '" + job.text() + "'");
  }
  static bool says_unknown(const Result<Outcome>& result) {
    return !result.ok() && result.error().detail.find("outcome unknown") != std::string::npos;
  }
};

TEST_F(PostgresFaults, AConnectionLostInATransactionLeavesNothingAndIsReplaced) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const JobId job = submitted(*writer);
  Batch batch;
  batch.enqueues = {submit()};
  batch.marks = {mark({job})};
  SqlPrompt hand(url());
  hand.run("BEGIN; SELECT 1 FROM live FOR UPDATE");
  auto answer = std::async(std::launch::async, [&] { return writer->apply(batch); });
  SqlPrompt other(url());
  await_blocked_writer(other);
  other.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
      " application_name = 'quell writer' AND datname = current_database()");
  const auto lost = answer.get();
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, ErrorCode::store_unavailable);
  EXPECT_FALSE(says_unknown(lost)) << lost.error().detail;
  hand.run("ROLLBACK");
  EXPECT_EQ(state_of(job), "1");
  EXPECT_EQ(applied(*writer, batch).marks[0][0].answer, MarkAnswer::erased);
}

class PostgresCommit : public PostgresFaults {
 protected:
  PostgresCommit() : proxy_(server_.socket_file()) {
    opened();  // the schema, before anything is cut
    std::string through = url();
    const std::string direct = server_.folder().string();
    std::string encoded;
    for (const char c : direct) encoded += c == '/' ? std::string("%2F") : std::string(1, c);
    std::string host;
    for (const char c : proxy_.folder().string())
      host += c == '/' ? std::string("%2F") : std::string(1, c);
    through.replace(through.find(encoded), encoded.size(), host);
    auto store = open_store(through, {});
    QUELL_ASSERT(store.ok());
    store_ = std::move(*store);
    writer_ = writer_of(*store_);
    reader_ = reader_of(*store_);
  }

  CuttingProxy proxy_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;
};

TEST_F(PostgresCommit, WhoseAnswerIsLostIsUnknownAndAMarkCanBeRepeated) {
  const JobId job = submitted(*writer_);
  Batch batch;
  batch.marks = {mark({job})};
  proxy_.cut_next_commit(Cut::after_the_server_answered);
  const auto lost = writer_->apply(batch);
  EXPECT_TRUE(says_unknown(lost));
  EXPECT_EQ(lost.error().code, ErrorCode::store_unavailable);
  const auto found = reader_->get({job}, false);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->at(0).tomb.has_value());  // it was done
  const MarkedJob again = applied(*writer_, batch).marks[0][0];
  EXPECT_EQ(again.answer, MarkAnswer::already_gone);
  EXPECT_EQ(again.delete_id, batch.marks[0].delete_id);
}

TEST_F(PostgresCommit, ThatNeverArrivedIsUnknownTooAndLeavesNothing) {
  const JobId job = submitted(*writer_);
  Batch batch;
  batch.marks = {mark({job})};
  proxy_.cut_next_commit(Cut::before_the_server_hears);
  EXPECT_TRUE(says_unknown(writer_->apply(batch)));
  EXPECT_EQ(applied(*writer_, batch).marks[0][0].answer, MarkAnswer::erased);
}

TEST_F(PostgresCommit, OfAClaimIsFoundAgainByItsOwner) {
  const NodeLife node = started(*writer_);
  const JobId job = submitted(*writer_);
  Batch batch;
  batch.claims = {{"default", 1, node, now()}};
  proxy_.cut_next_commit(Cut::after_the_server_answered);
  EXPECT_TRUE(says_unknown(writer_->apply(batch)));
  const auto running = reader_->running(node);
  ASSERT_TRUE(running.ok());
  EXPECT_EQ(running.value(), (std::vector<std::pair<JobId, int>>{{job, 1}}));
}

class PostgresRetries : public PostgresFaults {
 protected:
  // Each insert of a job in the queue "bad" fails with this code, `times` times.
  void fail(const std::string& code, int times) {
    by_hand(
        "CREATE SEQUENCE failures;"
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF nextval('failures') <= " +
        std::to_string(times) + " THEN RAISE EXCEPTION 'by the test' USING ERRCODE = '" + code +
        "'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER fail BEFORE INSERT ON live FOR EACH ROW WHEN (NEW.queue = 'bad')"
        " EXECUTE FUNCTION fail()");
  }
};

TEST_F(PostgresRetries, SerializationFailuresAreTriedAgain) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  fail("40001", 3);
  Batch batch;
  batch.enqueues = {submit("bad"), submit()};
  batch.audits = {{now(), "ann", "act", "r", "{}"}};
  EXPECT_EQ(applied(*writer, batch).enqueues[0].answer, EnqueueAnswer::stored);
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "2");
  EXPECT_EQ(ask("SELECT string_agg(no::text, ',') FROM audit"), "1");  // and left no gap
}

TEST_F(PostgresRetries, EndlessFailuresAreToldInTheEnd) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  fail("40P01", 1'000'000);
  Batch batch;
  batch.enqueues = {submit("bad"), submit()};
  const auto refused = writer->apply(batch);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "0");
}

TEST_F(PostgresRetries, OneOperationsValuesDoNotSpoilTheRest) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  fail("23514", 1'000'000);
  Batch batch;
  batch.enqueues = {submit(), submit("bad"), submit()};
  const Outcome out = applied(*writer, batch);
  EXPECT_EQ(out.enqueues[0].answer, EnqueueAnswer::stored);
  EXPECT_EQ(out.enqueues[1].answer, EnqueueAnswer::refused);
  EXPECT_EQ(out.enqueues[2].answer, EnqueueAnswer::stored);
  EXPECT_EQ(ask("SELECT count(*) FROM jobs"), "2");
}

TEST_F(PostgresRetries, ANameWithANulIsRefusedAndNothingElse) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  Batch batch;
  batch.enqueues = {submit(), submit(std::string("a\0b", 3)), submit("\xff")};
  const Outcome out = applied(*writer, batch);
  EXPECT_EQ(out.enqueues[0].answer, EnqueueAnswer::stored);
  EXPECT_EQ(out.enqueues[1].answer, EnqueueAnswer::refused);
  EXPECT_EQ(out.enqueues[2].answer, EnqueueAnswer::refused);
}

TEST_F(PostgresRetries, AReasonWithANulStopsNoDelete) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  Batch batch;
  batch.marks = {mark({submitted(*writer)})};
  batch.marks[0].reason = std::string("a\0b\xff", 4);
  EXPECT_EQ(applied(*writer, batch).marks[0][0].answer, MarkAnswer::erased);
  EXPECT_EQ(ask("SELECT reason FROM call"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST_F(PostgresFaults, ALockThatIsHeldTooLongIsTold) {
  const auto store = opened("lock_timeout=100");
  const auto writer = writer_of(*store);
  Batch batch;
  batch.marks = {mark({submitted(*writer)})};
  {
    SqlPrompt hand(url());
    hand.run("BEGIN; SELECT 1 FROM live FOR UPDATE");
    const auto refused = writer->apply(batch);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::store_unavailable);
    EXPECT_NE(refused.error().detail.find("55P03"), std::string::npos) << refused.error().detail;
  }
  EXPECT_EQ(applied(*writer, batch).marks[0][0].answer, MarkAnswer::erased);
}

TEST_F(PostgresFaults, AReadOnlyDatabaseIsReadOnly) {
  const auto store = opened();
  by_hand(
      "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() ||"
      " ' SET default_transaction_read_only = on'; END $$");
  EXPECT_TRUE(reader_of(*store)->counts("").ok());
  const auto writer = store->open_writer();
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().code, ErrorCode::store_unavailable);
  EXPECT_NE(writer.error().detail.find("25006"), std::string::npos) << writer.error().detail;
}

// A server that may be stopped: not the one that the other tests share.
class PostgresServer : public testing::Test {
 protected:
  TemporaryPostgres server_;
};

TEST_F(PostgresServer, ThatCrashesKeepsWhatItAcknowledged) {
  const std::string url = server_.url("postgres");
  auto store = open_store(url, {});
  ASSERT_TRUE(store.ok()) << to_string(store.error());
  auto writer = std::move((*store)->open_writer().value());
  auto reader = std::move((*store)->open_reader().value());
  ManualClock clock;
  IdSource ids(clock);
  Batch batch;
  batch.enqueues.resize(20);
  for (EnqueueOp& op : batch.enqueues) {
    op.job.id = ids.next();
    op.job.kind = "noop";
    op.now = clock.now();
  }
  ASSERT_TRUE(writer->apply(batch).ok());
  server_.crash();
  batch.enqueues.resize(1);
  batch.enqueues[0].job.id = ids.next();
  const auto refused = writer->apply(batch);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::store_unavailable);
  EXPECT_FALSE(reader->counts("").ok());
  server_.start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!writer->apply(batch).ok()) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  Result<std::vector<CountRow>> counts = reader->counts("");
  while (!counts.ok()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    counts = reader->counts("");
  }
  EXPECT_EQ(counts->at(0).n, 21);
}

TEST_F(PostgresServer, WithoutFsyncIsRefused) {
  const std::string url = server_.url("postgres");
  server_.run("postgres", "ALTER SYSTEM SET fsync = off");
  server_.crash();
  server_.start();
  const auto refused = open_store(url, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  OpenOptions unsafe;
  unsafe.unsafe = true;
  EXPECT_TRUE(open_store(url, unsafe).ok());
}

}  // namespace
}  // namespace quell::storage
