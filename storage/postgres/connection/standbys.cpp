#include "storage/postgres/connection/standbys.hpp"

#include <chrono>
#include <thread>

namespace quell::storage::postgres {

namespace {

// Others write too: what the log held when the commit came back, the standby has a moment later.
constexpr std::chrono::milliseconds pauses[] = {
    std::chrono::milliseconds{1}, std::chrono::milliseconds{3}, std::chrono::milliseconds{10},
    std::chrono::milliseconds{30}};

constexpr Query look_again{
    "standbys_at",
    "SELECT coalesce(bool_or(flush_lsn >= $1::pg_lsn), false) FROM pg_stat_replication"};

}  // namespace

Durability durability_of(Connection& db, const Rows& answer) {
  if (answer[0].yes(2)) return Durability::replicated;
  if (answer[0].big(3) == 0) return Durability::local;
  const std::string at = answer[0].text(1);
  try {
    for (const auto pause : pauses) {
      std::this_thread::sleep_for(pause);
      if (db.run(look_again, at)[0].yes(0)) return Durability::replicated;
    }
  } catch (const PgFault&) {
    return Durability::local;  // committed it is; the next statement meets the fault again
  }
  return Durability::local;
}

}  // namespace quell::storage::postgres
