// A socket's address as the filter of outbound addresses knows it.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "runtime/outbound/address_filter.hpp"

namespace quell {

// Nothing: there is none, or it is of neither version of IP.
std::optional<IpAddress> ip_of(const sockaddr* address);

}  // namespace quell
