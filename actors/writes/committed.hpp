// What a commit means for the others. The Foreman hears first and in commit order (a claim, then
// its mark, never the other way round), then the watchers, then whoever asked.
#pragma once

#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/node_context.hpp"
#include "actors/writes/commit_ports.hpp"
#include "actors/writes/dispatcher.hpp"
#include "storage/news.hpp"

namespace quell {

// What is known of runs whose verdicts are on their way to the store, by job.
using DownByJob = std::unordered_map<JobId, RunDown>;

// Own holders without verdict and own runs with a requested cancel, asked for by whomever.
void tell_orders(const NodeContext& context, CommitPorts& ports,
                 const std::vector<std::pair<JobId, storage::Holder>>& holders,
                 const std::vector<std::pair<JobId, int>>& cancel_requests);

class Committed {
 public:
  Committed(NodeContext& context, CommitPorts& ports, Dispatcher& dispatcher,
            const storage::Batch& ops, storage::Outcome& outcome, DownByJob& run_downs);

  void tell_foreman();
  void tell_courier();
  void wake_queues();
  void wake_schedules();
  void tell_watchers();
  std::optional<Instant> earliest_due() const;
  JobsVerdict verdicts();

 private:
  void note_erased();
  void tell_marks();
  void tell_finishes();
  void tell_counts();
  void tell_claims();
  void tell_verdicts();

  NodeContext& context_;
  CommitPorts& ports_;
  Dispatcher& dispatcher_;
  const storage::Batch& ops_;
  storage::Outcome& outcome_;
  DownByJob& run_downs_;
  std::vector<storage::News> news_;
};

}  // namespace quell
