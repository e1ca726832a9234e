#include "storage/limited_claim.hpp"

namespace quell::storage {

namespace {

// All keys that may be served now, in the order of their turns.
std::vector<KeyDemand> in_turn(LimitedQueue& rows, const ClaimOp& op, const std::string& last,
                               int permits) {
  const int most = keys_to_look_at(permits);
  std::vector<KeyDemand> all = rows.keys(op, last, std::nullopt, most, permits);
  // Those without a key stand at the turn of the circle: one look, whatever the others use up.
  if (const std::int64_t waiting = rows.waiting_without_key(op, permits); waiting > 0)
    all.push_back({"", waiting, 0, {}});
  const int left = most - static_cast<int>(all.size());
  if (last.empty() || left <= 0) return all;
  for (KeyDemand& one : rows.keys(op, "", last, left, permits)) all.push_back(std::move(one));
  return all;
}

// Behind whom the next claim begins. The look may have ended among the keys: then "", which closes
// the circle, must not send the next look back to where this one began.
std::string turn_after(const std::vector<KeyDemand>& keys, const std::vector<int>& shares,
                       int permits) {
  const std::string& last = keys[last_served(shares)].key;
  const auto most = static_cast<std::size_t>(keys_to_look_at(permits));
  return last.empty() && keys.size() > most ? keys[most - 1].key : last;
}

void spend(LimitedQueue& rows, const ClaimOp& op, const KeyDemand& key, int spent) {
  const Rate& rate = op.limits.key_rate;
  if (!rate.is_set() || key.key.empty() || spent == 0) return;
  rows.write(op.queue, key.key, rate, after(rate, refilled(rate, key.bucket, op.now), spent));
}

std::vector<ClaimedJob> by_turns(LimitedQueue& rows, const ClaimOp& op, int permits,
                                 LimitState& state) {
  const std::vector<KeyDemand> keys = in_turn(rows, op, state.last_key, permits);
  if (keys.empty()) return {};
  std::vector<int> room;
  for (const KeyDemand& key : keys) room.push_back(room_of(op.limits, key, op.now));
  const std::vector<int> shares = share_out(permits, room);
  std::vector<KeyShare> wanted;
  std::vector<const KeyDemand*> served;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (shares[i] == 0) continue;
    wanted.emplace_back(keys[i].key, shares[i]);
    served.push_back(&keys[i]);
  }
  std::vector<int> got(wanted.size(), 0);
  std::vector<ClaimedJob> claimed;
  if (!wanted.empty()) claimed = rows.take(op, wanted, got);
  for (std::size_t i = 0; i < served.size(); ++i) spend(rows, op, *served[i], got[i]);
  state.last_key = turn_after(keys, shares, permits);
  return claimed;
}

}  // namespace

std::vector<ClaimedJob> claim_limited(LimitedQueue& rows, const ClaimOp& op) {
  const QueueLimits& limits = op.limits;
  const LimitState before = rows.lock(op.queue);
  const std::int64_t running = limits.concurrency > 0 ? rows.running(op.queue) : 0;
  const int permits = permits_left(limits, op.limit, running, before.bucket, op.now);
  if (permits == 0) return {};
  LimitState state = before;
  std::vector<ClaimedJob> claimed =
      limits.by_key() ? by_turns(rows, op, permits, state) : rows.take_oldest(op, permits);
  if (limits.rate.is_set() && !claimed.empty())
    state.bucket = after(limits.rate, refilled(limits.rate, before.bucket, op.now),
                         static_cast<std::int64_t>(claimed.size()));
  if (state.bucket != before.bucket || state.last_key != before.last_key)
    rows.write(op.queue, state);
  return claimed;
}

}  // namespace quell::storage
