#include "runtime/outbound/secret_place.hpp"

#include <algorithm>
#include <charconv>

namespace quell {

namespace {

Error wrong(std::string_view text) {
  return Error{ErrorCode::invalid_field,
               "'" + std::string(text) + "' is no host, HOST:PORT or http://HOST:PORT"};
}

bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '*' || c == ':';
  });
}

}  // namespace

Result<SecretPlace> SecretPlace::parse(std::string_view text) {
  SecretPlace place;
  std::string_view rest = text;
  place.is_plain_ = rest.starts_with("http://");
  if (place.is_plain_) rest.remove_prefix(7);
  if (rest.starts_with("https://")) rest.remove_prefix(8);
  std::string_view port;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return wrong(text);
    place.host_ = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest.front() != ':') return wrong(text);
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) return wrong(text);
  } else {
    const std::size_t colon = rest.find(':');
    // More than one colon: an IPv6 address as it stands.
    const bool has_port = colon != std::string_view::npos && rest.find(':', colon + 1) == rest.npos;
    place.host_ = has_port ? rest.substr(0, colon) : rest;
    if (has_port) port = rest.substr(colon + 1);
    if (has_port && port.empty()) return wrong(text);
  }
  if (!is_host(place.host_)) return wrong(text);
  std::transform(place.host_.begin(), place.host_.end(), place.host_.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (port == "*") return place;
  std::uint16_t number = place.is_plain_ ? 80 : 443;
  if (!port.empty()) {
    const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (fault != std::errc{} || end != port.data() + port.size() || number == 0) return wrong(text);
  }
  place.port_ = number;
  return place;
}

bool SecretPlace::covers(std::string_view host, std::uint16_t port, bool tls) const {
  if (!tls && !is_plain_) return false;
  if (port_ && *port_ != port) return false;
  if (!host_.starts_with("*.")) return host_ == host;
  const std::string_view tail = std::string_view(host_).substr(1);
  return host.size() > tail.size() && host.ends_with(tail);
}

}  // namespace quell
