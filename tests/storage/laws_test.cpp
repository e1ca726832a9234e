// The emitted laws at a bare SQLite prompt: what a hand could do to the rows, and what it is
// refused.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "storage/sql_files.hpp"

namespace quell::storage {
namespace {

// The numbers as stored, by hand: a slip in the emitter must not repeat itself here.
constexpr int open = 0, succeeded = 1, failed = 2, cancelled = 3, pending_delete = 4,
              delete_failed = 5;
constexpr int scheduled = 0, queued = 1, running = 2;

class Laws : public testing::Test {
 protected:
  Laws() {
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(":memory:", &raw), SQLITE_OK);
    db_.reset(raw);
    for (const SqlFile& file : sql_files()) {  // sorted: the laws come before the migrations
      if (file.name == "laws.sqlite.sql") laws_ = file.text;
      if (!file.name.starts_with("migrations/sqlite/")) continue;
      EXPECT_EQ(run(file.text), "") << file.name;
    }
    EXPECT_FALSE(laws_.empty());
  }

  void enact() { EXPECT_EQ(run(laws_), ""); }

  // "" or what the database says against it.
  std::string run(std::string_view sql) {
    char* fault = nullptr;
    sqlite3_exec(db_.get(), std::string(sql).c_str(), nullptr, nullptr, &fault);
    const std::string said = fault == nullptr ? "" : fault;
    sqlite3_free(fault);
    return said;
  }

  std::string add_job(std::string_view id, int state, int epoch = 1, const char* how = "INSERT") {
    return run(
        fmt::format("{} INTO job (id, project, queue, kind, prio, state, epoch, attempt, "
                    "lost, has) VALUES ('{}', 'p', 'q', 'noop', 5, {}, {}, 0, 0, 0)",
                    how, id, state, epoch));
  }

  std::string add_live(std::string_view job, int place, const char* key = "NULL",
                       const char* how = "INSERT") {
    return run(
        fmt::format("{} INTO live (job, project, queue, kind, pk, place, epoch, attempt, "
                    "lost, has, ukey) VALUES ('{}', 'p', 'q', 'noop', 4, {}, 1, 0, 0, 0, {})",
                    how, job, place, key));
  }

  int count(const char* query) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_.get(), query, -1, &statement, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const int found = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return found;
  }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
  std::string_view laws_;
};

bool may_move(int from, int to) {
  switch (from) {
    case open:
      return to == succeeded || to == failed || to == cancelled || to == pending_delete;
    case succeeded:
      return to == pending_delete;
    case failed:
    case cancelled:
      return to == open || to == pending_delete;
    case pending_delete:
      return to == delete_failed;
    default:
      return to == pending_delete;
  }
}

bool may_change_place(int from, int to) {
  return (from == scheduled && to == queued) || (from == queued && to == running) ||
         (from == running && (to == scheduled || to == queued));
}

TEST_F(Laws, AllowTheMovesOfAJobAndNoOther) {
  for (int from = open; from <= delete_failed; ++from)
    for (int to = open; to <= delete_failed; ++to)
      EXPECT_EQ(add_job(fmt::format("{}{}", from, to), from), "");
  enact();
  for (int from = open; from <= delete_failed; ++from)
    for (int to = open; to <= delete_failed; ++to) {
      const auto said =
          run(fmt::format("UPDATE job SET state = {} WHERE id = '{}{}'", to, from, to));
      EXPECT_EQ(said, may_move(from, to) ? "" : "law: no such move of a job") << from << to;
    }
}

TEST_F(Laws, AllowTheMovesOfALiveJobAndNoOther) {
  for (int from = scheduled; from <= running; ++from)
    for (int to = scheduled; to <= running; ++to)
      EXPECT_EQ(add_live(fmt::format("{}{}", from, to), from), "");
  enact();
  for (int from = scheduled; from <= running; ++from)
    for (int to = scheduled; to <= running; ++to) {
      const auto said =
          run(fmt::format("UPDATE live SET place = {} WHERE job = '{}{}'", to, from, to));
      EXPECT_EQ(said, may_change_place(from, to) ? "" : "law: no such move of a live job")
          << from << to;
    }
}

TEST_F(Laws, RefuseTheWholeStatementForOneRowThatMayNotMove) {
  add_job("a", open);
  add_job("b", pending_delete);
  enact();
  EXPECT_NE(run("UPDATE job SET state = 1"), "");
  EXPECT_EQ(count("SELECT count(*) FROM job WHERE state = 1"), 0);
}

TEST_F(Laws, LetAJobGoOnlyWhenItIsLeaving) {
  for (int state = open; state <= delete_failed; ++state)
    EXPECT_EQ(add_job(fmt::format("{}", state), state), "");
  enact();
  for (int state = open; state <= delete_failed; ++state)
    EXPECT_EQ(run(fmt::format("DELETE FROM job WHERE id = '{}'", state)),
              state >= pending_delete ? "" : "law: only a job that is leaving may go")
        << state;
  EXPECT_NE(run("DELETE FROM job"), "");  // no truncation behind the triggers' back
  EXPECT_EQ(count("SELECT count(*) FROM job"), 4);
}

TEST_F(Laws, KeepTheLiveRowOfAnOpenJob) {
  enact();
  EXPECT_EQ(add_job("a", open), "");
  EXPECT_EQ(add_live("a", queued), "");
  EXPECT_EQ(run("DELETE FROM live WHERE job = 'a'"), "law: an open job keeps its live row");
  EXPECT_EQ(run("UPDATE job SET state = 4 WHERE id = 'a'"), "");
  EXPECT_EQ(run("DELETE FROM live WHERE job = 'a'"), "");
  EXPECT_EQ(run("DELETE FROM job WHERE id = 'a'"), "");
}

TEST_F(Laws, BearNoJobInADeleteStateAndNoneThatRuns) {
  enact();
  for (int state = open; state <= delete_failed; ++state)
    EXPECT_EQ(add_job(fmt::format("{}", state), state),
              state < pending_delete ? "" : "law: no job is born in this state");
  for (int place = scheduled; place <= running; ++place)
    EXPECT_EQ(add_live(fmt::format("{}", place), place),
              place < running ? "" : "law: no job is born in this state");
}

TEST_F(Laws, LetADeletedIdComeBackOnlyByARestoreAndUnderItsEpoch) {
  enact();
  ASSERT_EQ(run("INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict)"
                " VALUES ('a', 'd', 7, 0, 0, 1, 0)"),
            "");
  const std::string refused = "law: a deleted job does not come back";
  EXPECT_EQ(add_job("a", open, 100), refused);
  ASSERT_EQ(run("UPDATE tomb SET restored_epoch = 8 WHERE id = 'a'"), "");
  EXPECT_EQ(add_job("a", open, 7), refused);
  EXPECT_EQ(add_job("a", open, 8), "");
}

TEST_F(Laws, RefuseToReplaceWhatTheyWouldNotLetGo) {
  enact();
  ASSERT_EQ(add_job("a", open), "");
  ASSERT_EQ(add_live("a", queued, "'key'"), "");
  const std::string refused = "law: a row is moved or deleted, never replaced";
  EXPECT_EQ(add_job("a", succeeded, 1, "INSERT OR REPLACE"), refused);
  EXPECT_EQ(add_live("a", scheduled, "NULL", "INSERT OR REPLACE"), refused);
  EXPECT_EQ(add_live("b", queued, "'key'", "REPLACE"), refused);
  EXPECT_EQ(run("UPDATE OR REPLACE job SET id = 'b' WHERE id = 'a'"), refused);
  EXPECT_EQ(run("UPDATE OR REPLACE live SET job = 'b' WHERE job = 'a'"), refused);
  EXPECT_EQ(count("SELECT count(*) FROM job JOIN live ON job = id WHERE state = 0"), 1);
}

}  // namespace
}  // namespace quell::storage
