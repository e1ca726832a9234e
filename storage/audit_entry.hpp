// An audit row as the chain digests it, the same for whoever seals and whoever verifies.
#pragma once

#include <algorithm>
#include <optional>

#include "runtime/base/base64.hpp"
#include "runtime/base/hex.hpp"
#include "runtime/signing/audit_chain.hpp"
#include "storage/reader.hpp"

namespace quell::storage {

// A detail is one line of JSON and a digest is hex, so that the line break parts them.
inline AuditEntry entry_of(const AuditRow& row) {
  return {row.no, row.at, row.who, row.what, row.ref, row.detail + "\n" + row.digest};
}

inline std::optional<Digest> digest_of_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  Digest digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

}  // namespace quell::storage
