#include "tests/storage/conformance/random_batches.hpp"

#include <algorithm>

#include "runtime/policy/webhook_outbox.hpp"

namespace quell::storage {

std::string RandomBatches::text() {
  static const std::vector<std::string> texts{
      "",      "x",       "'",  "\"",   "\\",   "{\"a\",NULL}",
      "%_$1?", "a\nb\tc", "{}", "null", "NULL", "\xc3\xa4\xf0\x9f\x92\xa5",
      " "};
  std::string some = texts[static_cast<std::size_t>(below(static_cast<int>(texts.size())))];
  if (chance(5)) some += std::string(static_cast<std::size_t>(below(5'000)), 'y');
  return some;
}

std::vector<NewDelivery> RandomBatches::some_deliveries() {
  std::vector<NewDelivery> all;
  while (chance(30))
    all.push_back({ids_.next(), chance(30) ? "" : word("e", 3), word("job.", 3), text(), soon()});
  return all;
}

void RandomBatches::add_enqueue(Batch& batch) {
  NewJob job;
  job.id = chance(88) ? ids_.next() : some_job();
  job.kind = word("kind", 3);
  job.args = text();
  job.project = word("p", 2);
  job.queue = word("q", 3);
  job.priority = below(10);
  if (chance(30)) job.run_at = soon();
  if (chance(30)) job.unique_key = word("key", 6);
  if (chance(30)) job.options.tags = {word("tag", 3), text()};
  if (chance(20)) job.options.webhook = "http://example.org/" + text();
  if (chance(10)) job.options.schedule = chance(50) ? word("s", 2) : some_task().text();
  if (below(300) == 0) job.options.is_protected = true;
  EnqueueOp op{job, now()};
  if (chance(25)) op.birth = JobEvent::restore;
  if (chance(10)) op.birth = JobEvent::fire;
  op.deliveries = some_deliveries();
  if (chance(25)) {
    const Run run = any(runs_, Run{some_job(), 1, {}});
    op.sender = Sender{run.job, run.epoch + (chance(15) ? below(3) - 1 : 0)};
  }
  batch.enqueues.push_back(std::move(op));
}

void RandomBatches::add_mark(Batch& batch) {
  MarkOp op;
  op.delete_id = chance(95) ? ids_.next() : any(deletes_, ids_.next());
  op.who = word("who", 3);
  op.reason = text();
  op.path = word("path", 3);
  op.now = now();
  op.tomb_until = now() + Millis{below(200'000)};
  if (chance(40)) op.copy_until = soon();
  if (chance(10)) op.copy_until.set("q1", soon());
  if (chance(15)) op.project = word("p", 2);
  op.keep_receipt = chance(85);
  op.in_summary = chance(40);
  op.slices = 1 + below(3);
  op.slice = below(op.slices);
  for (int n = below(chance(15) ? 25 : 3); n >= 0; --n)
    if (const JobId id = some_job(); std::count(op.jobs.begin(), op.jobs.end(), id) == 0)
      op.jobs.push_back(id);
  batch.marks.push_back(std::move(op));
}

void RandomBatches::add_delete(Batch& batch) {
  const int dice = below(10);
  const auto [job, holder] = any(holders_, {some_job(), Holder{}});
  if (dice < 3) return add_mark(batch);
  if (dice < 7) {
    VerdictOp op{job,          holder.what,  holder.ref,
                 holder.owner, holder.epoch, static_cast<Verdict>(below(8)),
                 now()};
    if (chance(10)) op.owner = some_life();
    if (chance(10)) op.epoch += below(3) - 1;
    batch.verdicts.push_back(op);
  } else if (dice < 9) {
    static const std::optional<JobEvent> events[] = {
        {}, JobEvent::fail_delete, JobEvent::retry_delete, JobEvent::erase};
    TicketOp op;
    op.job = job;
    op.event = events[below(4)];
    op.error = text();
    if (chance(50)) op.next_try = soon();
    op.count_try = chance(70);
    batch.tickets.push_back(std::move(op));
  } else if (chance(40)) {
    batch.forces.push_back({job, word("who", 3), text(), now()});
  } else if (!deletes_.empty()) {
    batch.calls.push_back({any(deletes_, {}), text(), text()});
    if (chance(50)) batch.calls.back().over = now();
  }
}

void RandomBatches::add_finish(Batch& batch) {
  static const JobEvent ends[] = {JobEvent::succeed, JobEvent::succeed, JobEvent::retry,
                                  JobEvent::exhaust, JobEvent::stopped, JobEvent::hand_over,
                                  JobEvent::cancel};
  const Run run = any(runs_, Run{some_job(), 1, {}});
  FinishOp op;
  op.job = run.job;
  op.epoch = run.epoch + (chance(8) ? below(3) - 1 : 0);
  op.event = ends[below(7)];
  op.now = now();
  op.due = soon();
  op.result = text();
  op.error = text();
  op.usage = text();
  if (chance(60)) {
    op.attempt = AttemptRecord{1 + below(3), {}, now(), word("outcome", 3), text(), text()};
    if (chance(50)) op.attempt->started = soon();
  }
  if (chance(70)) op.expires = soon();
  if (chance(40)) op.result_expires = soon();
  op.deliveries = some_deliveries();
  batch.finishes.push_back(std::move(op));
}

void RandomBatches::add_flush(Batch& batch) {
  const Run run = any(runs_, Run{some_job(), 1, {}});
  FlushOp op;
  op.job = run.job;
  op.epoch = run.epoch + (chance(8) ? below(3) - 1 : 0);
  op.now = now();
  if (chance(50)) op.progress = below(100) / 99.0;
  if (chance(30)) op.phase = text();
  if (chance(30)) op.usage = text();
  while (chance(40)) op.partials.push_back(text() + std::string(1, '\0') + text());
  while (chance(40)) op.logs.push_back({soon(), word("level", 3), text()});
  while (chance(40)) op.steps.push_back({word("step", 4), text()});
  batch.flushes.push_back(std::move(op));
}

void RandomBatches::add_run(Batch& batch) {
  const int dice = below(10);
  if (dice < 3) batch.claims.push_back({word("q", 3), below(5), some_life(), now()});
  if (dice >= 3 && dice < 6) add_finish(batch);
  if (dice == 6 || dice == 7) add_flush(batch);
  if (dice == 8) batch.delivery_claims.push_back({some_life(), now(), below(4)});
  if (dice == 9) {
    const auto [id, owner] = any(flights_, {ids_.next(), some_life()});
    DeliveryEndOp op;
    op.id = id;
    op.owner = chance(90) ? owner : some_life();
    op.now = now();
    if (chance(50)) op.retry_at = soon();
    op.delivered = !op.retry_at && chance(70);
    op.log = text();
    batch.delivery_ends.push_back(std::move(op));
  }
}

void RandomBatches::add_steering(Batch& batch) {
  static const JobEvent events[] = {JobEvent::cancel, JobEvent::cancel, JobEvent::revive,
                                    JobEvent::run_now, JobEvent::mark};
  SteerOp op;
  op.job = chance(60) ? some_job() : any(runs_, Run{some_job(), 1, {}}).job;
  op.event = events[below(5)];
  op.who = word("who", 3);
  op.now = now();
  if (chance(15)) op.project = word("p", 2);
  if (chance(60)) op.expires = soon();
  batch.steers.push_back(std::move(op));
}

void RandomBatches::add_rows(Batch& batch) {
  const int dice = below(6);
  if (dice == 4) {
    static const JobState states[] = {JobState::succeeded, JobState::failed, JobState::cancelled,
                                      JobState::queued};
    batch.notices.push_back(
        {chance(50) ? some_job() : JobId{}, states[below(4)], some_deliveries()});
  } else if (dice == 5) {
    batch.redeliveries.push_back({any(flights_, {ids_.next(), some_life()}).first, now()});
  } else if (dice < 2) {
    DocOp op;
    op.kind = word("kind", 2);
    op.id = word("doc", 4);
    op.project = word("p", 2);
    if (chance(80)) op.body = text();
    if (chance(50)) op.if_version = below(4);
    if (chance(30)) op.until = soon();
    batch.docs.push_back(std::move(op));
  } else if (dice == 2) {
    batch.audits.push_back({now(), word("who", 3), word("what", 3), text(), text()});
  } else {
    SealOp op;
    op.after = chance(10) ? sealed_ - 1 : sealed_;
    for (std::int64_t n = 1 + below(3), i = 1; i <= n; ++i)
      op.hashes.emplace_back(sealed_ + i + (chance(10) ? 1 : 0), "hash" + std::to_string(i));
    batch.seals.push_back(std::move(op));
  }
}

void RandomBatches::add_recovery(Batch& batch) {
  const NodeLife life = some_life();
  RecoverOp op;
  op.node = life.node;
  op.below_life = life.life + below(2);
  op.verdict = chance(50) ? Verdict::process_died : Verdict::lease_expired;
  op.now = now();
  op.max_lost = 1 + below(3);
  op.failed_expires = soon();
  if (chance(50)) op.cancelled_expires = soon();
  if (chance(20)) op.if_beat = below(4);
  batch.recoveries.push_back(op);
}

void RandomBatches::add_fleet(Batch& batch) {
  const int dice = below(10);
  const NodeLife life = some_life();
  if ((dice < 2 && chance(15)) || lives_.size() < 3)
    batch.starts.push_back({chance(50) ? ids_.next() : life.node, text(), now()});
  if (dice >= 2 && dice < 6) {
    BeatOp op{life};
    op.info = chance(20) ? text() : "";
    op.goodbye = chance(5);
    batch.beats.push_back(std::move(op));
  }
  if (dice == 6 && chance(80)) add_recovery(batch);
  if (dice > 7) {
    RoleOp op{word("role", 2), life};
    const auto known = roles_.find(op.role);
    if (known != roles_.end() && chance(50))
      op.seen = std::pair(known->second.holder, known->second.beat - (chance(30) ? 1 : 0));
    batch.roles.push_back(std::move(op));
  }
}

void RandomBatches::add_archive(Batch& batch) {
  if (chance(30)) {
    ExpireOp op;
    op.what = chance(50) ? ExpireOp::What::copies : ExpireOp::What::results;
    op.now = now();
    op.who = word("who", 3);
    op.sweep = ids_.next();
    op.limit = 1 + below(5);
    batch.expiries.push_back(std::move(op));
    return;
  }
  RestoreOp op;
  op.job = some_job();
  op.who = word("who", 3);
  op.now = now();
  if (chance(20)) op.delete_id = any(deletes_, ids_.next());
  if (chance(15)) op.project = word("p", 2);
  op.rerun = chance(30);
  op.drop_key = chance(30);
  if (chance(20))
    op.refuses = [refused = word("kind", 3)](const std::string& kind, const std::string&) {
      return kind == refused;
    };
  if (chance(70)) op.cancelled_expires = soon();
  batch.restores.push_back(std::move(op));
}

Batch RandomBatches::next(int operations, std::int64_t jobs_now) {
  clock_.ms += Millis{below(1'500)};
  static const auto listeners = std::make_shared<const SubscriptionSet>(
      std::vector<WebhookSubscription>{{"e0", "p0", {}},
                                       {"e1", "p0", {"job.deleted", "job.failed"}},
                                       {"e2", "p1", {"jobs.deleted", "job.cancelled"}}},
      1);
  Batch batch;
  if (chance(70)) batch.listeners = listeners;
  batch.outbox_id = ids_.next();
  const bool is_crowded = jobs_now > 120;
  for (int i = 0; i < operations; ++i) {
    const int dice = below(100);
    if (dice < (is_crowded ? 3 : 22))
      add_enqueue(batch);
    else if (dice < 25)
      add_mark(batch);
    else if (dice < 74)
      add_run(batch);
    else if (dice < 80)
      add_steering(batch);
    else if (dice < 88)
      add_delete(batch);
    else if (dice < 90)
      add_archive(batch);
    else if (dice < 91)
      add_rows(batch);
    else if (dice < 93)
      add_schedule(batch);
    else if (dice < 97)
      add_fleet(batch);
    else
      batch.dues.push_back({now(), 1 + below(5)});
  }
  return batch;
}

// What has ended is mostly forgotten, and sometimes kept to be tried again.
void RandomBatches::unlearn(const Batch& batch, const Outcome& out) {
  for (std::size_t i = 0; i < out.finishes.size(); ++i)
    if (chance(80))
      std::erase_if(runs_, [&](const Run& run) { return run.job == batch.finishes[i].job; });
  for (std::size_t i = 0; i < out.delivery_ends.size(); ++i)
    if (chance(80))
      std::erase_if(flights_,
                    [&](const auto& one) { return one.first == batch.delivery_ends[i].id; });
  for (std::size_t i = 0; i < out.verdicts.size(); ++i)
    if (chance(80))
      std::erase_if(holders_,
                    [&](const auto& one) { return one.second.ref == batch.verdicts[i].ref; });
  for (std::size_t i = 0; i < out.beats.size(); ++i)
    if ((!out.beats[i].alive || batch.beats[i].goodbye) && chance(80))
      std::erase(lives_, batch.beats[i].owner);
}

void RandomBatches::learn_holders(const Batch& batch, const Outcome& out) {
  for (std::size_t i = 0; i < out.marks.size(); ++i) {
    deletes_.push_back(batch.marks[i].delete_id);
    for (const MarkedJob& one : out.marks[i]) {
      for (const Holder& holder : one.open) holders_.emplace_back(one.job, holder);
      if (one.answer != MarkAnswer::not_found && chance(60)) std::erase(jobs_, one.job);
    }
  }
}

void RandomBatches::learn(const Batch& batch, const Outcome& out) {
  unlearn(batch, out);
  learn_holders(batch, out);
  learn_schedules(batch, out);
  for (const EnqueueOp& op : batch.enqueues) jobs_.push_back(op.job.id);
  for (std::size_t i = 0; i < out.claims.size(); ++i)
    for (const ClaimedJob& one : out.claims[i])
      runs_.push_back({one.job, one.epoch, batch.claims[i].owner});
  for (std::size_t i = 0; i < out.delivery_claims.size(); ++i)
    for (const ClaimedDelivery& one : out.delivery_claims[i])
      flights_.emplace_back(one.id, batch.delivery_claims[i].owner);
  for (const NodeLife& life : out.starts) lives_.push_back(life);
  for (std::size_t i = 0; i < out.roles.size(); ++i) roles_[batch.roles[i].role] = out.roles[i];
  for (std::size_t i = 0; i < out.seals.size(); ++i)
    if (out.seals[i]) sealed_ = batch.seals[i].hashes.back().first;
  const auto keep_last = [](auto& all, std::size_t n) {
    if (all.size() > 2 * n) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(n));
  };
  keep_last(jobs_, 200);
  keep_last(runs_, 40);
  keep_last(holders_, 40);
  keep_last(flights_, 20);
  keep_last(deletes_, 100);
  keep_last(lives_, 12);
}

}  // namespace quell::storage
