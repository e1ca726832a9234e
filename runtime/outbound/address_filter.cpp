#include "runtime/outbound/address_filter.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace quell {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// As inet_pton reads it, which is the strict spelling: no leading zeros, no zone, no blanks.
template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> parse_strict(int family, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return {};
  std::array<std::uint8_t, N> bytes{};
  if (::inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) return {};
  return bytes;
}

struct Block {
  std::string_view cidr;
  std::string_view why;
};

// IANA's special-purpose registries, IPv4. Whatever is not listed is public.
constexpr Block blocks_v4[] = {
    {"0.0.0.0/8", "this network"},       {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "carrier NAT"},    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local"},    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "IETF protocol"},   {"192.0.2.0/24", "documentation"},
    {"192.88.99.0/24", "6to4 relay"},    {"192.168.0.0/16", "private"},
    {"198.18.0.0/15", "benchmarking"},   {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"}, {"224.0.0.0/4", "multicast"},
    {"255.255.255.255/32", "broadcast"}, {"240.0.0.0/4", "reserved"},
};

// IPv6 the other way round: 2000::/3 is public but for the holes at the end, all else is refused.
constexpr Block blocks_v6[] = {
    {"::/128", "unspecified"},      {"::1/128", "loopback"},
    {"::/96", "v4-compatible"},     {"::ffff:0:0:0/96", "v4-translated"},
    {"64:ff9b::/96", "NAT64"},      {"64:ff9b:1::/48", "NAT64"},
    {"100::/64", "discard"},        {"5f00::/16", "SRv6"},
    {"fc00::/7", "unique local"},   {"fe80::/10", "link-local"},
    {"fec0::/10", "site-local"},    {"ff00::/8", "multicast"},
    {"2001::/23", "IETF protocol"}, {"2001:db8::/32", "documentation"},
    {"2002::/16", "6to4"},          {"3fff::/20", "documentation"},
};

// Where clouds tell a machine who it is, and give out its keys.
constexpr std::string_view metadata_hosts[] = {
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16",
    "192.0.0.192",     "fd00:ec2::254", "fd00:ec2::23",   "fd20:ce::254",
};

bool is_metadata_host(const IpAddress& address) {
  static const auto hosts = [] {
    std::vector<IpAddress> read;
    for (const std::string_view text : metadata_hosts) read.push_back(*IpAddress::parse(text));
    return read;
  }();
  return std::find(hosts.begin(), hosts.end(), address) != hosts.end();
}

struct Rule {
  Cidr block;
  std::string_view why;
};

template <std::size_t N>
std::vector<Rule> read_blocks(const Block (&blocks)[N]) {
  std::vector<Rule> rules;
  for (const Block& block : blocks) rules.push_back({Cidr::parse(block.cidr).value(), block.why});
  return rules;
}

// One part of `0x7f.010.1`: decimal, octal after 0, hex after 0x.
std::optional<std::uint64_t> parse_loose_number(std::string_view part) {
  int base = 10;
  if (part.size() >= 2 && part[0] == '0' && (part[1] == 'x' || part[1] == 'X')) {
    base = 16;
    part.remove_prefix(2);
    if (part.empty()) return 0;
  } else if (part.size() > 1 && part[0] == '0') {
    base = 8;
  }
  std::uint64_t value = 0;
  const auto [stop, fault] = std::from_chars(part.data(), part.data() + part.size(), value, base);
  if (part.empty() || fault != std::errc{} || stop != part.data() + part.size()) return {};
  return value;
}

// A host whose last label is a number can only be meant as an address (WHATWG URL, "ends in a
// number").
bool ends_in_number(std::string_view label) {
  if (label.empty()) return false;
  if (std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return true;
  return parse_loose_number(label).has_value();
}

std::optional<IpAddress> parse_loose_v4(std::string_view host) {
  std::vector<std::uint64_t> parts;
  while (true) {
    const std::size_t dot = host.find('.');
    const auto part = parse_loose_number(host.substr(0, dot));
    if (!part || parts.size() == 4) return {};
    parts.push_back(*part);
    if (dot == std::string_view::npos) break;
    host.remove_prefix(dot + 1);
  }
  // The last part fills all bytes that the parts before it left over.
  std::uint64_t whole = parts.back();
  if (whole >= std::uint64_t{1} << (8 * (5 - parts.size()))) return {};
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] > 255) return {};
    whole |= parts[i] << (8 * (3 - i));
  }
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i)
    bytes[i] = static_cast<std::uint8_t>((whole >> (8 * (3 - i))) & 0xff);
  return IpAddress::from_v4(bytes);
}

}  // namespace

IpAddress IpAddress::from_v4(const std::array<std::uint8_t, 4>& bytes) {
  std::array<std::uint8_t, 16> all{};
  std::copy(mapped_prefix.begin(), mapped_prefix.end(), all.begin());
  std::copy(bytes.begin(), bytes.end(), all.begin() + 12);
  return IpAddress(all);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto dotted = parse_strict<4>(AF_INET, text);
    if (!dotted) return {};
    return from_v4(*dotted);
  }
  const auto bytes = parse_strict<16>(AF_INET6, text);
  if (!bytes) return {};
  return from_v6(*bytes);
}

bool IpAddress::is_v4() const {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

std::string IpAddress::text() const {
  if (is_v4()) return fmt::format("{}.{}.{}.{}", bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
  // RFC 5952: the longest run of two or more zero groups becomes `::`, the first one of equals.
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = bytes_[2 * i] * 256u + bytes_[2 * i + 1];
  std::size_t gap = 8, gap_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > gap_length) gap = i, gap_length = end - i;
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      out += "::";
      i += gap_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base)
    return Error{ErrorCode::invalid_field, fmt::format("'{}' is not an address block", text)};
  // The written form decides what /n counts: `::ffff:10.0.0.0/104` is IPv6 notation.
  const bool written_v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned most = written_v4 ? 32 : 128;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view tail = text.substr(slash + 1);
    const auto [stop, fault] = std::from_chars(tail.data(), tail.data() + tail.size(), bits);
    if (tail.empty() || fault != std::errc{} || stop != tail.data() + tail.size() || bits > most)
      return Error{ErrorCode::invalid_field,
                   fmt::format("'{}' has no prefix length from 0 to {}", text, most)};
  }
  return Cidr(*base, written_v4 ? bits + 96 : bits);
}

bool Cidr::contains(const IpAddress& address) const {
  // `::/0` in an allow list means all of IPv6. It must not open IPv4 in its mapped form as well.
  if (bits_ < 96 && address.is_v4()) return false;
  for (unsigned i = 0; i < 16; ++i) {
    if (bits_ <= i * 8) return true;
    const unsigned left = std::min(bits_ - i * 8, 8u);
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - left));
    if (((address.bytes()[i] ^ base_.bytes()[i]) & mask) != 0) return false;
  }
  return true;
}

std::string Cidr::text() const {
  return fmt::format("{}/{}", base_.text(), base_.is_v4() ? bits_ - 96 : bits_);
}

HostLiteral read_host(std::string_view host) {
  const HostLiteral malformed{HostForm::malformed, {}};
  if (host.empty()) return malformed;
  if (host.front() == '[' || host.find(':') != std::string_view::npos) {
    if (host.front() == '[') {
      if (host.back() != ']') return malformed;
      host = host.substr(1, host.size() - 2);
    }
    const auto address =
        host.find(':') == std::string_view::npos ? std::nullopt : IpAddress::parse(host);
    return address ? HostLiteral{HostForm::address, address} : malformed;
  }
  if (host.back() == '.') host.remove_suffix(1);  // `127.0.0.1.` is that address too
  const std::size_t dot = host.rfind('.');
  if (!ends_in_number(dot == std::string_view::npos ? host : host.substr(dot + 1)))
    return host.empty() ? malformed : HostLiteral{HostForm::name, {}};
  const auto address = parse_loose_v4(host);
  return address ? HostLiteral{HostForm::address, address} : malformed;
}

namespace {

std::string_view why_not_public(const IpAddress& address) {
  static const std::vector<Rule> rules_v4 = read_blocks(blocks_v4);
  static const std::vector<Rule> rules_v6 = read_blocks(blocks_v6);
  for (const Rule& rule : address.is_v4() ? rules_v4 : rules_v6)
    if (rule.block.contains(address)) return rule.why;
  if (is_metadata_host(address)) return "cloud metadata";
  if (address.is_v4()) return {};
  return (address.bytes()[0] & 0xe0) == 0x20 ? std::string_view{} : "not global unicast";
}

}  // namespace

// A block that was allowed for its other hosts must not hand out a cloud's keys, nor this host's
// own doors: such an address is allowed by its own name only.
std::string_view AddressFilter::why_refused(const IpAddress& address) const {
  const auto holds = [&](const Cidr& block) { return block.contains(address); };
  const auto names = [&](const Cidr& block) { return block.is_one() && block.contains(address); };
  if (std::any_of(allow_.begin(), allow_.end(), names)) return {};
  const bool is_own = std::find(own_.begin(), own_.end(), address) != own_.end();
  const bool needs_name = is_own || is_metadata_host(address);
  if (!needs_name && std::any_of(allow_.begin(), allow_.end(), holds)) return {};
  const std::string_view why = why_not_public(address);
  return is_own && why.empty() ? "this host's own" : why;
}

}  // namespace quell
