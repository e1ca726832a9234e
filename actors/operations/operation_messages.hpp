// What the actor of the operations hears, from others and from itself.
#pragma once

#include "actors/messages.hpp"
#include "actors/safeguards/approved_deletes.hpp"

namespace quell {

// ---- to the OperationRunner
// -------------------------------------------------------------------------------------------------
struct OperationsDue {  // timer, or Node: somebody wants something
  bool is_timed = false;
};
struct OperationsRead {  // reader
  Result<std::vector<storage::Doc>> operations, wishes;
};
struct ApprovedSeen {  // reader: deletes that were approved, and that nobody makes
  std::vector<LeftOver> left;
};
struct OperationListed {  // reader: the jobs of the next slice
  Uuid operation;
  std::optional<JobId> after;  // where it began to look
  Result<storage::MatchPage> page;
};
struct OperationNoted {  // Clerk: how far it is, is written, and which slice is next
  Uuid operation;
  Result<storage::DocResult> written;
};
struct OperationErased {  // Deleter: what became of the slice
  Uuid operation;
  std::uint64_t turn;  // which asking it answers
  Result<DeleteReport> report;
};
struct OperationRead {  // reader: the jobs of a slice that is to run again
  Uuid operation;
  Result<std::vector<storage::Found>> found;
};
struct OperationSteered {  // Clerk
  Uuid operation;
  std::vector<JobId> jobs;
  Result<storage::Outcome> outcome;  // its first document is the operation's
};
struct OperationNext {  // timer
  Uuid operation;
};
struct OperationHeld {  // reader: what it marked and is not gone yet
  Uuid operation;
  Result<std::vector<storage::TicketView>> tickets;
};
struct OperationOpen {  // reader: what became of those that were pending
  Uuid operation;
  Result<DeleteCounts> counts;
};
struct OperationEnded {  // Clerk
  Uuid operation;
  Result<storage::Outcome> outcome;
};

}  // namespace quell

#define QUELL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quell::name)
QUELL_MESSAGE(OperationsDue)
QUELL_MESSAGE(OperationsRead)
QUELL_MESSAGE(ApprovedSeen)
QUELL_MESSAGE(OperationListed)
QUELL_MESSAGE(OperationNoted)
QUELL_MESSAGE(OperationErased)
QUELL_MESSAGE(OperationRead)
QUELL_MESSAGE(OperationSteered)
QUELL_MESSAGE(OperationNext)
QUELL_MESSAGE(OperationHeld)
QUELL_MESSAGE(OperationOpen)
QUELL_MESSAGE(OperationEnded)
#undef QUELL_MESSAGE
