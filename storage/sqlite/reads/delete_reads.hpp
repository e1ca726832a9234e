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
  TraceRows trace_rows(Uuid id, const std::string& schedule, int audit_limit);
  std::vector<ErasedGroup> erased_groups(DeleteId from, DeleteId to, int limit);

 private:
  void read_holders(TicketView& view);

  Statement tomb_, tombs_, tickets_, ticket_, holders_, call_, calls_, audit_, forgotten_, groups_;
};

}  // namespace quell::storage::sqlite
