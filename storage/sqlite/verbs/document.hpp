// Documents, receipts of calls, seals of the audit, and what is forgotten with time.
#pragma once

#include "storage/sqlite/connection/sqlite_session.hpp"

namespace quell::storage::sqlite {

class Documents {
 public:
  explicit Documents(SqliteSession& session);
  void apply(const CallOp& op);
  DocResult apply(const DocOp& op);
  bool apply(const SealOp& op);
  // True when more is left to forget.
  bool forget(Instant now);

 private:
  Statement call_, version_, put_, remove_, sealed_, unsealed_, seal_;
  Statement forgets_, old_tombs_, old_calls_, old_docs_, old_buckets_, old_notices_;
};

}  // namespace quell::storage::sqlite
