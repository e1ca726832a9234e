// Ids are UUIDv7: random enough to be unguessable, ordered by time, so that a list by id is a list
// by age.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"

namespace quell {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  static std::optional<Uuid> parse(std::string_view text);  // canonical 8-4-4-4-12, either case
  std::string text() const;
  bool is_nil() const { return *this == Uuid{}; }
  Instant time() const;  // of a version 7 id
  auto operator<=>(const Uuid&) const = default;
};

using JobId = Uuid;
using DeleteId = Uuid;
using NodeId = Uuid;

// Strictly rising within a process, also when the clock stands still or steps back. Thread-safe.
class IdSource {
 public:
  explicit IdSource(const Clock& clock) : clock_(clock) {}
  Uuid next();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::uint64_t last_ms_ = 0;
  std::uint16_t sequence_ = 0;
};

}  // namespace quell

template <>
struct std::hash<quell::Uuid> {
  std::size_t operator()(const quell::Uuid& id) const noexcept;
};
