// A few threads with a Reader each: reads never wait for a write, and a write never for a read.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/fatal.hpp"
#include "storage/store.hpp"

namespace quell {

class ReaderPool {
 public:
  using Work = std::function<void(storage::Reader&)>;

  static Result<std::unique_ptr<ReaderPool>> open(storage::Store& store, int threads,
                                                  std::shared_ptr<FatalHandler> fatal);
  virtual ~ReaderPool();
  virtual void run(Work work);
  void stop();  // what waits is still run

 protected:
  ReaderPool() = default;

 private:
  void serve(storage::Reader& reader);

  std::shared_ptr<FatalHandler> fatal_;  // of what the work throws
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<storage::Reader>> readers_;
  std::vector<std::thread> threads_;
};

// For deterministic tests: the read happens in the call.
class DirectReaders final : public ReaderPool {
 public:
  explicit DirectReaders(std::unique_ptr<storage::Reader> reader) : reader_(std::move(reader)) {}
  void run(Work work) override { work(*reader_); }

 private:
  std::unique_ptr<storage::Reader> reader_;
};

}  // namespace quell
