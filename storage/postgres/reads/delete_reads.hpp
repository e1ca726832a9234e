// What there is to know of deletes: tickets, calls, tombstones.
#pragma once

#include "storage/postgres/connection/connection.hpp"
#include "storage/reader.hpp"

namespace quell::storage::postgres {

std::vector<Tombstone> read_tombs_of(Connection& db, const std::vector<JobId>& jobs);
std::vector<Tombstone> read_tombs(Connection& db, DeleteId id, std::optional<JobId> after,
                                  int limit);
std::vector<TicketView> read_tickets(Connection& db, std::optional<DeleteId> only, bool due_only,
                                     Instant now, int limit);
std::optional<CallView> read_call(Connection& db, DeleteId id);
std::vector<CallView> read_calls(Connection& db, std::optional<DeleteId> after, int limit);
TraceRows read_trace_rows(Connection& db, Uuid id, const std::string& schedule, int audit_limit);
std::vector<ErasedGroup> read_erased_groups(Connection& db, DeleteId from, DeleteId to, int limit);

}  // namespace quell::storage::postgres
