#include "storage/memory/tables.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/policy/tomb_story.hpp"
#include "storage/joint_verdict.hpp"

namespace quell::storage::memory {

namespace {

bool is_live(JobState state) {
  return kind_of(state) == StateKind::waiting || kind_of(state) == StateKind::active;
}

JobLife life_of(const Tables& tables, const JobRow& job, JobState was) {
  StoryFacts facts;
  facts.submitted_by = job.options.submitted_by;
  for (const auto& [n, attempt] : job.attempts) facts.attempts.push_back(attempt);
  facts.usage = job.usage;
  if (const auto own = tables.deliveries_of.find(job.id); own != tables.deliveries_of.end())
    for (const Uuid& id : own->second) {
      const DeliveryRow& one = tables.deliveries.at(id);
      if (one.place == Place::waiting) continue;  // it goes with the mark
      facts.deliveries += 1;
      facts.delivery_tries += one.tries;
    }
  return {job.project,
          job.queue,
          job.kind,
          job.ended_attempts + (was == JobState::running ? 1 : 0),
          job.lost,
          job.started,
          job.finished,
          job.ran_on,
          job.options.schedule,
          tomb_story(facts)};
}

}  // namespace

void Tables::index(const JobRow& job) {
  if (job.state == JobState::queued) claimable.emplace(job.queue, 9 - job.priority, job.id);
  if (job.state == JobState::scheduled) {
    QUELL_ASSERT(job.due.has_value());
    waiting_for_time.emplace(*job.due, job.id);
  }
  if (job.unique_key && is_live(job.state))
    unique_keys.emplace(std::pair(job.project, *job.unique_key), job.id);
}

void Tables::unindex(const JobRow& job) {
  claimable.erase({job.queue, 9 - job.priority, job.id});
  if (job.due) waiting_for_time.erase({*job.due, job.id});
}

JobRow& Tables::insert(JobRow row) {
  const auto [at, is_new] = jobs.emplace(row.id, std::move(row));
  QUELL_ASSERT(is_new);
  index(at->second);
  return at->second;
}

bool Tables::move(JobRow& job, JobEvent event, std::optional<Instant> due) {
  const std::optional<JobState> to = decide(job.state, event);
  if (!to) return false;
  unindex(job);
  const bool is_live_now = is_live(*to);
  if (is_live_now)
    job.ran_on.reset();
  else if (job.state == JobState::running)
    job.ran_on = job.owner.node;
  job.state = *to;
  job.due = *to == JobState::scheduled ? due : std::nullopt;
  if (*to != JobState::running) job.cancel_requested = false;
  // A key is free when nothing of the job can run any more: final, or erased, never at the mark.
  if (job.unique_key && (is_final(*to) || *to == JobState::gone)) {
    const auto key = unique_keys.find({job.project, *job.unique_key});
    if (key != unique_keys.end() && key->second == job.id) unique_keys.erase(key);
  }
  index(job);
  return true;
}

bool Tables::may_take_key(const JobRow& job) const {
  return !job.unique_key || !unique_keys.contains({job.project, *job.unique_key});
}

JobRow* Tables::find(JobId id) {
  const auto at = jobs.find(id);
  return at == jobs.end() ? nullptr : &at->second;
}

bool Tables::is_alive(const NodeLife& owner) const {
  const auto at = nodes.find(owner.node);
  if (at == nodes.end()) return true;
  return at->second.owner.life <= owner.life && !at->second.gone;
}

void Tables::erase(JobRow& job, const TicketRow& ticket, JobEvent event, Verdict verdict,
                   Instant now, const std::string& who) {
  // The law knows no erase from delete_failed; a verdict that comes after all is a retry that
  // works.
  if (event == JobEvent::erase && job.state == JobState::delete_failed)
    QUELL_ASSERT(move(job, JobEvent::retry_delete));
  if (ticket.copy_until)
    copies.insert_or_assign(
        job.id, CopyRow{job, ticket.delete_id, *ticket.copy_until, now, ticket.was, ticket.due});
  const JobLife life = life_of(*this, job, ticket.was);
  QUELL_ASSERT(move(job, event));
  TombRow tomb{ticket.delete_id, now, ticket.tomb_until, job.epoch, ticket.was, verdict, life};
  tombs.insert_or_assign(job.id, tomb);
  if (const auto own = deliveries_of.find(job.id); own != deliveries_of.end()) {
    for (const Uuid& id : own->second) deliveries.erase(id);
    deliveries_of.erase(own);
  }
  owe(ticket.delete_id, event == JobEvent::force ? Way::force : Way::erase, now, who,
      ErasedJob{job.id, ticket.was, verdict});
  outbox.erased({ticket.delete_id, job.id, ticket.was, verdict, job.project}, now);
  doubts.erase(job.id);
  jobs.erase(job.id);
}

void Tables::tell(const JobRow& job, std::string_view event, Instant at, std::string_view reason) {
  if (!outbox.anyone()) return;
  add_deliveries(*this, job.id,
                 outbox.of_job({job.id, to_string(job.state), job.project, {}, reason}, event,
                               !job.options.webhook.empty(), at));
}

void Tables::append_audit(AuditRow row) {
  row.no = static_cast<std::int64_t>(audit.size()) + 1;
  audit.push_back(std::move(row));
}

void Tables::owe(DeleteId call, Way way, Instant at, const std::string& who, const ErasedJob& job) {
  Erasure& owed = erasures[{call, way}];
  owed.at = std::max(owed.at, at);
  owed.who = who;
  owed.jobs.push_back(job);
}

void Tables::write_erasures() {
  for (const auto& [key, owed] : erasures) {
    AuditRow row;
    row.at = owed.at;
    row.who = owed.who;
    row.what = word_of(key.second);
    row.ref = key.first.text();
    row.detail = erase_detail(owed.jobs.size());
    row.digest = erase_digest(owed.jobs);
    append_audit(std::move(row));
  }
  erasures.clear();
}

std::vector<Holder> open_of(const TicketRow& ticket) {
  std::vector<Holder> open;
  for (const HolderRow& row : ticket.holders)
    if (!row.verdict) open.push_back(row.holder);
  return open;
}

Verdict Tables::joint_verdict(JobId job, const TicketRow& ticket) const {
  std::vector<std::pair<HolderKind, Verdict>> verdicts;
  if (const auto lost = doubts.find(job); lost != doubts.end())
    for (const Holder& owner : lost->second)
      verdicts.emplace_back(owner.what, Verdict::lease_expired);
  for (const HolderRow& row : ticket.holders)
    if (row.verdict) verdicts.emplace_back(row.holder.what, *row.verdict);
  return storage::joint_verdict(verdicts);
}

JobView view_of(const JobRow& job, bool with_payload) {
  const bool runs = job.state == JobState::running;
  JobView view;
  view.id = job.id;
  view.project = job.project;
  view.queue = job.queue;
  view.kind = job.kind;
  view.priority = job.priority;
  view.state = job.state;
  view.epoch = job.epoch;
  view.attempt = job.ended_attempts + (runs ? 1 : 0);
  view.lost = job.lost;
  view.due = job.due;
  view.started = job.started;
  view.finished = job.finished;
  view.expires = job.expires;
  view.result_expires = job.result_expires;
  view.progress = job.progress;
  view.phase = job.phase;
  view.error = job.error;
  view.usage = job.usage;
  view.options = job.options;
  view.unique_key = job.unique_key;
  view.cancel_requested = job.cancel_requested;
  if (with_payload) view.args = job.args;
  if (with_payload) view.result = job.result;
  if (runs) view.node = job.owner.node;
  view.ran_on = job.ran_on;
  if (is_leaving(job.state)) view.delete_id = job.delete_id;
  return view;
}

}  // namespace quell::storage::memory
