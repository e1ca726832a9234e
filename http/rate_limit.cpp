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
  return answer(policy, token, now, 1);
}

RateAnswer RateLimit::look(RatePolicy policy, const std::string& token, Time now) {
  return answer(policy, token, now, 0);
}

RateAnswer RateLimit::answer(RatePolicy policy, const std::string& token, Time now, double cost) {
  RateAnswer said;
  said.limit = per_minute_[static_cast<std::size_t>(policy)];
  if (said.limit == 0) return said;
  const double full = static_cast<double>(said.limit);
  if (buckets_.size() > many_buckets)
    std::erase_if(buckets_, [now](const auto& entry) {
      return now - entry.second.at > std::chrono::minutes{1};
    });
  const auto [found, is_new] = buckets_.try_emplace({policy, token}, Bucket{full, now});
  Bucket& bucket = found->second;
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  bucket.level = std::min(full, bucket.level + seconds * full / 60);
  bucket.at = now;
  said.allowed = bucket.level >= 1;
  if (said.allowed) bucket.level -= cost;
  said.remaining = static_cast<long>(bucket.level);
  if (!said.allowed)
    said.retry_after_s = static_cast<long>(std::ceil((1 - bucket.level) * 60 / full));
  return said;
}

}  // namespace quell::http
