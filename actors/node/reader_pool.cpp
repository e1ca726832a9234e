#include "actors/node/reader_pool.hpp"

namespace quell {

Result<std::unique_ptr<ReaderPool>> ReaderPool::open(storage::Store& store, int threads,
                                                     std::shared_ptr<FatalHandler> fatal) {
  std::unique_ptr<ReaderPool> pool(new ReaderPool);
  pool->fatal_ = std::move(fatal);
  for (int i = 0; i < threads; ++i) {
    auto reader = store.open_reader();
    if (!reader) return reader.error();
    pool->readers_.push_back(std::move(reader).value());
  }
  for (auto& reader : pool->readers_)
    pool->threads_.emplace_back([&pool = *pool, &reader = *reader] { pool.serve(reader); });
  return pool;
}

ReaderPool::~ReaderPool() {
  stop();
}

void ReaderPool::run(Work work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void ReaderPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
  threads_.clear();
}

void ReaderPool::serve(storage::Reader& reader) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    guarded(*fatal_, ControlPlace::reader, [&] { work(reader); });
    work = nullptr;  // what it holds may be large, and its destructor may call back here
    lock.lock();
  }
}

}  // namespace quell
