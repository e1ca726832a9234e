// Which addresses may be reached is a question about numbers, not about sockets: addresses and CIDR
// ranges as values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quell {

// IPv4 is kept as ::ffff:a.b.c.d, so that an IPv4 address cannot hide from a range in its IPv6
// form.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  static std::optional<Address> parse(std::string_view text);  // 192.0.2.1, 2001:db8::1; no zone
  bool is_v4() const;
  bool operator==(const Address&) const = default;
};

struct AddressRange {
  Address network;
  int bits = 128;  // of the 16 bytes: an IPv4 /8 is 104

  static std::optional<AddressRange> parse(std::string_view text);  // with or without /BITS
  bool contains(const Address& address) const;
  bool operator==(const AddressRange&) const = default;
};

}  // namespace quell
