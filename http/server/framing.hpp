// Where a request ends must have one answer only. Two servers in a row that disagree about it let
// an attacker hide one request inside another, so every head passes this strict reader before any
// other parser sees it; what is ambiguous is refused and the connection closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/server/message.hpp"
#include "runtime/base/result.hpp"
#include "runtime/settings/setting_types.hpp"

namespace quell::http {

struct HeadLimits {
  std::size_t header = setting_default::header_max;  // all of the head
  std::size_t uri = 4 * 1024;
  std::size_t fields = 100;
};

// How the body is delimited.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
};

struct Head {
  Request request;
  Framing framing;
};

// `block` is everything up to and with the empty line. Origin-form targets only: this server is not
// a proxy.
Result<Head> read_head(std::string block, const HeadLimits& limits);

// Of bytes that do not yet hold an empty line: the fault they already are, if any.
std::optional<Error> too_long(std::string_view bytes, const HeadLimits& limits);

}  // namespace quell::http
