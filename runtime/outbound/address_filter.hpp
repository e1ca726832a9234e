// Decides which addresses a job may call, so that nobody can make this server fetch from its own
// network (SSRF). Everything that is not a public unicast address is refused unless a block of the
// allow list contains it; a cloud's metadata host and this host's own addresses unless the list
// names just them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace quell {

// An address in network order. IPv4 is kept as its v4-mapped IPv6 form, so two spellings of one
// address are one value and no rule can be walked around by writing it differently.
class IpAddress {
 public:
  static IpAddress from_v4(const std::array<std::uint8_t, 4>& bytes);
  static IpAddress from_v6(const std::array<std::uint8_t, 16>& bytes) { return IpAddress(bytes); }
  static std::optional<IpAddress> parse(std::string_view text);  // strict: 192.0.2.1 or 2001:db8::1

  bool is_v4() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  std::string text() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  explicit IpAddress(const std::array<std::uint8_t, 16>& bytes) : bytes_(bytes) {}
  std::array<std::uint8_t, 16> bytes_;
};

// A block of addresses, `10.0.0.0/8` or `fd00::/8`; a single address is a block of one.
class Cidr {
 public:
  static Result<Cidr> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  bool is_one() const { return bits_ == 128; }
  std::string text() const;

 private:
  Cidr(const IpAddress& base, unsigned bits) : base_(base), bits_(bits) {}
  IpAddress base_;
  unsigned bits_;  // of 128; an IPv4 /n is kept as 96 + n
};

// What the host of a URL is. Browsers, libc and curl read `0x7f.1` and `2130706433` as addresses;
// whoever takes them for names lets them through.
enum class HostForm { name, address, malformed };
struct HostLiteral {
  HostForm form;
  std::optional<IpAddress> address;  // when form is address
};
HostLiteral read_host(std::string_view host);  // brackets of an IPv6 literal may be there

class AddressFilter {
 public:
  explicit AddressFilter(std::vector<Cidr> allow = {}, std::vector<IpAddress> own = {})
      : allow_(std::move(allow)), own_(std::move(own)) {}
  bool allows(const IpAddress& address) const { return why_refused(address).empty(); }
  std::string_view why_refused(const IpAddress& address) const;  // empty: allowed

 private:
  std::vector<Cidr> allow_;
  std::vector<IpAddress> own_;
};

}  // namespace quell
