// The public addresses of this host: from outside a firewall guards them, from within nothing does.
#pragma once

#include <vector>

#include "runtime/outbound/address_filter.hpp"

namespace quell {

std::vector<IpAddress> own_public_addresses();

}  // namespace quell
