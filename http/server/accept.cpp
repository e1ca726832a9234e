#include "http/server/accept.hpp"

#include <algorithm>

#include "http/server/message.hpp"

namespace quell::http {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view cut(std::string_view& rest, char at) {
  const std::size_t end = std::min(rest.find(at), rest.size());
  const std::string_view part = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// "q=0", "q=0.000": not wanted.
bool is_refusal(std::string_view parameter) {
  const std::string_view name = cut(parameter, '=');
  const std::string_view value = trimmed(parameter);
  return same_text(name, "q") && !value.empty() &&
         value.find_first_not_of("0.") == std::string_view::npos;
}

// How closely `range` names `media`: 0 not at all, 1 "*/*", 2 "type/*", 3 itself.
int match(std::string_view range, std::string_view media) {
  if (range == "*/*") return 1;
  const std::string_view type = media.substr(0, media.find('/') + 1);
  if (same_text(range, std::string(type) + "*")) return 2;
  return same_text(range, media) ? 3 : 0;
}

// The closest range decides.
bool takes(std::string_view accept, std::string_view media) {
  int closest = 0;
  bool taken = false;
  while (!accept.empty()) {
    std::string_view parameters = cut(accept, ',');
    const int close = match(cut(parameters, ';'), media);
    if (close <= closest) continue;
    closest = close;
    taken = true;
    while (!parameters.empty())
      if (is_refusal(cut(parameters, ';'))) taken = false;
  }
  return taken;
}

}  // namespace

bool accepts(std::string_view accept, const std::vector<std::string>& media) {
  if (trimmed(accept).empty()) return true;
  return std::any_of(media.begin(), media.end(),
                     [&](const std::string& one) { return takes(accept, one); });
}

}  // namespace quell::http
