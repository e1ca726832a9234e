// What this server told us was durable, so that one that never heard of it is noticed: a standby
// that was behind and was promoted, a backup that was put back. Each writer keeps the place of the
// last commit that somebody was told of; each new connection asks whether the server still has them
// all.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

// Where a server is in its log. The timeline is another one after each promotion.
struct LogPlace {
  std::string system;  // the cluster's own number: another cluster knows nothing of our commits
  std::int64_t timeline = 0;
};

// A commit: its transaction, and where the log stood just before its COMMIT was written.
struct AcknowledgedCommit {
  LogPlace place;
  std::string transaction, log;
};

class History {
 public:
  // Each writer has one place for its last commit.
  std::size_t add_writer();
  void note(std::size_t writer, AcknowledgedCommit commit);
  // Noting costs as much as a small statement, so what nobody is told of is noted now and then.
  bool is_due(std::size_t writer) const;
  // Of what was told to an earlier process; text() of that one.
  void load(const std::string& text);
  std::string text() const;
  // Asks the server of this connection for all that was noted. Throws when one is missing, and
  // lost() says so from then on.
  LogPlace verify(Connection& db);
  std::string lost() const;
  // Keeps where the timeline of this place began, while the server remembers it: for whoever was
  // away. A writer's connection, in a transaction of its own.
  static void note_beginning(Connection& db, const LogPlace& place);
  // The loss is known to whom it concerns: what is there now counts.
  void forget();

 private:
  std::vector<AcknowledgedCommit> noted() const;
  mutable std::mutex mutex_;
  struct Writer {
    std::optional<AcknowledgedCommit> last;
    std::chrono::steady_clock::time_point noted_at{};
  };
  std::vector<Writer> writers_;
  std::vector<AcknowledgedCommit> earlier_;
  std::string lost_;
};

// Goes before a COMMIT and, with its answer, behind it, in the same message: only within is the
// transaction known, and only behind is it acknowledged.
inline constexpr Query note_commit{
    "history_note",
    "SELECT set_config('quell.commit', concat_ws(' ', pg_current_xact_id_if_assigned()::text,"
    " pg_current_wal_insert_lsn()::text), false)"};
inline constexpr const char* noted_commit = "SHOW quell.commit";

// None of a transaction that wrote nothing.
std::optional<AcknowledgedCommit> commit_in(std::string_view noted, const LogPlace& place);

}  // namespace quell::storage::postgres
