#include "storage/memory/memory_store.hpp"

#include <mutex>
#include <utility>

#include "storage/hints.hpp"
#include "storage/memory/memory_reader.hpp"

namespace quell::storage {

namespace {

class MemoryWriter final : public Writer {
 public:
  explicit MemoryWriter(std::shared_ptr<memory::Shared> shared) : shared_(std::move(shared)) {}

  Result<Outcome> apply(const Batch& batch) override {
    std::function<CommitFate(const Batch&)> ask;
    {
      const std::scoped_lock lock(shared_->mutex);
      ask = shared_->fate;
    }
    const CommitFate fate = ask ? ask(batch) : CommitFate{};
    if (fate.kind == CommitFate::Kind::refuse) return fate.error;
    Outcome outcome = apply_now(batch);
    if (fate.committed) fate.committed();
    if (fate.kind == CommitFate::Kind::commit_and_lose_answer)
      return Error{ErrorCode::store_unavailable, "the answer to a commit was lost"};
    return outcome;
  }

  Result<void> upkeep(Instant now) override {
    const std::scoped_lock lock(shared_->mutex);
    memory::forget(shared_->tables, now);
    return {};
  }

 private:
  Outcome apply_now(const Batch& batch) {
    const std::scoped_lock lock(shared_->mutex);
    Outcome outcome = memory::apply_all(shared_->tables, batch);
    outcome.durability = Durability::none;
    if (!shared_->tells_hints || shared_->ears.empty()) return outcome;
    outcome.news_told = batch.tells_news || !batch.hints.empty();
    for (const std::string& text : said_of(batch, outcome, hint_bytes)) tell(split_hints(text));
    return outcome;
  }

  void tell(const std::vector<std::string>& hints) {
    if (hints.empty()) return;
    for (const auto& listener : shared_->ears) {
      const auto ear = listener.lock();
      if (!ear) continue;
      const std::scoped_lock lock(ear->mutex);
      ear->hints.insert(ear->hints.end(), hints.begin(), hints.end());
      ear->heard.notify_one();
    }
    std::erase_if(shared_->ears, [](const auto& ear) { return ear.expired(); });
  }

  std::shared_ptr<memory::Shared> shared_;
};

class MemoryHints final : public Hints {
 public:
  explicit MemoryHints(std::shared_ptr<memory::Ear> ear) : ear_(std::move(ear)) {}

  Result<std::vector<std::string>> wait(Millis at_most) override {
    std::unique_lock lock(ear_->mutex);
    ear_->heard.wait_for(lock, at_most, [this] { return !ear_->hints.empty(); });
    return std::exchange(ear_->hints, {});
  }

 private:
  std::shared_ptr<memory::Ear> ear_;
};

}  // namespace

MemoryStore::MemoryStore(std::shared_ptr<memory::Shared> shared) : shared_(std::move(shared)) {}

Result<std::unique_ptr<Writer>> MemoryStore::open_writer() {
  return std::unique_ptr<Writer>(std::make_unique<MemoryWriter>(shared_));
}

Result<std::unique_ptr<Reader>> MemoryStore::open_reader() {
  return memory::make_reader(shared_);
}

Result<std::unique_ptr<Hints>> MemoryStore::open_hints() {
  if (!is_shared_) return std::unique_ptr<Hints>();
  auto ear = std::make_shared<memory::Ear>();
  const std::scoped_lock lock(shared_->mutex);
  shared_->ears.push_back(ear);
  return std::unique_ptr<Hints>(std::make_unique<MemoryHints>(std::move(ear)));
}

std::unique_ptr<MemoryStore> MemoryStore::share() {
  auto other = reopen();
  is_shared_ = other->is_shared_ = true;
  return other;
}

void MemoryStore::tell_hints(bool yes) {
  const std::scoped_lock lock(shared_->mutex);
  shared_->tells_hints = yes;
}

void MemoryStore::on_commit(std::function<CommitFate(const Batch&)> fate) {
  const std::scoped_lock lock(shared_->mutex);
  shared_->fate = std::move(fate);
}

std::unique_ptr<MemoryStore> MemoryStore::reopen() const {
  return std::make_unique<MemoryStore>(shared_);
}

Result<std::unique_ptr<MemoryStore>> open_memory(const OpenOptions& options) {
  if (!options.unsafe)
    return Error{ErrorCode::usage, "memory: keeps nothing when the process ends; say --unsafe"};
  return std::make_unique<MemoryStore>(std::make_shared<memory::Shared>());
}

}  // namespace quell::storage
