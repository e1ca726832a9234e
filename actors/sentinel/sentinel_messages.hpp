// What the sentinel says to itself.
#pragma once

#include <vector>

#include "actors/messages.hpp"
#include "actors/sentinel/survey.hpp"

namespace quell {

struct SentinelLook {};  // timer
struct SurveyBegun {     // reader: all but the ids
  Result<Survey> survey;
};
struct SliceOfIds {  // reader
  Result<std::vector<IdRow>> rows;
};
struct NextSlice {};      // timer
struct SnapshotWritten {  // Clerk
  bool is_ours = false;
};

}  // namespace quell

#define QUELL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(quell::name)
QUELL_MESSAGE(SentinelLook)
QUELL_MESSAGE(SurveyBegun)
QUELL_MESSAGE(SliceOfIds)
QUELL_MESSAGE(NextSlice)
QUELL_MESSAGE(SnapshotWritten)
#undef QUELL_MESSAGE
