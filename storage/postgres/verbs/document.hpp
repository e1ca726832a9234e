// Documents, receipts of calls, seals of the audit, and what is forgotten with time.
#pragma once

#include "storage/postgres/connection/pg_session.hpp"

namespace quell::storage::postgres {

class Documents {
 public:
  explicit Documents(PgSession& session) : session_(session) {}
  void apply(const CallOp& op);
  DocResult apply(const DocOp& op);
  bool apply(const SealOp& op);
  void forget(Instant now);

 private:
  PgSession& session_;
};

}  // namespace quell::storage::postgres
