// A directory and databases for one test of backups, stores of both kinds, and short words for what
// is done with them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "storage/backup/restore.hpp"
#include "storage/backup/verify.hpp"
#include "tests/storage/conformance/random_batches.hpp"
#include "tests/storage/postgres/temporary_postgres.hpp"

namespace quell::storage {

class BackupPlace : public testing::Test {
 protected:
  BackupPlace() {
    std::string path = testing::TempDir() + "quell-backup-XXXXXX";
    QUELL_ASSERT(::mkdtemp(path.data()) != nullptr);
    dir_ = path;
  }
  ~BackupPlace() override {
    std::filesystem::remove_all(dir_);
    for (const std::string& name : databases_) TemporaryPostgres::shared().drop_database(name);
  }

  std::string path(const std::string& name) const { return dir_ + "/" + name; }
  std::string fresh(const std::string& kind) {
    const std::string name = "backup_" + std::to_string(++made_);
    if (kind == "sqlite") return "sqlite:" + path(name + ".db");
    TemporaryPostgres::shared().create_database(name);
    databases_.push_back(name);
    return TemporaryPostgres::shared().url(name);
  }
  static std::unique_ptr<Store> opened(const std::string& url) {
    auto store = open_store(url, {});
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : to_string(store.error()));
    QUELL_ASSERT(store.ok());
    return std::move(*store);
  }
  // What nobody would think of, and a node of it that is at work.
  void fill(const std::string& url, std::uint64_t seed, int operations) {
    auto store = opened(url);
    auto writer = store->open_writer();
    QUELL_ASSERT(writer.ok());
    RandomBatches random(seed);
    std::int64_t jobs = 0;
    for (int done = 0; done < operations;) {
      const int size = 1 + random.below(16);
      const Batch batch = random.next(size, jobs / 2);
      const auto outcome = (*writer)->apply(batch);
      ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
      random.learn(batch, *outcome);
      jobs = static_cast<std::int64_t>(random.jobs().size());
      done += size;
    }
    clock_.ms = random.now().time_since_epoch();
  }

  Result<BackupMade> backup(const std::string& url, const std::string& to, bool deletions = false) {
    auto source = open_backup_source(url, "");
    if (!source) return source.error();
    BackupRequest request;
    request.path = path(to);
    request.id = ids_.next();
    request.product = "test";
    request.deletions_only = deletions;
    return make_backup(**source, request, clock_);
  }
  RestoreRequest into(const std::string& url, const std::string& from) {
    RestoreRequest request;
    request.path = path(from);
    request.url = url;
    request.terms.now = clock_.now();
    request.terms.cancelled_expires = clock_.now() + std::chrono::hours(72);
    request.terms.who = "tester";
    return request;
  }
  std::string bytes_of(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }

  ManualClock clock_;
  IdSource ids_{clock_};

 private:
  inline static int made_ = 0;
  std::string dir_;
  std::vector<std::string> databases_;
};

inline std::string told(const Drill& drill) {
  std::string text;
  for (const Difference& one : drill.differences)
    text += one.table + ": " + std::to_string(one.expected) + " expected, " +
            std::to_string(one.found) + " found\n";
  return text;
}

}  // namespace quell::storage
