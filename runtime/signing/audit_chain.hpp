// Whoever can write the database can rewrite its history. Each audit entry is digested, and a
// sealer chains the digests: a row changed, removed or slipped in afterwards breaks the chain at
// that row. A cut tail is found by the head, which signed receipts carry out of the database.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/digest.hpp"

namespace quell {

struct AuditEntry {
  std::int64_t no =
      0;  // rising; numbers may be missing (a transaction that failed takes its number with it)
  Instant at{};
  std::string who;
  std::string what;
  std::string ref;      // the id of what it was done to
  std::string details;  // exact bytes as stored, or a digest of lines that are kept elsewhere
};

// Over every field with its length, so that moving a byte from one field to the next changes it.
Digest digest_of(const AuditEntry& entry);

struct AuditHead {
  std::int64_t no = 0;  // of the last sealed entry; 0 before the first
  Digest hash{};        // all zero before the first
  bool operator==(const AuditHead&) const = default;
};

// The head behind one more entry.
AuditHead advance(const AuditHead& head, std::int64_t no, const Digest& digest);

// The chain's hash for each entry of the run, in order. The caller seals only below what a
// transaction still open could add: a number that appears behind the seal is a fault for ever.
std::vector<Digest> seal(const AuditHead& head, std::span<const AuditEntry> run);

enum class AuditFault : std::uint8_t {
  changed,   // the entry, or one before it, was changed, removed or slipped in
  unsealed,  // an entry without a seal lies before a sealed one
  tail_cut,  // entries up to a head that was seen outside are not there
};

std::string_view to_string(AuditFault fault);

struct AuditCheck {
  AuditHead head;  // as far as the chain holds
  std::optional<AuditFault> fault = std::nullopt;
  std::int64_t fault_no = 0;  // the first entry that is wrong
  std::int64_t sealed = 0;    // entries proven
  std::int64_t waiting = 0;   // young entries behind the last seal: not wrong, not yet proven
};

// Checks a chain piece by piece, so that a long one need not be in memory at once.
class AuditVerifier {
 public:
  // `known` are heads that left the database in time, in receipts or logs: the chain must reach and
  // agree with each.
  explicit AuditVerifier(AuditHead from = {}, std::vector<AuditHead> known = {});
  void add(const AuditEntry& entry, const std::optional<Digest>& hash);  // in order of `no`
  AuditCheck finish() const;

 private:
  void fail(AuditFault fault, std::int64_t no);

  AuditCheck check_;
  std::vector<AuditHead> known_;  // by number
  std::size_t next_known_ = 0;
  std::int64_t last_no_;
  std::int64_t first_waiting_ = 0;
};

}  // namespace quell
