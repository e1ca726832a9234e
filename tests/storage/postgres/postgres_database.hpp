// A database of its own on the shared temporary PostgreSQL, for tests that look behind the store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <pqxx/connection>
#include <pqxx/errorhandler>
#include <pqxx/nontransaction>
#include <string>
#include <vector>

#include "runtime/base/assert.hpp"
#include "storage/store.hpp"
#include "tests/storage/conformance/manual_clock.hpp"
#include "tests/storage/postgres/temporary_postgres.hpp"

namespace quell::storage {

class PostgresDatabase : public testing::Test {
 protected:
  explicit PostgresDatabase(TemporaryPostgres& server = TemporaryPostgres::shared())
      : server_(server), name_("own_" + std::to_string(++made_)) {
    server_.create_database(name_);
  }
  ~PostgresDatabase() override { server_.drop_database(name_); }

  std::string url(const std::string& parameters = {}) const {
    return server_.url(name_, parameters);
  }
  Result<std::unique_ptr<Store>> try_open(const std::string& parameters = {},
                                          const OpenOptions& options = {}) {
    return open_store(url(parameters), options);
  }
  std::unique_ptr<Store> opened(const std::string& parameters = {}) {
    auto store = try_open(parameters);
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : to_string(store.error()));
    QUELL_ASSERT(store.ok());
    return std::move(*store);
  }
  static std::unique_ptr<Writer> writer_of(Store& store) {
    auto writer = store.open_writer();
    EXPECT_TRUE(writer.ok()) << (writer.ok() ? "" : to_string(writer.error()));
    QUELL_ASSERT(writer.ok());
    return std::move(*writer);
  }
  static std::unique_ptr<Reader> reader_of(Store& store) {
    auto reader = store.open_reader();
    QUELL_ASSERT(reader.ok());
    return std::move(*reader);
  }
  const std::string& database() const { return name_; }
  void by_hand(const std::string& sql) { server_.run(name_, sql); }
  std::string ask(const std::string& sql) { return server_.ask(name_, sql); }

  Instant now() const { return clock_.now(); }
  Uuid new_id() { return ids_.next(); }
  EnqueueOp submit(const std::string& queue = "default") {
    EnqueueOp op;
    op.job.id = new_id();
    op.job.kind = "noop";
    op.job.queue = queue;
    op.now = now();
    return op;
  }
  MarkOp mark(const std::vector<JobId>& jobs) {
    MarkOp op;
    op.delete_id = new_id();
    op.who = "tester";
    op.now = now();
    op.jobs = jobs;
    op.tomb_until = now() + std::chrono::hours(1);
    return op;
  }
  static Outcome applied(Writer& writer, const Batch& batch) {
    auto out = writer.apply(batch);
    EXPECT_TRUE(out.ok()) << (out.ok() ? "" : to_string(out.error()));
    QUELL_ASSERT(out.ok());
    return std::move(*out);
  }
  JobId submitted(Writer& writer) {
    Batch batch;
    batch.enqueues = {submit()};
    applied(writer, batch);
    return batch.enqueues[0].job.id;
  }
  NodeLife started(Writer& writer) {
    Batch batch;
    batch.starts = {{new_id(), "{}", now()}};
    return applied(writer, batch).starts.at(0);
  }

  TemporaryPostgres& server_;

 private:
  inline static int made_ = 0;
  std::string name_;
  ManualClock clock_;
  IdSource ids_{clock_};
};

// A session at the prompt that holds what it has locked until it goes.
class SqlPrompt {
 public:
  explicit SqlPrompt(const std::string& url) : db_(url), quiet_(db_), session_(db_) {}
  pqxx::result run(const std::string& sql) { return session_.exec(sql); }

 private:
  pqxx::connection db_;
  pqxx::quiet_errorhandler quiet_;
  pqxx::nontransaction session_;
};

}  // namespace quell::storage
