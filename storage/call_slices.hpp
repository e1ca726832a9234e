// A large call is marked in slices, each in its own transaction. Which of them are still to come is
// noted in the call's counts, where the last word will be; so whoever reads the call, on whatever
// node, knows whether all of it is marked. A slice that is marked again changes nothing.
//
// The same note names the jobs that were being deleted already: their tickets are another call's,
// and this call is done when they are gone too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/batch.hpp"
#include "storage/reader.hpp"

namespace quell::storage {

inline constexpr std::string_view unmarked_prefix = R"({"unmarked":"|)";

// The note after the first mark of this call; nothing for a call of one slice.
std::string unmarked_after(const MarkOp& op);
// What a further mark takes out of the note: this text becomes "|".
std::string marked_slice(const MarkOp& op);
// So many jobs are named; of more the note says only that there were more.
inline constexpr std::size_t joined_most = 1'000;
// Those of the answers that another call deletes.
std::vector<JobId> joined_of(const MarkOp& op, const std::vector<MarkedJob>& answers);
// The call's counts with them noted; a call that has its last word keeps it.
std::string with_joined(std::string counts, const std::vector<JobId>& joined);
// Turns the note into what it says.
void read_note(CallView& call);

// The jobs that the call waits for by tickets of other calls: how far their deletes are. Nothing
// for a call that has its last word.
Result<std::vector<TicketView>> open_joined(Reader& reader, const CallView& call, Instant now);

}  // namespace quell::storage
