#include "runtime/address_range.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>

namespace quell {

namespace {

std::optional<unsigned> number(std::string_view text, int base, unsigned max,
                               std::size_t digits_max) {
  unsigned value = 0;
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (fault != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

// Cuts off what stands before the first `separator`, and the separator.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return head;
}

bool parse_v4(std::string_view text, std::span<std::uint8_t> four) {
  if (std::count(text.begin(), text.end(), '.') != 3) return false;
  for (std::uint8_t& byte : four) {
    const std::string_view part = cut(text, '.');
    // "010" is eight to some resolvers and ten to others: refused.
    if (part.size() > 1 && part.front() == '0') return false;
    const auto value = number(part, 10, 255, 3);
    if (!value) return false;
    byte = static_cast<std::uint8_t>(*value);
  }
  return true;
}

// Groups without "::" into `bytes`; says how many bytes they filled.
std::optional<std::size_t> parse_groups(std::string_view text, std::span<std::uint8_t> bytes) {
  std::size_t filled = 0;
  while (!text.empty()) {
    const bool last = text.find(':') == std::string_view::npos;
    const bool more_must_follow = !last && text.back() == ':' && text.find(':') == text.size() - 1;
    if (more_must_follow) return std::nullopt;
    const std::string_view group = cut(text, ':');
    if (last && group.find('.') != std::string_view::npos) {
      if (filled + 4 > bytes.size() || !parse_v4(group, bytes.subspan(filled, 4)))
        return std::nullopt;
      return filled + 4;
    }
    const auto value = number(group, 16, 0xffff, 4);
    if (!value || filled + 2 > bytes.size()) return std::nullopt;
    bytes[filled++] = static_cast<std::uint8_t>(*value >> 8);
    bytes[filled++] = static_cast<std::uint8_t>(*value & 0xff);
  }
  return filled;
}

bool parse_v6(std::string_view text, std::array<std::uint8_t, 16>& bytes) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return parse_groups(text, bytes) == std::size_t{16};
  const std::string_view tail_text = text.substr(gap + 2);
  if (tail_text.find("::") != std::string_view::npos || tail_text.starts_with(':')) return false;
  if (text.substr(0, gap).find('.') != std::string_view::npos) return false;
  std::array<std::uint8_t, 16> tail{};
  const auto head_size = parse_groups(text.substr(0, gap), bytes);
  const auto tail_size = parse_groups(tail_text, tail);
  if (!head_size || !tail_size || *head_size + *tail_size > 14) return false;
  std::copy_n(tail.begin(), *tail_size, bytes.end() - static_cast<std::ptrdiff_t>(*tail_size));
  return true;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  Address address;
  if (text.find(':') != std::string_view::npos) {
    if (!parse_v6(text, address.bytes)) return std::nullopt;
    return address;
  }
  address.bytes[10] = address.bytes[11] = 0xff;
  if (!parse_v4(text, std::span(address.bytes).subspan(12))) return std::nullopt;
  return address;
}

bool Address::is_v4() const {
  return std::all_of(bytes.begin(), bytes.begin() + 10,
                     [](std::uint8_t byte) { return byte == 0; }) &&
         bytes[10] == 0xff && bytes[11] == 0xff;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto network = Address::parse(text.substr(0, slash));
  if (!network) return std::nullopt;
  // The form that was written decides what its bits count, not the address: ::ffff:0:0/96 is all of
  // IPv4.
  const bool written_v4 = text.find(':') == std::string_view::npos;
  AddressRange range{*network, 128};
  if (slash != std::string_view::npos) {
    const auto bits = number(text.substr(slash + 1), 10, written_v4 ? 32 : 128, 3);
    if (!bits) return std::nullopt;
    range.bits = static_cast<int>(*bits) + (written_v4 ? 96 : 0);
  }
  return range;
}

bool AddressRange::contains(const Address& address) const {
  for (int bit = 0; bit < bits; bit += 8) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int kept = std::min(8, bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - kept));
    if (((network.bytes[at] ^ address.bytes[at]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace quell
