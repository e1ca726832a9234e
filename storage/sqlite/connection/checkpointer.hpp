// Moves what was committed from the log into the database, on a thread of its own: inside a commit
// it would stall the writer for 10-50 ms. Soon after the last commit it empties the log as well, so
// that nothing of what was erased is left there.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "storage/sqlite/connection/connection.hpp"

namespace quell::storage::sqlite {

class Checkpointer {
 public:
  explicit Checkpointer(const std::string& path);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Told after each commit how many pages the log has.
  void committed(int log_pages);

 private:
  void loop();

  Connection db_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int commits_ = 0;  // since the last round
  bool dirty_ = false, urgent_ = false, stop_ = false;
  std::thread thread_;
};

// Passive: waits for nobody. Returns false when it could not even start.
bool checkpoint(Connection& db);

}  // namespace quell::storage::sqlite
