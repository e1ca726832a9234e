#include "actors/effects/own_addresses.hpp"

#include <ifaddrs.h>

#include "actors/effects/socket_address.hpp"

namespace quell {

// Private ones are refused already, unless a block of the list means them.
std::vector<IpAddress> own_public_addresses() {
  std::vector<IpAddress> own;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return own;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next)
    if (const auto address = ip_of(one->ifa_addr); address && AddressFilter().allows(*address))
      own.push_back(*address);
  ::freeifaddrs(first);
  return own;
}

}  // namespace quell
