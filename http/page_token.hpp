// Where a list goes on. A token is bound to the filter it was made for, so that a changed filter is
// refused instead of silently skipping rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/id.hpp"
#include "runtime/result.hpp"

namespace quell::http {

// The same on every server of a store. A forged token could only name a place in a list that its
// caller may read anyway, so the key needs no secrecy.
std::string page_key(std::string_view store_public_key);

std::string make_page_token(const std::string& key, std::string_view list, std::string_view after);
Result<std::string> read_page_token(const std::string& key, std::string_view list,
                                    std::string_view token);

}  // namespace quell::http
