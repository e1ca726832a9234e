#include "actors/node_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace quell {

namespace {

void line(std::string& out, const char* name, const char* type, const char* help,
          std::uint64_t value) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help,
                 type, value);
}

}  // namespace

std::string fleet_metrics(const std::vector<FleetNode>& nodes, bool lease_holds) {
  std::string out;
  Millis oldest{0};
  for (const FleetNode& node : nodes) {
    if (node.view.gone) continue;
    oldest = std::max(oldest, node.beat_age);
  }
  line(out, "quell_worker_beat_age_milliseconds", "gauge", "The longest still beat among them.",
       static_cast<std::uint64_t>(oldest.count()));
  line(out, "quell_lease_holds", "gauge", "Whether this node may begin anything.",
       lease_holds ? 1 : 0);
  return out;
}

std::string runtime_metrics(const Figures& f, const std::vector<PoolView>& pools) {
  std::string out;
  line(out, "quell_jobs_submitted_total", "counter", "Jobs stored.", f.submitted);
  line(out, "quell_jobs_started_total", "counter", "Attempts started here.", f.started);
  line(out, "quell_jobs_succeeded_total", "counter", "Jobs that succeeded here.", f.succeeded);
  line(out, "quell_jobs_failed_total", "counter", "Jobs that failed for good here.", f.failed);
  line(out, "quell_jobs_retried_total", "counter", "Attempts that will be repeated.", f.retried);
  line(out, "quell_jobs_cancelled_total", "counter", "Jobs cancelled while running here.",
       f.cancelled);
  line(out, "quell_deletes_total", "counter", "Jobs deleted through this node.", f.deleted);
  line(out, "quell_deletes_unproven_total", "counter",
       "Of these, without proof that the run is down.", f.delete_unproven);
  line(out, "quell_store_commits_total", "counter", "Transactions of the Clerk.", f.commits);
  line(out, "quell_store_commit_failures_total", "counter", "Transactions that failed.",
       f.commit_failures);
  line(out, "quell_store_operations_total", "counter", "Operations in them.", f.batch_operations);
  line(out, "quell_store_commit_microseconds_total", "counter", "Time spent in them.",
       f.commit_microseconds);
  line(out, "quell_clerk_queue", "gauge", "Operations waiting for a commit.", f.clerk_queue);
  line(out, "quell_effects_open", "gauge", "Outside acts of jobs in flight.", f.effects_open);
  line(out, "quell_effects_started_total", "counter", "Outside acts started.", f.effects_started);
  line(out, "quell_effects_aborted_total", "counter", "Outside acts aborted.", f.effects_aborted);
  line(out, "quell_effects_late_total", "counter", "Answers that nobody waited for.",
       f.late_answers);
  line(out, "quell_effects_after_delete_total", "counter",
       "Outside acts asked for behind a proven delete: refused, and a fault of ours. Must be 0.",
       f.effects_after_delete);
  line(out, "quell_webhook_deliveries_total", "counter", "Webhooks that their receiver took.",
       f.deliveries_done);
  line(out, "quell_webhook_failures_total", "counter", "Tries to deliver that failed.",
       f.deliveries_failed);
  line(out, "quell_webhook_given_up_total", "counter", "Webhooks that are not tried again.",
       f.deliveries_given_up);
  line(out, "quell_webhook_aborted_total", "counter",
       "Webhooks in flight that a delete of their job cut off.", f.deliveries_aborted);
  line(out, "quell_runs", "gauge", "Runs that hold a slot.", f.runs);
  line(out, "quell_runs_stuck", "gauge", "Runs past their stop deadline.", f.runs_stuck);
  line(out, "quell_scheduler_threads_blocked", "gauge",
       "Threads held by one job for over a second.", f.blocked_threads);
  for (const char* what : {"capacity", "used", "free", "stuck"}) {
    fmt::format_to(
        std::back_inserter(out),
        "# HELP quell_pool_slots_{0} Slots of a pool.\n# TYPE quell_pool_slots_{0} gauge\n", what);
    for (const PoolView& pool : pools) {
      const std::string_view name = what;
      const int value = name == "capacity" ? pool.capacity
                        : name == "used"   ? pool.used
                        : name == "free"   ? pool.free
                                           : pool.stuck;
      fmt::format_to(std::back_inserter(out), "quell_pool_slots_{}{{pool=\"{}\"}} {}\n", what,
                     pool.name, value);
    }
  }
  return out + f.job_wait.text() + f.job_run.text() + f.delete_step.text();
}

}  // namespace quell
