// Where a list goes on. A token is bound to the filter it was made for, so that a changed filter is
// refused instead of silently skipping rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/id.hpp"
#include "runtime/base/result.hpp"

namespace quell::http {

// `key`: of the store's secret key and for this purpose alone, so the same on every server.
std::string make_page_token(const std::string& key, std::string_view list, std::string_view after);
Result<std::string> read_page_token(const std::string& key, std::string_view list,
                                    std::string_view token);

}  // namespace quell::http
