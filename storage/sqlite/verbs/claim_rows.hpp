// Taking jobs for a claim. Read first, then write row by row: the transaction is the only writer,
// so nothing can slip between the two, and it is faster than one UPDATE … RETURNING, which copies
// its rows to a temporary table.
#pragma once

#include <vector>

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class ClaimRows {
 public:
  explicit ClaimRows(SqliteSession& session);
  std::vector<ClaimedJob> oldest(const ClaimOp& op, int n);
  std::vector<ClaimedJob> oldest_of_key(const ClaimOp& op, const std::string& key, int n);
  std::vector<ClaimedJob> these(const ClaimOp& op, const std::vector<JobId>& jobs);

 private:
  void read(Rows& row, const ClaimOp& op, std::vector<ClaimedJob>& claimed);
  void take(const ClaimOp& op, const std::vector<ClaimedJob>& claimed);

  SqliteSession& session_;
  Statement next_, next_of_key_, one_, take_, payload_;
};

}  // namespace quell::storage::sqlite
