// Whether a commit is in a standby's files: asked of the server for each commit that must know, and
// never concluded from a setting, which may have been emptied while the commit waited.
#pragma once

#include <atomic>

#include "storage/batch.hpp"
#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

// Shared by the writers of one process: does the server wait for standbys, and may we ask it how
// far they are? Only a hint when to ask; a stale one says less, never more.
class Standbys {
 public:
  bool awaited() const { return awaited_; }
  void set_awaited(bool awaited) { awaited_ = awaited; }

 private:
  std::atomic<bool> awaited_ = false;
};

// One column: what `set_awaited` wants to hear.
#define QUELL_STANDBYS_AWAITED                         \
  "current_setting('synchronous_standby_names') <> ''" \
  " AND pg_has_role('pg_read_all_stats', 'USAGE')"

// Goes before the COMMIT: a transaction that wrote nothing would not wait for a standby, although
// what it read may still be on its way to one.
inline constexpr Query leave_a_trace{"leave_a_trace",
                                     "SELECT pg_logical_emit_message(true, 'quell', '')"};
// Sent behind the COMMIT, with it: what history.hpp notes of it, how far the log was written here,
// and is a standby so far?
inline constexpr const char* ask_standbys =
    "SELECT current_setting('quell.commit'), l.at, coalesce(bool_or(r.flush_lsn >= l.at), false), "
    "count(r.flush_lsn)"
    " FROM (SELECT pg_current_wal_flush_lsn() AS at) l LEFT JOIN pg_stat_replication r ON true"
    " GROUP BY l.at";

// Of the commit that was just made, from the answer of `ask_standbys`.
Durability durability_of(Connection& db, const Rows& answer);

}  // namespace quell::storage::postgres
