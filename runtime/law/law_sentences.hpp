// What a law says when it is broken, in the words of the triggers: they are written with these, and
// a store's complaint is read by them.
#pragma once

#include <string_view>

namespace quell::law {

inline constexpr std::string_view no_job_move = "law: no such move of a job";
inline constexpr std::string_view no_live_move = "law: no such move of a live job";
inline constexpr std::string_view not_leaving = "law: only a job that is leaving may go";
inline constexpr std::string_view still_open = "law: an open job keeps its live row";
inline constexpr std::string_view not_born = "law: no job is born in this state";
inline constexpr std::string_view has_tomb = "law: a deleted job does not come back";
inline constexpr std::string_view is_there = "law: a row is moved or deleted, never replaced";
inline constexpr std::string_view no_truncate = "law: there is no second way for a row to vanish";
inline constexpr std::string_view last_admin =
    "law: the last token that can make another administrator is not revoked";

}  // namespace quell::law
