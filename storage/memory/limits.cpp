// The rows of a limited claim, looked for in the plainest way: over all jobs.
#include <algorithm>

#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

namespace {

class MemoryLimits final : public LimitedQueue {
 public:
  explicit MemoryLimits(Tables& tables) : tables_(tables) {}

  std::optional<TokenBucket> lock(const std::string& queue) override {
    return tables_.limits[queue];
  }

  std::int64_t running(const std::string& queue) override {
    return std::count_if(tables_.jobs.begin(), tables_.jobs.end(), [&](const auto& row) {
      return row.second.queue == queue && row.second.state == JobState::running;
    });
  }

  std::vector<KeyDemand> keys(const ClaimOp& op, const std::string& after,
                              const std::optional<std::string>& to, int most) override {
    std::map<std::string, KeyDemand> all;
    for (const auto& [id, job] : tables_.jobs) {
      const std::string& key = job.options.limit_key;
      if (job.queue != op.queue || key <= after || (to && key > *to)) continue;
      KeyDemand& one = all[key];
      if (job.state == JobState::queued) one.waiting = plenty;
      if (job.state == JobState::running) ++one.running;
    }
    std::vector<KeyDemand> found;
    for (auto& [key, one] : all) {
      if (one.waiting == 0 || static_cast<int>(found.size()) == most) continue;
      one.key = key;
      const auto bucket = tables_.key_buckets.find({op.queue, key});
      if (bucket != tables_.key_buckets.end()) one.bucket = bucket->second;
      found.push_back(std::move(one));
    }
    return found;
  }

  std::int64_t waiting_without_key(const ClaimOp& op, int deep) override {
    return static_cast<std::int64_t>(oldest(op.queue, std::string(), deep).size());
  }

  std::vector<ClaimedJob> take_oldest(const ClaimOp& op, int n) override {
    return start_all(op, oldest(op.queue, std::nullopt, n));
  }

  std::vector<ClaimedJob> take(const ClaimOp& op, const std::vector<KeyShare>& shares,
                               std::vector<int>& got) override {
    std::vector<ClaimedJob> claimed;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      auto some = start_all(op, oldest(op.queue, shares[i].first, shares[i].second));
      got[i] = static_cast<int>(some.size());
      std::move(some.begin(), some.end(), std::back_inserter(claimed));
    }
    return claimed;
  }

  void write(const std::string& queue, const TokenBucket& bucket) override {
    tables_.limits[queue] = bucket;
  }
  void write(const std::string& queue, const Rate&,
             const std::vector<KeyBucket>& buckets) override {
    for (const auto& [key, bucket] : buckets) tables_.key_buckets[{queue, key}] = bucket;
  }

 private:
  // Of one key, or of whichever.
  std::vector<JobId> oldest(const std::string& queue, const std::optional<std::string>& key,
                            int n) {
    std::vector<JobId> ids;
    for (auto at = tables_.claimable.lower_bound({queue, 0, JobId{}});
         at != tables_.claimable.end() && std::get<0>(*at) == queue &&
         static_cast<int>(ids.size()) < n;
         ++at)
      if (!key || tables_.jobs.at(std::get<2>(*at)).options.limit_key == *key)
        ids.push_back(std::get<2>(*at));
    return ids;
  }

  std::vector<ClaimedJob> start_all(const ClaimOp& op, const std::vector<JobId>& ids) {
    std::vector<ClaimedJob> claimed;
    for (const JobId& id : ids) claimed.push_back(start(tables_, tables_.jobs.at(id), op));
    return claimed;
  }

  Tables& tables_;
};

}  // namespace

std::vector<ClaimedJob> claim_with_limits(Tables& tables, const ClaimOp& op) {
  MemoryLimits rows(tables);
  return claim_limited(rows, op, tables.turns);
}

}  // namespace quell::storage::memory
