#include "http/api/confirm_token.hpp"

#include <charconv>

#include "http/api/page_token.hpp"

namespace quell::http {

namespace {

// No part can end where another begins.
std::string bound_to(const Preview& preview) {
  std::string text = "preview";
  for (const std::string_view part :
       {preview.verb, preview.project, preview.token_id, std::string_view{preview.filter}})
    text.append(1, '\0').append(std::to_string(part.size())).append(1, ':').append(part);
  return text;
}

bool read_number(std::string_view text, std::int64_t& out) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  return fault == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string make_confirm_token(const std::string& key, const Preview& preview,
                               const Previewed& seen) {
  const std::string what =
      std::to_string(seen.at.time_since_epoch().count()) + '-' + std::to_string(seen.count);
  return make_page_token(key, bound_to(preview), what);
}

Result<Previewed> read_confirm_token(const std::string& key, const Preview& preview,
                                     std::string_view token, Instant now) {
  const Result<std::string> what = read_page_token(key, bound_to(preview), token);
  std::int64_t at = 0, count = 0;
  const std::size_t dash = what ? what->find('-') : std::string::npos;
  if (!what || dash == std::string::npos || !read_number(what->substr(0, dash), at) ||
      !read_number(what->substr(dash + 1), count))
    return Error{ErrorCode::invalid_field,
                 "This token is not of a preview of this filter by this caller; preview again."};
  const Previewed seen{Instant{Millis{at}}, count};
  // The clock of the node that counted may be ahead of ours.
  if (now - seen.at > preview_keep || seen.at - now > preview_keep)
    return Error{ErrorCode::preview_stale, "The preview is older than 30 minutes; preview again."};
  return seen;
}

}  // namespace quell::http
