// Reads the URL of an outbound call once, the way libcurl will read it, so that the filter and the
// connection can never disagree about which host is meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/outbound/address_filter.hpp"

namespace quell {

struct OutboundUrl {
  std::string url;   // canonical; what libcurl is given
  std::string host;  // what to resolve: ASCII, no brackets
  std::uint16_t port = 0;
  bool tls = false;
  std::optional<IpAddress> literal;  // the host is an address: nothing to resolve
};

Result<OutboundUrl> read_outbound_url(const std::string& text);

// Refuses what would let a caller write a second request, or speak for the framing.
Result<void> check_request_line(const std::string& method,
                                const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace quell
