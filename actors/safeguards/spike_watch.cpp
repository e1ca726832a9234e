#include "actors/safeguards/spike_watch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/law/schedule_status.hpp"

namespace quell {

std::uint64_t jobs_of(const storage::CallView& row) {
  const auto counts = ordered_json_of_ours(row.counts);
  return counts.is_object() ? counts.value("distinct", std::uint64_t{1}) : 1;
}

namespace {

constexpr std::size_t said_max = 1'000;
constexpr int page_size = 1'000, pages_most = 20;  // of calls, when many of them were judged before

struct Calls {
  std::vector<storage::CallView> rows;  // oldest first
  std::vector<SpikeCall> calls;
  bool is_cut = false;
};

Result<Calls> newest(storage::Reader& reader, const SpikeRules& rules, const SpikeWatch::Own& own) {
  const auto wanted = static_cast<int>(spike_calls_needed(rules));
  Calls all;
  std::optional<DeleteId> after;
  for (int page = 0; page < pages_most && std::ssize(all.rows) < wanted; ++page) {
    const int limit = page == 0 ? wanted : std::max(wanted, page_size);
    const auto rows = reader.calls(after, limit);
    if (!rows) return rows.error();
    for (const storage::CallView& row : *rows)
      if (row.path != judged_task_path) all.rows.push_back(row);
    all.is_cut = std::ssize(*rows) == limit;
    if (!all.is_cut) break;
    after = rows->back().delete_id;
  }
  std::reverse(all.rows.begin(), all.rows.end());
  for (const storage::CallView& row : all.rows) {
    const bool is_own = row.delete_id == own.id;
    all.calls.push_back({row.at.time_since_epoch(), is_own ? own.jobs : jobs_of(row),
                         is_own ? own.live_before : 0});
  }
  return all;
}

}  // namespace

Result<std::uint64_t> live_jobs(storage::Reader& reader) {
  const auto counts = reader.counts("");
  if (!counts) return counts.error();
  std::int64_t live = 0;
  for (const storage::CountRow& row : *counts)
    if (!is_final(row.state) && !is_leaving(row.state)) live += row.n;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(live, 0));
}

Result<std::optional<SpikeAlert>> SpikeWatch::would_cross(storage::Reader& reader,
                                                          const SpikeRules& rules, const Own& own) {
  const auto all = newest(reader, rules, own);
  if (!all) return all.error();
  SpikeMonitor monitor(rules);
  Millis latest{0};
  for (const SpikeCall& call : all->calls) monitor.observe(latest = std::max(latest, call.at), 1);
  latest = std::max(latest, own.at.time_since_epoch());
  for (std::uint64_t i = 1; i < own.calls; ++i) monitor.observe(latest, 1);
  const SpikeVerdict verdict = monitor.observe(latest, own.jobs, own.live_before);
  if (!verdict.above) return std::optional<SpikeAlert>{};
  return std::optional(verdict.alert.value_or(
      SpikeAlert{SpikeCause::calls, rules.calls_per_minute + 1, rules.calls_per_minute}));
}

Result<std::vector<Alert>> SpikeWatch::crossed(storage::Reader& reader, const SpikeRules& rules,
                                               const Own& own) {
  const auto all = newest(reader, rules, own);
  if (!all) return all.error();
  std::vector<Alert> alerts;
  const std::lock_guard lock(mutex_);
  for (const auto& [at, spike] : spikes_of(rules, all->calls, all->is_cut)) {
    const storage::CallView& row = all->rows[at];
    if (own.at - row.at > Millis{60'000} || !said_.insert(row.delete_id).second) continue;
    Alert alert;
    alert.id = row.delete_id;
    alert.spike = spike;
    alert.at = row.at;
    alert.who = row.who;
    alert.path = row.path;
    alert.project = row.delete_id == own.id ? own.project : "";
    alerts.push_back(std::move(alert));
  }
  while (said_.size() > said_max) said_.erase(said_.begin());
  return alerts;
}

}  // namespace quell
