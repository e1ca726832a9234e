#include "http/api/rate_limit.hpp"

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

RateAnswer RateLimit::answer(RatePolicy policy, const std::string& token, Time now,
                             std::int64_t cost) {
  RateAnswer said;
  said.limit = per_minute_[static_cast<std::size_t>(policy)];
  if (said.limit == 0) return said;
  const Rate rate{said.limit, 60};
  const Instant at{std::chrono::duration_cast<Millis>(now.time_since_epoch())};
  if (buckets_.size() > many_buckets)
    std::erase_if(buckets_, [at](const auto& entry) {
      return at - entry.second.at > std::chrono::minutes{1};
    });
  const auto known = buckets_.find({policy, token});
  TokenBucket bucket =
      refilled(rate, known == buckets_.end() ? std::nullopt : std::optional(known->second), at);
  said.allowed = tokens_in(rate, bucket) >= 1;
  if (said.allowed)
    bucket = after(rate, bucket, cost);
  else
    said.retry_after_s =
        (drops_of(rate, 1) - bucket.drops + rate.count * 1'000 - 1) / (rate.count * 1'000);
  said.remaining = tokens_in(rate, bucket);
  buckets_.insert_or_assign({policy, token}, bucket);
  return said;
}

}  // namespace quell::http
