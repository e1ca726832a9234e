#include "http/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace quell::http {

namespace {

constexpr std::size_t many_buckets = 10'000;

}  // namespace

std::string_view to_string(RatePolicy policy) {
  switch (policy) {
    case RatePolicy::read:
      return "read";
    case RatePolicy::write:
      return "write";
    case RatePolicy::erase:
      return "delete";
  }
  return "read";
}

RateAnswer RateLimit::take(RatePolicy policy, const std::string& token, Time now) {
  RateAnswer answer;
  answer.limit = per_minute_[static_cast<std::size_t>(policy)];
  if (answer.limit == 0) return answer;
  const double full = static_cast<double>(answer.limit);
  if (buckets_.size() > many_buckets)
    std::erase_if(buckets_, [now](const auto& entry) {
      return now - entry.second.at > std::chrono::minutes{1};
    });
  const auto [found, is_new] = buckets_.try_emplace({policy, token}, Bucket{full, now});
  Bucket& bucket = found->second;
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  bucket.level = std::min(full, bucket.level + seconds * full / 60);
  bucket.at = now;
  answer.allowed = bucket.level >= 1;
  if (answer.allowed) bucket.level -= 1;
  answer.remaining = static_cast<long>(bucket.level);
  if (!answer.allowed)
    answer.retry_after_s = static_cast<long>(std::ceil((1 - bucket.level) * 60 / full));
  return answer;
}

}  // namespace quell::http
