#include "storage/audit_check.hpp"

#include "storage/audit_entry.hpp"

namespace quell::storage {

namespace {
constexpr int page_size = 1'000;
}

Result<AuditCheck> check_audit(const AuditPages& pages, std::int64_t sealed,
                               const std::vector<AuditHead>& known) {
  AuditVerifier verifier({}, known);
  for (std::int64_t after = 0;;) {
    const Result<std::vector<AuditRow>> rows = pages(after, page_size);
    if (!rows) return rows.error();
    for (const AuditRow& row : rows.value()) {
      const bool is_young = row.no > sealed;
      verifier.add(entry_of(row), is_young ? std::nullopt : digest_of_hex(row.hash));
      after = row.no;
    }
    if (static_cast<int>(rows.value().size()) < page_size) break;
  }
  return verifier.finish();
}

Result<AuditCheck> check_audit(Reader& reader, const std::vector<AuditHead>& known) {
  const Result<std::optional<AuditRow>> head = reader.audit_head();
  if (!head) return head.error();
  const std::int64_t sealed = head.value() ? head.value()->no : 0;
  return check_audit([&](std::int64_t after, int limit) { return reader.audit(after, limit); },
                     sealed, known);
}

}  // namespace quell::storage
