// Text that comes from outside is UTF-8 only when somebody looked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quell {

// The length of the well-formed character that `text` begins with, or 0 (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view bytes);
std::string as_utf8(std::string_view bytes);  // what is not UTF-8 becomes U+FFFD

}  // namespace quell
