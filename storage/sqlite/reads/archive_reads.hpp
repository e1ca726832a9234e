// Reads of copies, of what goes when, and of every row that names a job.
#pragma once

#include <vector>

#include "storage/reader.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

class ArchiveReads {
 public:
  explicit ArchiveReads(Connection& db);
  std::vector<CopyHead> copies(const CopyQuery& query);
  std::optional<CopyView> copy(JobId job, Instant now);
  ExpiryReport expiries(Instant now, int limit, const ProtectionPtr& protection);
  std::vector<Remnant> remnants(const std::vector<JobId>& jobs);

 private:
  Connection& db_;
  Statement page_, one_, records_, results_, ends_, columns_;
};

}  // namespace quell::storage::sqlite
