#include "runtime/outbound/trace_context.hpp"

#include <algorithm>
#include <variant>

#include "runtime/base/hex.hpp"

namespace quell {

namespace {

constexpr std::size_t size = 55, trace_at = 3, parent_at = 36, flags_at = 53;
constexpr std::string_view name = "traceparent";

bool is_id(std::string_view text) {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

bool says_traceparent(const std::pair<std::string, std::string>& header) {
  return std::equal(header.first.begin(), header.first.end(), name.begin(), name.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace

std::string_view traceparent_of(std::string_view header) {
  const std::string_view text = header.substr(0, size);
  if (text.size() != size || text[trace_at - 1] != '-' || text[parent_at - 1] != '-' ||
      text[flags_at - 1] != '-')
    return {};
  const std::string_view version = text.substr(0, trace_at - 1);
  if (!is_lower_hex(version) || version == "ff") return {};
  // Version 00 ends here; a later one goes on with a dash.
  if (header.size() > size && (version == "00" || header[size] != '-')) return {};
  const bool good = is_id(text.substr(trace_at, 32)) && is_id(text.substr(parent_at, 16)) &&
                    is_lower_hex(text.substr(flags_at));
  return good ? text : std::string_view{};
}

void pass_trace_on(EffectRequest& request, const std::string& traceparent) {
  if (traceparent.empty()) return;
  auto* stream = std::get_if<StreamRequest>(&request);
  auto* http = stream != nullptr ? &stream->http : std::get_if<HttpRequest>(&request);
  if (http == nullptr) return;
  const Headers& headers = http->headers();
  if (std::none_of(headers.begin(), headers.end(), says_traceparent))
    http->header(std::string{name}, traceparent);
}

}  // namespace quell
