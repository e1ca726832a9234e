// As bounded_json.hpp, for values whose members keep the order of the text: what is shown to people
// and what is signed. Adding a member takes as long as there are members, so it is for our own
// texts and for those of whoever sits at this keyboard.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace quell {

nlohmann::ordered_json ordered_json_from_outside(std::string_view text);
nlohmann::ordered_json ordered_json_of_ours(std::string_view text);

}  // namespace quell
