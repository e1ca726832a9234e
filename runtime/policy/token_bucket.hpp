// So many in so many seconds, exactly: whole numbers only, so that every store and every node comes
// to the same count. A bucket that was never written is full.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "runtime/base/clock.hpp"

namespace quell {

// `count` at once at most, and as many again each `per_s` seconds. No count: no limit.
struct Rate {
  std::int64_t count = 0;
  std::int64_t per_s = 1;
  bool is_set() const { return count > 0; }
  bool operator==(const Rate&) const = default;
};

constexpr std::int64_t rate_count_max = 1'000'000;
constexpr std::int64_t rate_seconds_max = 31 * 24 * 3600;

// What is in it at a moment. A millisecond brings `count` drops, and per_s * 1000 drops are a
// token: so nothing is ever rounded away.
struct TokenBucket {
  std::int64_t drops = 0;
  Instant at;
  bool operator==(const TokenBucket&) const = default;
};

constexpr std::int64_t drops_of(const Rate& rate, std::int64_t tokens) {
  return tokens * rate.per_s * 1'000;
}

// As it stands now. A clock that is behind the one that wrote last brings nothing and takes
// nothing.
inline TokenBucket refilled(const Rate& rate, const std::optional<TokenBucket>& bucket,
                            Instant now) {
  const std::int64_t full = drops_of(rate, rate.count);
  if (!bucket) return {full, now};
  if (now <= bucket->at) return {std::min(bucket->drops, full), bucket->at};
  // After per_s seconds it is full whatever was in it; more would only overflow.
  const std::int64_t ms = std::min((now - bucket->at).count(), rate.per_s * 1'000);
  return {std::min(bucket->drops + ms * rate.count, full), now};
}

inline std::int64_t tokens_in(const Rate& rate, const TokenBucket& bucket) {
  return bucket.drops / (rate.per_s * 1'000);
}

inline TokenBucket after(const Rate& rate, const TokenBucket& bucket, std::int64_t spent) {
  return {bucket.drops - drops_of(rate, spent), bucket.at};
}

// From when on it may be forgotten, because it is full again.
inline Instant full_at(const Rate& rate, const TokenBucket& bucket) {
  const std::int64_t missing = drops_of(rate, rate.count) - bucket.drops;
  return bucket.at + Millis{(missing + rate.count - 1) / rate.count};
}

}  // namespace quell
