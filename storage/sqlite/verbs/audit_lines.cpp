#include "storage/sqlite/verbs/audit_lines.hpp"

namespace quell::storage::sqlite {

AuditLines::AuditLines(Connection& db)
    : insert_(db,
              "INSERT INTO audit (no, at, who, what, ref, detail, digest) VALUES"
              " ((SELECT coalesce(max(no), 0) + 1 FROM audit), ?, ?, ?, ?, ?, ?)") {}

void AuditLines::add(const AuditOp& op) {
  insert_.run(op.at, op.who, op.what, op.ref, op.detail, "");
}

void AuditLines::write() {
  for (const auto& [key, owed] : calls_)
    insert_.run(owed.at, owed.who, word_of(key.second), key.first.text(),
                erase_detail(owed.jobs.size()), erase_digest(owed.jobs));
  calls_.clear();
}

}  // namespace quell::storage::sqlite
