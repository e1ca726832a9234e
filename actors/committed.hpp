// What a commit means for the others. The Foreman hears first and in commit order (a claim, then
// its mark, never the other way round), then the watchers, then whoever asked.
#pragma once

#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/cast.hpp"
#include "actors/dispatcher.hpp"

namespace quell {

// What is known of runs whose verdicts are on their way to the store, by job.
using RunDowns = std::unordered_map<JobId, RunDown>;

// Own holders without verdict and own runs with a cancel wish, asked for by whomever.
void tell_orders(Cast& cast, const std::vector<std::pair<JobId, storage::Holder>>& holders,
                 const std::vector<std::pair<JobId, int>>& wishes);

class Committed {
 public:
  Committed(Cast& cast, Dispatcher& dispatcher, const storage::Batch& ops,
            storage::Outcome& outcome, RunDowns& run_downs);

  void tell_foreman();
  void tell_courier();
  void wake_queues();
  void tell_watchers();
  std::optional<Instant> earliest_due() const;
  JobsVerdict verdicts();

 private:
  void note_erased();
  void tell_marks();
  void tell_finishes();
  void tell_counts();
  void tell_births();
  void tell_claims();
  void tell_verdicts();
  void event(const char* type, JobId job, const std::string& queue, std::string data = {});
  void finish_events();
  void ended_events();

  Cast& cast_;
  Dispatcher& dispatcher_;
  const storage::Batch& ops_;
  storage::Outcome& outcome_;
  RunDowns& run_downs_;
};

}  // namespace quell
