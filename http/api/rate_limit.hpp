// How many calls a token may make in a minute, when a limit is set: a bucket that fills steadily,
// so that a burst is fine and a flood is not.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/policy/token_bucket.hpp"

namespace quell::http {

enum class RatePolicy : unsigned char { read, write, erase };

struct RateAnswer {
  bool allowed = true;
  long limit = 0;  // 0: none is set, and nothing is said
  long remaining = 0;
  long retry_after_s = 0;
};

// Used by one thread.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  RateLimit(long read, long write, long erase) : per_minute_{read, write, erase} {}
  RateAnswer take(RatePolicy policy, const std::string& token, Time now);
  RateAnswer look(RatePolicy policy, const std::string& token, Time now);  // take() without taking

 private:
  RateAnswer answer(RatePolicy policy, const std::string& token, Time now, std::int64_t cost);
  long per_minute_[3];
  std::map<std::pair<RatePolicy, std::string>, TokenBucket> buckets_;
};

std::string_view to_string(RatePolicy policy);

}  // namespace quell::http
