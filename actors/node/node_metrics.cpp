#include "actors/node/node_metrics.hpp"

#include <algorithm>

#include "runtime/base/metrics_text.hpp"

namespace quell {

namespace {

void line(MetricsText& out, const char* name, const char* type, const char* help,
          std::uint64_t value) {
  out.metric(name, type, help).value(value);
}

}  // namespace

std::string fleet_metrics(const std::vector<FleetNode>& nodes, bool lease_holds,
                          bool history_lost) {
  MetricsText out;
  Millis oldest{0};
  for (const FleetNode& node : nodes) {
    if (node.view.gone) continue;
    oldest = std::max(oldest, node.beat_age);
  }
  line(out, "quell_worker_beat_age_milliseconds", "gauge", "The longest still beat among them.",
       static_cast<std::uint64_t>(oldest.count()));
  line(out, "quell_lease_holds", "gauge", "Whether this node may begin anything.",
       lease_holds ? 1 : 0);
  line(out, "quell_store_history_lost", "gauge",
       "Whether the store has lost what it had acknowledged, and nobody has said go on.",
       history_lost ? 1 : 0);
  return std::move(out).text();
}

namespace {

void add_schedules(MetricsText& out, const Metrics& f) {
  line(out, "quell_schedule_fires_total", "counter", "Jobs that schedules bore here.", f.fires);
  line(out, "quell_schedule_missed_total", "counter",
       "Due times that nobody was there for and that did not fire.", f.fires_missed);
  line(out, "quell_schedule_overlaps_total", "counter",
       "Due times that fired nothing because a job of the schedule was still there.",
       f.fires_overlapped);
  line(out, "quell_schedule_lag_milliseconds", "gauge",
       "How long behind its time the last fire here was.", f.fire_lag_ms);
  line(out, "quell_task_deletes_total", "counter", "Schedules deleted here, for good.",
       f.task_deletes);
  line(out, "quell_task_delete_retries_total", "counter",
       "Tries to delete a schedule that were not the last.", f.task_delete_tries);
  line(out, "quell_task_deletes_failed_total", "counter",
       "Deletes of schedules that were given up for now.", f.task_deletes_failed);
  line(out, "quell_task_reissued_total", "counter",
       "Stuck deletes of schedules that the reconciler issued again.", f.tasks_issued_again);
}

void add_backups(MetricsText& out, const Metrics& f) {
  line(out, "quell_backups_total", "counter", "Backups made here.", f.backups_made);
  line(out, "quell_backup_failures_total", "counter", "Backups that could not be made here.",
       f.backups_failed);
  line(out, "quell_backup_last_success_seconds", "gauge",
       "When the last backup made here was begun, as Unix time; 0 before the first.",
       f.backup_last_ms / 1'000);
  line(out, "quell_backup_bytes", "gauge", "Its size.", f.backup_bytes);
  line(out, "quell_backup_duration_milliseconds", "gauge", "How long it took.", f.backup_took_ms);
}

}  // namespace

std::string runtime_metrics(const Metrics& f, const std::vector<PoolView>& pools) {
  MetricsText out;
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
  line(out, "quell_deletion_alerts_total", "counter",
       "Alerts for spikes of deletions, raised here.", f.alerts);
  line(out, "quell_anomaly_alerts_total", "counter", "Alerts of the sentinel, raised here.",
       f.anomalies);
  line(out, "quell_store_snapshots_total", "counter",
       "Snapshots of the store that the sentinel made here.", f.snapshots);
  line(out, "quell_store_commits_total", "counter", "Transactions of the Clerk.", f.commits);
  line(out, "quell_store_commit_failures_total", "counter", "Transactions that failed.",
       f.commit_failures);
  line(out, "quell_store_operations_total", "counter", "Operations in them.", f.batch_operations);
  line(out, "quell_store_commit_microseconds_total", "counter", "Time spent in them.",
       f.commit_microseconds);
  line(out, "quell_store_commit_wait_milliseconds", "gauge",
       "How long the oldest commit on its way has waited.",
       static_cast<std::uint64_t>(f.commits_open.oldest().count()));
  line(out, "quell_store_held_snapshot_seconds", "gauge",
       "How long somebody's open transaction has kept the database from vacuuming.",
       f.held_snapshot_s);
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
  add_schedules(out, f);
  add_backups(out, f);
  line(out, "quell_runs", "gauge", "Runs that hold a slot.", f.runs);
  line(out, "quell_runs_stuck", "gauge", "Runs past their stop deadline.", f.runs_stuck);
  line(out, "quell_scheduler_threads_blocked", "gauge",
       "Threads held by one job for over a second.", f.blocked_threads);
  const std::pair<const char*, int PoolView::*> slots[] = {
      {"quell_pool_slots_capacity", &PoolView::capacity},
      {"quell_pool_slots_used", &PoolView::used},
      {"quell_pool_slots_free", &PoolView::free},
      {"quell_pool_slots_stuck", &PoolView::stuck}};
  for (const auto& [name, count] : slots) {
    out.metric(name, "gauge", "Slots of a pool.");
    for (const PoolView& pool : pools) out.value(pool.*count, {{"pool", pool.name}});
  }
  return std::move(out).text() + f.job_wait.text() + f.job_run.text() + f.delete_step.text();
}

}  // namespace quell
