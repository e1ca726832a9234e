#include "storage/sqlite/connection/checkpointer.hpp"

#include <sqlite3.h>

#include <chrono>
#include <utility>

namespace quell::storage::sqlite {

namespace {
constexpr auto pause = std::chrono::milliseconds(200);
constexpr int urgent_pages = 4'096;  // 16 MB
constexpr int few_commits = 4;       // in one pause: nobody minds a writer that waits a moment
}  // namespace

bool checkpoint(Connection& db) {
  return sqlite3_wal_checkpoint_v2(db.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                   nullptr) == SQLITE_OK;
}

// What a delete erased still stands in the log until the log is written over, which on an idle
// server is never. Fails while somebody reads from the log or writes to it: that is not waited for.
bool empty_the_log(Connection& db) {
  return sqlite3_wal_checkpoint_v2(db.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                   nullptr) == SQLITE_OK;
}

Checkpointer::Checkpointer(const std::string& path) : db_(path, Access::checkpoint) {
  sqlite3_busy_timeout(db_.handle(), 0);
  thread_ = std::thread([this] { loop(); });
}

Checkpointer::~Checkpointer() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::committed(int log_pages) {
  const std::scoped_lock lock(mutex_);
  const bool was_idle = !dirty_ && !urgent_;
  const bool becomes_urgent = !urgent_ && log_pages >= urgent_pages;
  dirty_ = true;
  ++commits_;
  urgent_ = urgent_ || becomes_urgent;
  if (was_idle || becomes_urgent) wake_.notify_one();
}

// Sleeps for good while nothing is written, so an idle server does nothing here.
void Checkpointer::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait(lock, [this] { return dirty_ || stop_; });
    wake_.wait_for(lock, pause, [this] { return urgent_ || stop_; });
    if (stop_) return;
    dirty_ = urgent_ = false;
    const bool is_quiet = std::exchange(commits_, 0) <= few_commits;
    lock.unlock();
    checkpoint(db_);  // a failure shows itself as a growing log, and the next round tries again
    const bool is_clean = !is_quiet || empty_the_log(db_);
    lock.lock();
    if (!is_clean) dirty_ = true;
  }
}

}  // namespace quell::storage::sqlite
