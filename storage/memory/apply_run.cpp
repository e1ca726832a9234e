// Steer, flush, finish, due, enqueue, claim: a job's life while nobody deletes it.
#include <algorithm>

#include "runtime/base/assert.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

namespace {

// A run may write only while it is the run: same epoch, and neither marked nor taken back.
JobRow* fenced(Tables& tables, JobId id, int epoch) {
  JobRow* job = tables.find(id);
  return job && job->state == JobState::running && job->epoch == epoch ? job : nullptr;
}

bool ends_a_run(JobEvent event) {
  return kind_of(event) == EventKind::ends || kind_of(event) == EventKind::comes_back;
}

void end(JobRow& job, Instant now, std::optional<Instant> expires) {
  if (!is_final(job.state)) return;
  job.finished = now;
  job.expires = expires;
}

void steer(Tables& tables, JobRow& job, const SteerOp& op, SteerResult& result) {
  result.answer = SteerAnswer::refused;
  if (op.event == JobEvent::cancel && job.state == JobState::running) {
    // Only a requested cancel: the state changes when the run is down.
    job.cancel_requested = true;
    result.answer = SteerAnswer::requested;
    result.runner = Holder{HolderKind::run, job.id, job.owner, job.epoch};
    return;
  }
  if (op.event != JobEvent::cancel && op.event != JobEvent::revive && op.event != JobEvent::run_now)
    return;
  if (op.event == JobEvent::revive && is_final(job.state) && !tables.may_take_key(job)) return;
  if (!tables.move(job, op.event)) return;
  result.answer = SteerAnswer::moved;
  if (op.event == JobEvent::revive) {
    job.finished.reset();
    job.expires.reset();
    job.result_expires.reset();
    job.lost = 0;
  }
  end(job, op.now, op.expires.of(job.queue));
  if (op.event == JobEvent::cancel) tables.tell(job, told_by_webhook(op.event), op.now);
}

bool is_at(const Tables& tables, const DocAt& wanted) {
  const auto at = tables.docs.find({wanted.kind, wanted.id});
  return (at == tables.docs.end() ? 0 : at->second.doc.version) == wanted.version;
}

}  // namespace

SteerResult apply_one(Tables& tables, const SteerOp& op) {
  SteerResult result;
  if (op.only_at && !is_at(tables, *op.only_at)) {
    result.answer = SteerAnswer::refused;
    return result;
  }
  JobRow* job = tables.find(op.job);
  if (!job) {
    const auto tomb = tables.tombs.find(op.job);
    if (tomb == tables.tombs.end()) return result;
    result.answer = SteerAnswer::gone;
    result.delete_id = tomb->second.delete_id;
    return result;
  }
  if (!op.project.empty() && op.project != job->project) return result;
  result.queue = job->queue;
  if (is_leaving(job->state)) {
    result.answer = SteerAnswer::leaving;
    result.delete_id = job->delete_id;
  } else {
    steer(tables, *job, op, result);
  }
  result.state = job->state;
  return result;
}

bool apply_one(Tables& tables, const FlushOp& op) {
  JobRow* job = fenced(tables, op.job, op.epoch);
  if (!job) return false;
  if (op.progress) job->progress = op.progress;
  if (op.phase) job->phase = *op.phase;
  if (op.usage) job->usage = *op.usage;
  job->partials.insert(job->partials.end(), op.partials.begin(), op.partials.end());
  job->logs.insert(job->logs.end(), op.logs.begin(), op.logs.end());
  for (const StepResult& step : op.steps) {
    const auto same = std::find_if(job->steps.begin(), job->steps.end(),
                                   [&](const StepResult& s) { return s.name == step.name; });
    if (same == job->steps.end())
      job->steps.push_back(step);
    else
      same->result = step.result;
  }
  return true;
}

FinishResult apply_one(Tables& tables, const FinishOp& op) {
  FinishResult result;
  JobRow* job = fenced(tables, op.job, op.epoch);
  if (!job || !ends_a_run(op.event)) return result;
  const bool hands_over = op.event == JobEvent::hand_over;
  // Whoever wished for a cancel must not see the job start again.
  const bool comes_back = hands_over || op.event == JobEvent::retry;
  const JobEvent event = comes_back && job->cancel_requested ? JobEvent::stopped : op.event;
  QUELL_ASSERT(event != JobEvent::retry || op.due);
  QUELL_ASSERT(tables.move(*job, event, op.due));
  result.written = true;
  result.state = job->state;
  if (!hands_over) {
    ++job->ended_attempts;
    job->result = op.result;
    job->error = op.error;
    job->result_expires.reset();
    if (is_final(job->state) && !op.result.empty()) job->result_expires = op.result_expires;
  }
  if (!op.usage.empty()) job->usage = op.usage;
  if (op.attempt) job->attempts.insert_or_assign(op.attempt->n, *op.attempt);
  end(*job, op.now, op.expires);
  if (event != op.event)
    tables.tell(*job, told_by_webhook(event), op.now);
  else
    add_deliveries(tables, job->id, op.deliveries);
  return result;
}

DueResult apply_one(Tables& tables, const DueOp& op) {
  DueResult result;
  std::set<std::string> queues;
  while (result.moved < op.limit && !tables.waiting_for_time.empty()) {
    const auto [due, id] = *tables.waiting_for_time.begin();
    if (due > op.now) break;
    JobRow& job = tables.jobs.at(id);
    QUELL_ASSERT(tables.move(job, JobEvent::due));
    queues.insert(job.queue);
    ++result.moved;
  }
  result.queues.assign(queues.begin(), queues.end());
  return result;
}

EnqueueResult apply_one(Tables& tables, const EnqueueOp& op) {
  const NewJob& wanted = op.job;
  EnqueueResult result;
  if (op.sender && !fenced(tables, op.sender->job, op.sender->epoch)) {
    result.answer = EnqueueAnswer::sender_ended;
    return result;
  }
  const auto tomb = tables.tombs.find(wanted.id);
  const bool is_restore = op.birth == JobEvent::restore;
  // A forced job's run may still be alive: until its ticket closes the id is not free, not even for
  // a restore.
  if (tables.find(wanted.id) || tables.tickets.contains(wanted.id) ||
      (tomb != tables.tombs.end() && !is_restore)) {
    result.answer = EnqueueAnswer::id_taken;
    return result;
  }
  JobRow row;
  row.project = wanted.project;
  row.unique_key = wanted.unique_key;
  if (!tables.may_take_key(row)) {
    const JobRow& other = tables.jobs.at(tables.unique_keys.at({row.project, *row.unique_key}));
    result.answer = EnqueueAnswer::unique_conflict;
    result.existing = other.id;
    result.existing_state = other.state;
    return result;
  }
  const bool later = wanted.run_at && *wanted.run_at > op.now && op.birth != JobEvent::fire;
  row.id = wanted.id;
  row.queue = wanted.queue;
  row.kind = wanted.kind;
  row.args = wanted.args;
  row.priority = wanted.priority;
  row.options = wanted.options;
  row.state = later ? JobState::scheduled : JobState::queued;
  if (later) row.due = wanted.run_at;
  if (is_restore) row.epoch = (tomb == tables.tombs.end() ? 0 : tomb->second.epoch) + 1;
  if (tomb != tables.tombs.end()) tomb->second.restored = true;
  const auto born = births();
  QUELL_ASSERT(std::any_of(born.begin(), born.end(), [&](const Birth& birth) {
    return birth.event == op.birth && birth.state == row.state;
  }));
  result.state = tables.insert(std::move(row)).state;
  add_deliveries(tables, wanted.id, op.deliveries);
  return result;
}

std::vector<ClaimedJob> apply_one(Tables& tables, const ClaimOp& op) {
  std::vector<ClaimedJob> claimed;
  if (op.limit <= 0 || !tables.is_alive(op.owner)) return claimed;
  if (op.limits.any()) return claim_with_limits(tables, op);
  while (static_cast<int>(claimed.size()) < op.limit) {
    const auto next = tables.claimable.lower_bound({op.queue, 0, JobId{}});
    if (next == tables.claimable.end() || std::get<0>(*next) != op.queue) break;
    claimed.push_back(start(tables, tables.jobs.at(std::get<2>(*next)), op));
  }
  return claimed;
}

ClaimedJob start(Tables& tables, JobRow& job, const ClaimOp& op) {
  QUELL_ASSERT(tables.move(job, JobEvent::claim));
  ++job.epoch;
  job.owner = op.owner;
  job.started = op.now;
  return {job.id,
          job.epoch,
          job.ended_attempts + 1,
          job.lost,
          job.kind,
          job.args,
          to_json(job.options),
          job.project,
          !job.steps.empty()};
}

}  // namespace quell::storage::memory
