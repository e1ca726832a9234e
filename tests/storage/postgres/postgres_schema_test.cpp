// Which databases the store accepts, and that what it makes is what the tree shows.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "storage/migrate.hpp"
#include "tests/places.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

class PostgresSchema : public PostgresDatabase {
 protected:
  ErrorCode refusal(const OpenOptions& options = {}) {
    const auto store = try_open({}, options);
    return store.ok() ? ErrorCode::usage : store.error().code;
  }
  void set_number(int number) {
    by_hand("UPDATE schema_version SET number = " + std::to_string(number));
  }
  static int ours() { return static_cast<int>(migrations("postgres").size()); }

  // Without what differs between two minor versions of the program that dumps.
  std::string dump() {
    const std::string command = TemporaryPostgres::programs().string() +
                                "/pg_dump --schema-only --no-owner --no-privileges '" + url() + "'";
    FILE* pipe = popen(command.c_str(), "r");
    std::string all, line;
    for (int c = 0; (c = fgetc(pipe)) != EOF;) {
      line += static_cast<char>(c);
      if (c != '\n') continue;
      const bool is_noise = line == "\n" || line.starts_with("--") || line.starts_with("SET ") ||
                            line.starts_with("SELECT pg_catalog.set_config") ||
                            line.starts_with("\\");
      if (!is_noise) all += line;
      line.clear();
    }
    EXPECT_EQ(pclose(pipe), 0);
    return all;
  }
};

TEST_F(PostgresSchema, IsTheOneThatTheTreeShows) {
  opened();
  const std::string path = places::sources() + "/storage/schema/postgres.sql";
  const std::string made = dump();
  if (std::getenv("QUELL_WRITE_SCHEMA")) std::ofstream(path) << made;
  std::stringstream shown;
  shown << std::ifstream(path).rdbuf();
  EXPECT_EQ(made, shown.str()) << "run this test with QUELL_WRITE_SCHEMA=1";
}

TEST_F(PostgresSchema, OneStepNewerIsAcceptedTwoAreNot) {
  opened();
  set_number(ours() + 1);
  opened();
  EXPECT_EQ(ask("SELECT number FROM schema_version"), std::to_string(ours() + 1));
  set_number(ours() + 2);
  EXPECT_EQ(refusal(), ErrorCode::store_schema);
}

TEST_F(PostgresSchema, OlderIsRefusedWithoutLeaveToMigrate) {
  OpenOptions keep;
  keep.migrate = false;
  EXPECT_EQ(refusal(keep), ErrorCode::store_schema);
  EXPECT_EQ(ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
  opened();
  EXPECT_TRUE(try_open({}, keep).ok());
}

TEST_F(PostgresSchema, AnotherProgramsTablesAreLeftAlone) {
  by_hand("CREATE TABLE job (id int)");
  EXPECT_EQ(refusal(), ErrorCode::store_schema);
}

TEST_F(PostgresSchema, ManyMayMakeItAtOnce) {
  std::vector<std::thread> all;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i)
    all.emplace_back([&] {
      if (try_open().ok()) ++good;
    });
  for (std::thread& one : all) one.join();
  EXPECT_EQ(good, 4);
}

TEST_F(PostgresSchema, TheLawsAreWrittenAgainWhenTheyDiffer) {
  opened();
  const std::string laws = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'law%'";
  const std::string all = ask(laws);
  by_hand("DROP TRIGGER law_live_place ON live; UPDATE schema_version SET laws = 'other'");
  opened();
  EXPECT_EQ(ask(laws), all);
}

TEST_F(PostgresSchema, AHandCannotBreakTheLaw) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  Batch cancel;
  cancel.steers = {{submitted(*writer), JobEvent::cancel, "tester", now()}};
  applied(*writer, cancel);
  submitted(*writer);
  const auto refused = [&](const std::string& sql) {
    try {
      by_hand(sql);
    } catch (const pqxx::sql_error& error) {
      return std::string(error.what()).substr(0, std::string(error.what()).find('\n'));
    }
    return std::string();
  };
  EXPECT_EQ(refused("UPDATE live SET place = 0"), "ERROR:  law: no such move of a live job");
  EXPECT_EQ(refused("DELETE FROM job"), "ERROR:  law: only a job that is leaving may go");
  EXPECT_EQ(refused("UPDATE job SET state = 1"), "ERROR:  law: no such move of a job");
  EXPECT_EQ(refused("INSERT INTO job SELECT job, project, queue, kind, 0, 1, 0, 0, 0, 0 FROM live"),
            "ERROR:  law: a row is moved or deleted, never replaced");
  EXPECT_EQ(refused("INSERT INTO live SELECT id, project, queue, kind, 0, 1, 0, 0, 0, 0 FROM job"),
            "ERROR:  law: a row is moved or deleted, never replaced");
  EXPECT_EQ(refused("DELETE FROM live"), "ERROR:  law: an open job keeps its live row");
  Batch erase;
  erase.marks = {mark({submitted(*writer)})};
  applied(*writer, erase);
  const std::string deleted = "law: a deleted job does not come back";
  EXPECT_EQ(refused("INSERT INTO job SELECT id, 'p', 'q', 'noop', 0, 1, 0, 0, 0, 0 FROM tomb"),
            "ERROR:  " + deleted);
  EXPECT_EQ(refused("INSERT INTO live SELECT id, 'p', 'q', 'noop', 0, 1, 0, 0, 0, 0 FROM tomb"),
            "ERROR:  " + deleted);
  EXPECT_EQ(refused("TRUNCATE job"), "ERROR:  law: there is no second way for a row to vanish");
}

}  // namespace
}  // namespace quell::storage
