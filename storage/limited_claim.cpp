#include "storage/limited_claim.hpp"

#include <algorithm>

namespace quell::storage {

namespace {

// The keys whose turn it is, with the room that each has: as many as there are permits, for then
// each gets one. The look ends early when too many are full; the next claim goes on from there.
class Circle {
 public:
  Circle(LimitedQueue& rows, const ClaimOp& op, int permits)
      : rows_(rows), op_(op), permits_(permits), looks_(keys_to_look_at(permits)), step_(permits) {}

  void walk(const std::string& last) {
    walk(last, std::nullopt);
    if (is_over()) return;
    if (const std::int64_t waiting = rows_.waiting_without_key(op_, permits_); waiting > 0)
      add({"", waiting, 0, {}});
    if (!last.empty()) walk("", last);
  }

  std::vector<KeyDemand> keys;
  std::vector<int> room;

 private:
  void walk(std::string after, const std::optional<std::string>& to) {
    while (!is_over()) {
      const int most = std::min(step_, looks_);
      step_ *= 2;  // where many are full, not a question for each
      std::vector<KeyDemand> some = rows_.keys(op_, after, to, most);
      if (some.empty()) return;
      after = some.back().key;
      for (KeyDemand& one : some) add(std::move(one));
      if (std::ssize(some) < most) return;
    }
  }
  void add(KeyDemand key) {
    room.push_back(room_of(op_.limits, key, op_.now));
    if (room.back() > 0) ++open_;
    --looks_;
    keys.push_back(std::move(key));
  }
  bool is_over() const { return open_ >= permits_ || looks_ <= 0; }

  LimitedQueue& rows_;
  const ClaimOp& op_;
  int permits_, looks_, step_, open_ = 0;
};

void spend(LimitedQueue& rows, const ClaimOp& op, const std::vector<KeyDemand>& keys,
           const std::vector<int>& total) {
  const Rate& rate = op.limits.key_rate;
  if (!rate.is_set()) return;
  std::vector<KeyBucket> buckets;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (total[i] > 0 && !keys[i].key.empty())
      buckets.emplace_back(keys[i].key,
                           after(rate, refilled(rate, keys[i].bucket, op.now), total[i]));
  if (!buckets.empty()) rows.write(op.queue, rate, buckets);
}

// One round of shares. True when some key had fewer than its share: its rest is for the others.
bool take_round(LimitedQueue& rows, const ClaimOp& op, Circle& circle, std::vector<int>& total,
                int& left, std::vector<ClaimedJob>& claimed) {
  const std::vector<int> shares = share_out(left, circle.room);
  std::vector<KeyShare> wanted;
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] == 0) continue;
    wanted.emplace_back(circle.keys[i].key, shares[i]);
    at.push_back(i);
  }
  if (wanted.empty()) return false;
  std::vector<int> got(wanted.size(), 0);
  for (ClaimedJob& job : rows.take(op, wanted, got)) claimed.push_back(std::move(job));
  bool some_fell_short = false;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const bool fell_short = got[i] < wanted[i].second;
    circle.room[at[i]] = fell_short ? 0 : circle.room[at[i]] - got[i];
    total[at[i]] += got[i];
    left -= got[i];
    some_fell_short |= fell_short;
  }
  return some_fell_short && left > 0;
}

std::vector<ClaimedJob> by_turns(LimitedQueue& rows, const ClaimOp& op, int permits,
                                 std::string& last_key) {
  Circle circle(rows, op, permits);
  circle.walk(last_key);
  if (circle.keys.empty()) return {};
  std::vector<int> total(circle.keys.size(), 0);
  std::vector<ClaimedJob> claimed;
  int left = permits;
  while (take_round(rows, op, circle, total, left, claimed)) {
  }
  spend(rows, op, circle.keys, total);
  last_key = circle.keys[last_served(total)].key;
  return claimed;
}

}  // namespace

std::vector<ClaimedJob> claim_limited(LimitedQueue& rows, const ClaimOp& op, Turns& turns) {
  const QueueLimits& limits = op.limits;
  const std::optional<TokenBucket> bucket = rows.lock(op.queue);
  const std::int64_t running = limits.concurrency > 0 ? rows.running(op.queue) : 0;
  const int permits = permits_left(limits, op.limit, running, bucket, op.now);
  if (permits == 0) return {};
  std::vector<ClaimedJob> claimed = limits.by_key() ? by_turns(rows, op, permits, turns[op.queue])
                                                    : rows.take_oldest(op, permits);
  if (limits.rate.is_set() && !claimed.empty())
    rows.write(op.queue, after(limits.rate, refilled(limits.rate, bucket, op.now),
                               static_cast<std::int64_t>(claimed.size())));
  return claimed;
}

}  // namespace quell::storage
