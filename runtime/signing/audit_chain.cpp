#include "runtime/signing/audit_chain.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/base64.hpp"

namespace quell {

namespace {

void put_number(std::string& bytes, std::int64_t number) {
  const auto raw = static_cast<std::uint64_t>(number);
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(raw >> shift & 0xff);
}

void put_text(std::string& bytes, std::string_view text) {
  put_number(bytes, static_cast<std::int64_t>(text.size()));
  bytes += text;
}

}  // namespace

Digest digest_of(const AuditEntry& entry) {
  std::string bytes = "quell audit entry 1\n";
  put_number(bytes, entry.no);
  put_number(bytes, entry.at.time_since_epoch().count());
  put_text(bytes, entry.who);
  put_text(bytes, entry.what);
  put_text(bytes, entry.ref);
  put_text(bytes, entry.details);
  return sha256(bytes);
}

AuditHead advance(const AuditHead& head, std::int64_t no, const Digest& digest) {
  QUELL_ASSERT(no > head.no);
  std::string bytes = "quell audit chain 1\n";
  bytes += text_of(head.hash);
  put_number(bytes, no);
  bytes += text_of(digest);
  return AuditHead{no, sha256(bytes)};
}

std::vector<Digest> seal(const AuditHead& head, std::span<const AuditEntry> run) {
  std::vector<Digest> hashes;
  hashes.reserve(run.size());
  AuditHead at = head;
  for (const AuditEntry& entry : run) {
    at = advance(at, entry.no, digest_of(entry));
    hashes.push_back(at.hash);
  }
  return hashes;
}

std::string_view to_string(AuditFault fault) {
  switch (fault) {
    case AuditFault::changed:
      return "changed";
    case AuditFault::unsealed:
      return "unsealed";
    case AuditFault::tail_cut:
      return "tail_cut";
  }
  QUELL_ASSERT(!"a fault outside the list");
  return {};
}

AuditVerifier::AuditVerifier(AuditHead from, std::vector<AuditHead> known)
    : known_(std::move(known)), last_no_(from.no) {
  check_.head = from;
  std::ranges::sort(known_, {}, &AuditHead::no);
  // What lies before the start can't be checked from here; a head at the start itself can.
  while (next_known_ < known_.size() && known_[next_known_].no <= from.no) {
    if (known_[next_known_].no == from.no && known_[next_known_] != from)
      fail(AuditFault::changed, from.no);
    ++next_known_;
  }
}

void AuditVerifier::add(const AuditEntry& entry, const std::optional<Digest>& hash) {
  QUELL_ASSERT(entry.no > last_no_);
  last_no_ = entry.no;
  if (check_.fault) return;
  // A head that was seen outside names an entry that should have come before this one.
  if (next_known_ < known_.size() && known_[next_known_].no < entry.no && first_waiting_ == 0)
    return fail(AuditFault::changed, known_[next_known_].no);
  if (!hash) {
    if (check_.waiting++ == 0) first_waiting_ = entry.no;
    return;
  }
  if (check_.waiting > 0) return fail(AuditFault::unsealed, first_waiting_);
  const AuditHead next = advance(check_.head, entry.no, digest_of(entry));
  if (next.hash != *hash) return fail(AuditFault::changed, entry.no);
  for (; next_known_ < known_.size() && known_[next_known_].no == entry.no; ++next_known_)
    if (known_[next_known_] != next) return fail(AuditFault::changed, entry.no);
  check_.head = next;
  ++check_.sealed;
}

AuditCheck AuditVerifier::finish() const {
  AuditCheck check = check_;
  if (!check.fault && next_known_ < known_.size()) {
    // The known head was sealed once; its entry is missing or has lost its seal.
    check.fault = AuditFault::tail_cut;
    check.fault_no = check.head.no + 1;
  }
  return check;
}

void AuditVerifier::fail(AuditFault fault, std::int64_t no) {
  check_.fault = fault;
  check_.fault_no = no;
}

}  // namespace quell
