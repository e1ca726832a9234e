#include "storage/postgres/verbs/upkeep.hpp"

#include <memory>

#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

namespace {

constexpr std::chrono::seconds period{1};
constexpr std::size_t worth_it = 1'000;  // dead rows

// Another node may have done it a moment ago.
constexpr const char* is_fresh =
    "SELECT coalesce(last_vacuum > now() - interval '900 ms', false) FROM pg_stat_user_tables"
    " WHERE relid = 'live'::regclass";
// SKIP_LOCKED: a vacuum that runs already is as good. TRUNCATE OFF: giving pages back would lock
// out everybody for a moment, and they are needed again at once.
constexpr const char* vacuum = "VACUUM (TRUNCATE OFF, SKIP_LOCKED, ANALYZE OFF) live";

void vacuum_once(const Address& address, std::unique_ptr<Connection>& db) {
  try {
    if (!db) db = std::make_unique<Connection>(address, Connection::Use::upkeep);
    const Rows fresh = db->plain(is_fresh);
    if (!fresh.empty() && fresh[0].yes(0)) return;
    db->plain(vacuum);
  } catch (const PgFault&) {
    // The writers meet the same fault, where someone can be told; the next second tries again.
    db.reset();
  }
}

}  // namespace

Upkeep::Upkeep(Address address) : address_(std::move(address)), thread_([this] { run(); }) {}

Upkeep::~Upkeep() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_asked_.notify_all();
  thread_.join();
}

void Upkeep::run() {
  std::unique_ptr<Connection> db;
  std::unique_lock lock(mutex_);
  while (!stop_asked_.wait_for(lock, period, [this] { return stop_; })) {
    if (churn_ < worth_it) continue;
    churn_ = 0;
    lock.unlock();
    vacuum_once(address_, db);
    lock.lock();
  }
}

}  // namespace quell::storage::postgres
