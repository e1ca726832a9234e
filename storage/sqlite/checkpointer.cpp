#include "storage/sqlite/checkpointer.hpp"

#include <sqlite3.h>

#include <chrono>

namespace quell::storage::sqlite {

namespace {
constexpr auto pause = std::chrono::milliseconds(200);
constexpr int urgent_pages = 4'096;  // 16 MB
}  // namespace

bool checkpoint(Connection& db) {
  return sqlite3_wal_checkpoint_v2(db.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                   nullptr) == SQLITE_OK;
}

Checkpointer::Checkpointer(const std::string& path)
    : db_(path, Access::checkpoint), thread_([this] { loop(); }) {}

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
    lock.unlock();
    checkpoint(db_);  // a failure shows itself as a growing log, and the next round tries again
    lock.lock();
  }
}

}  // namespace quell::storage::sqlite
