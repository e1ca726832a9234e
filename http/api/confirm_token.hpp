// The word that a preview was seen: bound to what it was for, its filter, its project, who asked,
// the moment and the number of jobs. Whoever shows another filter, or another's token, is refused.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"

namespace quell::http {

inline constexpr Millis preview_keep{std::chrono::minutes{30}};

struct Preview {
  std::string_view verb;  // delete, cancel, retry
  std::string filter;     // its normal form
  std::string_view project, token_id;
};
struct Previewed {
  Instant at;
  std::int64_t count = 0;
};

// `key`: of the store's secret key and for this purpose alone, so the same on every server.
std::string make_confirm_token(const std::string& key, const Preview& preview,
                               const Previewed& seen);
Result<Previewed> read_confirm_token(const std::string& key, const Preview& preview,
                                     std::string_view token, Instant now);

}  // namespace quell::http
