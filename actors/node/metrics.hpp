// The runtime's own figures: counted where things happen, read by /metrics without stopping anyone.
#pragma once

#include <atomic>
#include <cstdint>

#include "actors/deletes/erased_jobs.hpp"
#include "actors/node/time_histogram.hpp"
#include "actors/writes/commit_watch.hpp"

namespace quell {

struct Metrics {
  using Counter = std::atomic<std::uint64_t>;
  Counter submitted{0}, started{0}, succeeded{0}, failed{0}, retried{0}, cancelled{0};
  Counter deleted{0}, delete_unproven{0}, alerts{0};
  Counter anomalies{0}, snapshots{0};  // of the sentinel
  Counter commits{0}, commit_microseconds{0}, batch_operations{0}, commit_failures{0};
  Counter clerk_queue{0};   // operations waiting now
  Counter effects_open{0};  // now
  Counter effects_started{0}, effects_aborted{0}, late_answers{0};
  Counter deliveries_done{0}, deliveries_failed{0}, deliveries_given_up{0}, deliveries_aborted{0};
  Counter runs{0}, runs_stuck{0};  // now
  Counter blocked_threads{0};      // scheduler threads held by one job for over a second, now
  Counter held_snapshot_s{0};      // how long somebody has kept the database from vacuuming, now
  Counter effects_after_delete{0};
  Counter fires{0}, fires_missed{0}, fires_overlapped{0};
  Counter fire_lag_ms{0};  // of the last one: how long behind its time it was born
  Counter task_deletes{0}, task_delete_tries{0}, task_deletes_failed{0}, tasks_issued_again{0};
  Counter backups_made{0}, backups_failed{0};
  Counter backup_last_ms{0}, backup_bytes{0}, backup_took_ms{0};  // of the last one made here
  CommitWatch commits_open;                                       // how long the oldest has waited
  ErasedJobs erased;                                              // what that is judged by

  TimeHistogram job_wait{"quell_job_wait_seconds", "From a job's creation to its first start here.",
                         "queue"};
  TimeHistogram job_run{"quell_job_run_seconds", "How long attempts ran here.", "queue"};
  TimeHistogram delete_step{"quell_delete_step_seconds",
                            "Deletes asked of this node: what each step took.", "step"};
};

}  // namespace quell
