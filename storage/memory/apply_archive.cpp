// Restore and expire, and what is read of copies and ends.
#include <algorithm>

#include "runtime/policy/restore_policy.hpp"
#include "runtime/policy/retention_policy.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

namespace {

constexpr Millis a_day{std::chrono::hours{24}}, a_week{std::chrono::hours{24 * 7}};

// The record of the copy as a job again.
JobRow risen(const CopyRow& copy, const RestoreOp& op, int tomb_epoch) {
  JobRow row = copy.job;
  row.state = restored_state(copy.was, copy.due, op.now, op.rerun);
  row.epoch = std::max(row.epoch, tomb_epoch) + 1;
  row.due = row.state == JobState::scheduled ? copy.due : std::nullopt;
  row.owner = {};
  row.ran_on.reset();
  row.cancel_requested = false;
  row.delete_id = {};
  if (!is_final(row.state)) {
    row.finished.reset();
    row.expires.reset();
    row.result_expires.reset();
  } else if (copy.was != JobState::running) {
    row.expires = restored_expiry(row.expires, copy.at, op.now);
    row.result_expires = restored_expiry(row.result_expires, copy.at, op.now);
  } else {
    row.finished = op.now;
    row.expires = op.cancelled_expires.of(row.queue);
    if (row.expires) row.expires = std::max(*row.expires, op.now + restored_life);
  }
  return row;
}

void count(ExpiryFigures& figures, Instant at, Instant now) {
  if (at <= now)
    ++figures.due;
  else if (at <= now + a_day)
    ++figures.day;
  else if (at <= now + a_week)
    ++figures.week;
  else
    ++figures.later;
}

// The soonest ones; true when there are more.
template <class T>
bool soonest(std::vector<std::pair<Instant, T>>& all, int limit) {
  std::sort(all.begin(), all.end());
  if (std::ssize(all) <= limit) return false;
  all.resize(static_cast<std::size_t>(limit));
  return true;
}

}  // namespace

RestoreResult apply_one(Tables& tables, const RestoreOp& op) {
  RestoreResult result;
  const auto at = tables.copies.find(op.job);
  if (at == tables.copies.end() || at->second.until <= op.now) return result;
  const CopyRow& copy = at->second;
  if (op.delete_id && *op.delete_id != copy.delete_id) return result;
  if (!op.project.empty() && op.project != copy.job.project) return result;
  result.was = copy.was;
  result.delete_id = copy.delete_id;
  result.queue = copy.job.queue;
  if (tables.find(op.job) || tables.tickets.contains(op.job)) {
    result.answer = RestoreAnswer::id_taken;
    return result;
  }
  const auto tomb = tables.tombs.find(op.job);
  JobRow row = risen(copy, op, tomb == tables.tombs.end() ? 0 : tomb->second.epoch);
  if (!is_final(row.state) && op.refuses && op.refuses(row.kind, row.args)) {
    result.answer = RestoreAnswer::refused;
    return result;
  }
  if (!is_final(row.state) && !tables.may_take_key(row)) {
    if (!op.drop_key) {
      result.answer = RestoreAnswer::unique_conflict;
      result.existing = tables.unique_keys.at({row.project, *row.unique_key});
      return result;
    }
    row.unique_key.reset();
  }
  if (tomb != tables.tombs.end()) tomb->second.restored = true;
  result.answer = RestoreAnswer::restored;
  result.state = row.state;
  result.epoch = row.epoch;
  result.due = row.due;
  tables.owe(copy.delete_id, Way::restore, op.now, op.who,
             {op.job, row.state, Verdict::not_running});
  tables.insert(std::move(row));
  tables.copies.erase(at);
  return result;
}

static bool stays(const JobRow& job, const ProtectionPtr& protection) {
  return job.options.is_protected ||
         !protection_of(protection, job.queue, job.options.tags).empty();
}

bool is_expired(const JobRow& job, Instant now, const ProtectionPtr& protection) {
  return is_final(job.state) && job.expires && *job.expires <= now && !stays(job, protection);
}

bool has_ended_result(const JobRow& job, Instant now, const ProtectionPtr& protection) {
  return is_final(job.state) && job.result_expires && *job.result_expires <= now &&
         !job.result.empty() && !stays(job, protection);
}

ExpireResult apply_one(Tables& tables, const ExpireOp& op) {
  std::vector<std::pair<Instant, JobId>> ends;
  if (op.what == ExpireOp::What::copies) {
    for (const auto& [id, copy] : tables.copies)
      if (copy.until <= op.now) ends.emplace_back(copy.until, id);
  } else {
    for (const auto& [id, job] : tables.jobs)
      if (has_ended_result(job, op.now, op.protection)) ends.emplace_back(*job.result_expires, id);
  }
  soonest(ends, op.limit);
  for (const auto& [when, id] : ends) {
    if (op.what == ExpireOp::What::copies) {
      const CopyRow& copy = tables.copies.at(id);
      tables.owe(copy.delete_id, Way::copy_end, op.now, op.who,
                 {id, copy.was, Verdict::not_running});
      tables.copies.erase(id);
    } else {
      JobRow& job = tables.jobs.at(id);
      job.result.clear();
      job.partials.clear();
      job.steps.clear();
      tables.owe(op.sweep, Way::result_end, op.now, op.who, {id, job.state, Verdict::not_running});
    }
  }
  return {static_cast<int>(ends.size()), std::ssize(ends) == op.limit};
}

CopyHead head_of(const JobId& id, const CopyRow& row) {
  CopyHead head{id,           row.delete_id, row.job.project, row.job.queue,
                row.job.kind, row.was,       row.at,          row.until};
  head.bytes = static_cast<std::int64_t>(sizeof(JobRow) + row.job.args.size());
  return head;
}

CopyView view_of(const JobId& id, const CopyRow& row) {
  CopyView view{.head = head_of(id, row), .job = view_of(row.job, true)};
  view.job.state = row.was;
  view.job.due = row.due;
  view.job.attempt = row.job.ended_attempts + (row.was == JobState::running ? 1 : 0);
  view.job.delete_id.reset();
  view.job.ran_on.reset();  // the attempts name their nodes
  for (const auto& [n, attempt] : row.job.attempts) view.attempts.push_back(attempt);
  view.steps = row.job.steps;
  view.partials = row.job.partials;
  view.logs = row.job.logs;
  return view;
}

ExpiryReport expiries_of(const Tables& tables, Instant now, int limit,
                         const ProtectionPtr& protection) {
  ExpiryReport report;
  std::vector<std::pair<Instant, JobId>> records, results, copies;
  for (const auto& [id, job] : tables.jobs) {
    if (is_expired(job, Instant::max(), protection)) records.emplace_back(*job.expires, id);
    if (has_ended_result(job, Instant::max(), protection))
      results.emplace_back(*job.result_expires, id);
  }
  for (const auto& [id, copy] : tables.copies) copies.emplace_back(copy.until, id);
  for (auto* ends : {&records, &results, &copies})
    report.is_partial = soonest(*ends, limit) || report.is_partial;
  std::map<std::pair<std::string, JobState>, ExpiryFigures> rows;
  for (const auto& [at, id] : records) {
    const JobRow& job = tables.jobs.at(id);
    count(rows[{job.queue, job.state}], at, now);
  }
  for (const auto& [key, figures] : rows)
    report.records.push_back({key.first, key.second, figures});
  for (const auto& [at, id] : results) count(report.results, at, now);
  for (const auto& [at, id] : copies) count(report.copies, at, now);
  return report;
}

std::vector<Remnant> remnants_of(const Tables& tables, const std::vector<JobId>& jobs) {
  std::vector<Remnant> found;
  const auto look = [&](const char* table, const char* column, JobId id, std::size_t rows) {
    if (rows > 0) found.push_back({id, table, column, static_cast<std::int64_t>(rows)});
  };
  for (const JobId& id : jobs) {
    look("archive", "id", id, tables.copies.count(id));
    const auto own = tables.deliveries_of.find(id);
    look("delivery", "job", id, own == tables.deliveries_of.end() ? 0 : own->second.size());
    look("doubt", "job", id, tables.doubts.count(id));
    look("job", "id", id, tables.jobs.count(id));
    look("ticket", "job", id, tables.tickets.count(id));
    look("tomb", "id", id, tables.tombs.count(id));
  }
  std::sort(found.begin(), found.end(), [](const Remnant& a, const Remnant& b) {
    return std::tie(a.table, a.column, a.job) < std::tie(b.table, b.column, b.job);
  });
  return found;
}

}  // namespace quell::storage::memory
