// What a queue lets run at once and start over time, in all and of each key, over the whole fleet.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/policy/token_bucket.hpp"

namespace quell {

struct QueueLimits {
  std::int64_t concurrency = 0;  // jobs of the queue that run; 0 here and below: no limit
  std::int64_t per_key = 0;      // of these, with one limit key
  Rate rate = {};                // jobs of the queue that start
  Rate key_rate = {};            // of these, with one limit key

  bool any() const { return concurrency > 0 || rate.is_set() || by_key(); }
  // Then keys take turns, too: a key with a long row of jobs does not keep the others waiting.
  bool by_key() const { return per_key > 0 || key_rate.is_set(); }
  bool operator==(const QueueLimits&) const = default;
};

constexpr std::int64_t concurrency_max = 1'000'000;

std::string to_json(const QueueLimits& limits);         // only what is set
QueueLimits limits_from_json(const std::string& text);  // of our own writing; "" is none

}  // namespace quell
