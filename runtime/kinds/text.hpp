// Bytes from outside become JSON text here; whatever they are, the job's record must stay readable.
#pragma once

#include <string>
#include <string_view>

namespace quell {

std::string lower_case(std::string_view text);  // ASCII only

// The last `most` bytes, from the beginning of a character on.
std::string_view tail_of(std::string_view text, std::size_t most);

}  // namespace quell
