// What the sweeper hears, from others and from itself.
#pragma once

#include "actors/messages.hpp"

namespace quell {

// ---- to the Sweeper
// -------------------------------------------------------------------------------------------------
struct SweepExpired {};  // timer
struct RunRetention {    // Node: a person wants it now
  RetentionRun run;
  std::function<void(Result<RetentionReport>)> answer;
};
struct ExpiriesSeen {  // reader
  Result<storage::ExpiryReport> report;
};
struct ExpiredSeen {  // reader: the next slice of records
  Result<std::vector<JobId>> jobs;
};
struct EndsWritten {  // Clerk: copies, or results, have ended
  Result<storage::Outcome> outcome;
};
struct SliceErased {  // Deleter
  Result<DeleteReport> report;
};
struct SweepOn {};  // timer: the next slice, if others have had their turn
struct SweepWait {  // timer: whoever asked for this run has waited enough
  std::uint64_t run = 0;
};

}  // namespace quell

#define QUELL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quell::name)
QUELL_MESSAGE(SweepExpired)
QUELL_MESSAGE(RunRetention)
QUELL_MESSAGE(ExpiriesSeen)
QUELL_MESSAGE(ExpiredSeen)
QUELL_MESSAGE(EndsWritten)
QUELL_MESSAGE(SliceErased)
QUELL_MESSAGE(SweepOn)
QUELL_MESSAGE(SweepWait)
#undef QUELL_MESSAGE
