// A large call is marked in slices, each in its own transaction. Which of them are still to come is
// noted in the call's counts, where the last word will be; so whoever reads the call, on whatever
// node, knows whether all of it is marked. A slice that is marked again changes nothing.
#pragma once

#include <string>
#include <string_view>

#include "storage/batch.hpp"
#include "storage/reader.hpp"

namespace quell::storage {

inline constexpr std::string_view unmarked_prefix = R"({"unmarked":"|)";

// The note after the first mark of this call; nothing for a call of one slice.
std::string unmarked_after(const MarkOp& op);
// What a further mark takes out of the note: this text becomes "|".
std::string marked_slice(const MarkOp& op);
// Turns the note into what it says.
void read_note(CallView& call);

}  // namespace quell::storage
