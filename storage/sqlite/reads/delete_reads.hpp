// What there is to know of deletes: tickets, calls, tombstones.
#pragma once

#include "storage/reader.hpp"
#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

class DeleteReads {
 public:
  explicit DeleteReads(Connection& db);
  std::optional<Tombstone> tombstone(JobId job);
  std::vector<Tombstone> tombstones(DeleteId id, std::optional<JobId> after, int limit);
  std::vector<TicketView> tickets(std::optional<DeleteId> only, bool due_only, Instant now,
                                  int limit);
  std::optional<CallView> call(DeleteId id);
  std::vector<CallView> calls(std::optional<DeleteId> after, int limit);

 private:
  Statement tomb_, tombs_, tickets_, holders_, call_, calls_;
};

}  // namespace quell::storage::sqlite
