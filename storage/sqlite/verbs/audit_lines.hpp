// The audit rows of a batch: what it erased, and what people did.
#pragma once

#include "storage/batch.hpp"
#include "storage/erased_calls.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

class AuditLines : public ErasedCalls {
 public:
  explicit AuditLines(Connection& db);
  void add(const AuditOp& op);
  void write();

 private:
  Statement insert_;
};

}  // namespace quell::storage::sqlite
