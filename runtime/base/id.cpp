#include "runtime/base/id.hpp"

#include <openssl/rand.h>

#include <cstring>

#include "runtime/base/assert.hpp"
#include "runtime/base/hex.hpp"

namespace quell {

namespace {

bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

// Eight random bytes a call; drawn in blocks, because the generator's lock costs more than its
// bytes.
std::array<std::uint8_t, 8> random_tail() {
  thread_local std::array<std::uint8_t, 4096> block;
  thread_local std::size_t used = block.size();
  if (used == block.size()) {
    QUELL_ASSERT(RAND_bytes(block.data(), static_cast<int>(block.size())) == 1);
    used = 0;
  }
  std::array<std::uint8_t, 8> tail;
  std::memcpy(tail.data(), block.data() + used, tail.size());
  used += tail.size();
  return tail;
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t at = 0;
  for (std::size_t byte = 0; byte < 16; ++byte) {
    if (dash_before(byte) && text[at++] != '-') return std::nullopt;
    const int high = hex_digit(text[at++]);
    const int low = hex_digit(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[byte] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return id;
}

std::string Uuid::text() const {
  std::string text(36, '-');
  std::size_t at = 0;
  for (std::size_t byte = 0; byte < 16; ++byte) {
    if (dash_before(byte)) ++at;
    text[at++] = hex_digits[bytes[byte] >> 4];
    text[at++] = hex_digits[bytes[byte] & 15];
  }
  return text;
}

Instant Uuid::time() const {
  std::int64_t ms = 0;
  for (std::size_t byte = 0; byte < 6; ++byte) ms = ms << 8 | bytes[byte];
  return Instant{Millis{ms}};
}

Uuid IdSource::next() {
  const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
  const auto tail = random_tail();
  std::uint64_t ms;
  std::uint16_t sequence;
  {
    const std::lock_guard lock(mutex_);
    if (now > last_ms_) {
      last_ms_ = now;
      sequence_ = 0;
    } else if (++sequence_ == 0x1000) {  // 4,096 ids in one millisecond: borrow the next one
      ++last_ms_;
      sequence_ = 0;
    }
    ms = last_ms_;
    sequence = sequence_;
  }
  Uuid id;
  for (std::size_t byte = 0; byte < 6; ++byte)
    id.bytes[byte] = static_cast<std::uint8_t>(ms >> (40 - 8 * byte));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | sequence >> 8);
  id.bytes[7] = static_cast<std::uint8_t>(sequence & 0xff);
  std::memcpy(id.bytes.data() + 8, tail.data(), tail.size());
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

}  // namespace quell

std::size_t std::hash<quell::Uuid>::operator()(const quell::Uuid& id) const noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, id.bytes.data(), sizeof halves);
  return halves[0] * 0x9e3779b97f4a7c15u ^ halves[1];
}
