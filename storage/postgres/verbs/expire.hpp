// Copies and results that have come to their end go, and the audit says so. Nobody can act for
// either, so there is nothing to be stopped first.
#pragma once

#include "storage/postgres/connection/pg_session.hpp"

namespace quell::storage::postgres {

class Expire {
 public:
  explicit Expire(PgSession& session) : session_(session) {}
  ExpireResult apply(const ExpireOp& op);

 private:
  int copies(const ExpireOp& op);
  int results(const ExpireOp& op);

  PgSession& session_;
};

}  // namespace quell::storage::postgres
