#include "bench/measure/history.hpp"

#include <fmt/core.h>
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "bench/measure/run.hpp"

namespace quell::bench {

namespace {

constexpr std::int64_t first_ms = 1'600'000'000'000;  // before any id that a node of today draws
constexpr std::int64_t last_expiry_ms = 4'000'000'000'000;

class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    check(sqlite3_open(path.c_str(), &db_));
    run("PRAGMA synchronous=OFF; PRAGMA cache_size=-262144");
  }
  ~Sqlite() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void run(const std::string& sql) {
    check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
  }
  void prepare() {
    check(sqlite3_prepare_v2(db_,
                             "INSERT INTO job (id, project, queue, kind, prio, state, epoch, "
                             "attempt, lost, has, started,"
                             " finished, expires) VALUES (?1, 'default', 'default', 'noop', 5, 1, "
                             "1, 1, 0, 0, ?2, ?2, ?3)",
                             -1, &insert_, nullptr));
  }
  void insert(const std::array<unsigned char, 16>& id, std::int64_t at) {
    sqlite3_bind_blob(insert_, 1, id.data(), 16, SQLITE_STATIC);
    sqlite3_bind_int64(insert_, 2, at);
    sqlite3_bind_int64(insert_, 3, last_expiry_ms);
    if (sqlite3_step(insert_) != SQLITE_DONE) check(SQLITE_ERROR);
    sqlite3_reset(insert_);
  }

 private:
  void check(int code) {
    if (code != SQLITE_OK) fail(sqlite3_errmsg(db_));
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

// As a UUIDv7: the time in front, so that rows come in the order of the key.
std::array<unsigned char, 16> id_at(std::int64_t ms, std::uint64_t number) {
  std::array<unsigned char, 16> id{};
  for (std::size_t i = 0; i < 6; ++i)
    id[i] = static_cast<unsigned char>(ms >> (40 - 8 * static_cast<int>(i)));
  id[6] = 0x70;
  id[8] = 0x80;
  for (std::size_t i = 9; i < 16; ++i)
    id[i] = static_cast<unsigned char>(number >> (8 * (15 - static_cast<int>(i))));
  return id;
}

void write_to_sqlite(const std::string& path, long jobs) {
  Sqlite db(path);
  db.run("BEGIN");
  db.prepare();
  for (long i = 0; i < jobs; ++i)
    db.insert(id_at(first_ms + i, static_cast<std::uint64_t>(i)), first_ms + i);
  db.run(
      fmt::format("INSERT INTO tally (project, queue, state, n) VALUES ('default', 'default', 3,"
                  " {}) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                  jobs));
  db.run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

void write_to_postgres(const std::string& url, long jobs) {
  pqxx::connection connection(url);
  pqxx::nontransaction db(connection);
  db.exec("SET session_replication_role = replica");  // the laws were kept when these jobs ended
  db.exec("SET synchronous_commit = off");
  db.exec(fmt::format(
      "INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has, started,"
      " finished, expires) SELECT (lpad(to_hex({0} + n), 12, '0') || '70008' || lpad(to_hex(n), 15,"
      " '0'))::uuid, 'default', 'default', 'noop', 5, 1, 1, 1, 0, 0, {0} + n, {0} + n, {1}"
      " FROM generate_series(1, {2}::bigint) n",
      first_ms, last_expiry_ms, jobs));
  db.exec(
      fmt::format("INSERT INTO tally (project, queue, state, shard, n) VALUES ('default',"
                  " 'default', 3, 0, {}) ON CONFLICT (project, queue, state, shard)"
                  " DO UPDATE SET n = tally.n + excluded.n",
                  jobs));
  db.exec("VACUUM ANALYZE job");
  db.exec("CHECKPOINT");
}

}  // namespace

void write_history(const std::string& store, long jobs) {
  const std::string sqlite = "sqlite:";
  if (store.starts_with(sqlite))
    write_to_sqlite(store.substr(sqlite.size()), jobs);
  else
    write_to_postgres(store, jobs);
}

}  // namespace quell::bench
