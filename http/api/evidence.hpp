// A folder for an auditor who has only openssl: a span of the audit log with the hash that it
// builds on, the receipts of that span, the report, the public key, and one signed manifest over
// all of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "storage/reader.hpp"

namespace quell::http {

struct EvidenceOrder {
  Instant since, until, made_at;
  std::string who;
  std::string public_key;                                  // PEM
  std::function<std::string(std::string_view)> signature;  // of these bytes, raw
};
struct EvidenceFile {
  std::string name, bytes;
};
struct Evidence {
  std::vector<EvidenceFile> files;  // README.txt first, SHA256SUMS last
  std::int64_t audit_rows = 0, waiting = 0, receipts = 0;
  bool chain_holds = false;
};

inline constexpr std::size_t evidence_rows_most = 100'000, evidence_receipts_most = 10'000;

// `body_too_large` when the span holds more than one folder takes.
Result<Evidence> make_evidence(storage::Reader& reader, const EvidenceOrder& order);

}  // namespace quell::http
