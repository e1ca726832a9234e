#include "actors/writes/group_commit.hpp"

#include <algorithm>
#include <utility>

#include "actors/fleet/lease.hpp"
#include "actors/node/mutant.hpp"
#include "actors/writes/commit_trace.hpp"
#include "actors/writes/outbox.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/law/trace.hpp"

namespace quell {

using storage::Batch;
using storage::Outcome;

namespace {

// About 5 ms of work on SQLite: a mark never waits longer than this behind bulk work.
constexpr std::size_t bulk_weight_max = 1'000;
constexpr std::size_t steering_weight_max = 2'000;
constexpr Millis upkeep_period{1'000};
constexpr Millis limits_last{1'000}, retry_last{2'000};

bool came_of_limits(const Batch& ops, const Outcome& outcome) {
  for (std::size_t i = 0; i < ops.claims.size(); ++i)
    if (ops.claims[i].limits.any() && !outcome.claims[i].empty()) return true;
  return false;
}

void tell_askers(std::vector<Contribution>& parts, JoinedBatch& joined, Outcome& outcome) {
  auto answers = joined.cut(outcome);
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i].answer) parts[i].answer(std::move(answers[i]));
}

}  // namespace

GroupCommit::GroupCommit(ClerkParts parts, CommitPorts& ports)
    : context_(std::move(parts.context)),
      ports_(ports),
      reader_(std::move(parts.reader)),
      shared_store_(parts.shared_store),
      worth_a_worker_(parts.worth_a_worker),
      writers_(std::move(parts.writers)) {
  for (const QueueSpec& queue : parts.queues) dispatcher_.set_queue(queue);
  for (const std::string& queue : parts.ready) dispatcher_.may_have_work(queue);
}

void GroupCommit::begin() {
  learn_next_due();
  ports_.upkeep_in(upkeep_period);
}

// ---- gathering ----
void GroupCommit::contribute(std::shared_ptr<Batch> ops, WriteAnswer answer, bool steering,
                             bool is_retried_until_taken) {
  pending_.add({std::move(ops), std::move(answer), 0, is_retried_until_taken}, steering);
  context_->metrics->clerk_queue.store(pending_.weight(), std::memory_order_relaxed);
  flush_soon();
}

// A message to oneself is behind all that is in the mailbox now: what waits there joins this
// commit.
void GroupCommit::flush_soon() {
  if (std::exchange(flush_sent_, true)) return;
  ports_.flush_later();
}

void GroupCommit::write(WriteOps work) {
  const bool steering = work.ops->enqueues.empty() && work.ops->fires.empty();
  announce_births(*work.ops, *context_);
  // A receipt was given already, and nobody else could write it again.
  const bool is_retried_until_taken = !work.ops->calls.empty();
  contribute(std::move(work.ops), std::move(work.answer), steering, is_retried_until_taken);
}

void GroupCommit::tell_marked(SliceMarked marked) {
  for (const storage::MarkedJob& job : *marked.jobs)
    if (!job.open.empty()) trace(ProtocolStep::asker_told, job.job);
  ports_.tell_deleter(std::move(marked));
}

void GroupCommit::mark(MarkJobs work) {
  auto ops = work.beside.ops ? std::move(work.beside.ops) : std::make_shared<Batch>();
  QUELL_ASSERT(ops->marks.empty());
  const std::size_t count = work.mark.jobs.size();
  ops->marks.push_back(std::move(work.mark));
  contribute(
      std::move(ops),
      [this, call = work.call, first = work.first, count,
       beside = std::move(work.beside.answer)](Result<Outcome> outcome) {
        if (!outcome)
          ports_.tell_deleter(SliceMarked{call, first, count, outcome.error()});
        else
          tell_marked(SliceMarked{call, first, count, std::move(outcome->marks.front()),
                                  outcome->durability});
        if (beside) beside(std::move(outcome));
      },
      true, false);
}

void GroupCommit::runs_down(WriteEnds down) {
  for (const auto& [pool, count] : down.permits) dispatcher_.add_permits(pool, count);
  if (!down.permits.empty() && dispatcher_.wants_claim()) flush_soon();
  if (down.finishes.empty() && down.verdicts.empty()) return;
  auto ops = std::make_shared<Batch>();
  ops->finishes = std::move(down.finishes);
  for (auto& [verdict, run] : down.verdicts) {
    if (mutated(Mutant::verdict_lost)) continue;
    // The first word is the run's own. A later one only answers somebody who asked again: it is
    // `not_running` when the run is already off the books, and must not wipe what it had.
    run_downs_.try_emplace(verdict.job, std::move(run));
    ops->verdicts.push_back(verdict);
  }
  contribute(std::move(ops), {}, true, true);
}

void GroupCommit::deliveries_down(DeliveriesDown down) {
  auto ops = std::make_shared<Batch>();
  ops->verdicts = std::move(down.verdicts);
  contribute(std::move(ops), {}, true, true);
}

void GroupCommit::set_queue(const SetQueue& set) {
  between_commits([this, set] {
    dispatcher_.set_queue({.name = set.name,
                           .pool = set.pool,
                           .weight = static_cast<std::uint32_t>(set.weight),
                           .paused = set.paused,
                           .limits = set.limits});
    flush_soon();
  });
}

void GroupCommit::look_again(const std::string& queue) {
  if (queue.empty())
    dispatcher_.everything_may_have_work();
  else
    dispatcher_.may_have_work(queue);
  flush_soon();
}

void GroupCommit::look_at_limits() {
  limits_watched_ = false;
  dispatcher_.limits_may_have_room();
  flush_soon();
}

void GroupCommit::watch_limits(bool gave) {
  if (gave) limits_wait_ = limits_first;
  if (!dispatcher_.anyone_is_held() || std::exchange(limits_watched_, true)) return;
  ports_.look_at_limits_in(limits_wait_);
  limits_wait_ = std::min(limits_wait_ * 2, limits_last);
}

void GroupCommit::recall_permits(const RecallPermits& recall) {
  between_commits([this, recall] {
    const int back = dispatcher_.recall(recall.pool, recall.count);
    if (back > 0) ports_.tell_foreman(PermitsBack{recall.pool, back});
  });
}

void GroupCommit::pass_on(const storage::Orders& orders) {
  between_commits(
      [this, orders] { tell_orders(*context_, ports_, orders.holders, orders.cancel_requests); });
}

void GroupCommit::want_census() {
  take_census_ = true;
  between_commits([this] { take_census(); });
}

// ---- committing ----
// What must find every commit that was begun heard of. In the order of asking.
void GroupCommit::between_commits(std::function<void()> work) {
  if (mutated(Mutant::orders_at_once) || (!writers_.busy() && between_.empty())) return work();
  between_.push_back(std::move(work));
}

bool GroupCommit::goes_alone() const {
  return !between_.empty() || take_census_ || pending_.anything_alone();
}

void GroupCommit::commit() {
  flush_sent_ = false;
  const bool alone = !writers_.several() || goes_alone();
  if (writers_.all_busy() || (alone && writers_.busy())) return;  // whoever comes back goes on
  if (!writers_.busy())
    while (!between_.empty()) {
      const auto work = std::move(between_.front());
      between_.pop_front();
      work();
    }
  auto commit = next_commit(alone);
  Batch& ops = commit->joined.ops();
  if (commit->parts.empty() && ops.claims.empty()) return;
  ops.writer = context_->self.node;
  ops.tells_news = context_->tells_news();
  add_listeners(ops, *context_);
  if (!alone && (writers_.busy() || is_worth_a_worker(ops))) {
    auto given = writers_.give(std::move(commit));
    ports_.apply(given.writer, std::move(given.batch));
    context_->metrics->commits_open.begun(given.writer);
    return go_on();
  }
  const auto from = std::chrono::steady_clock::now();
  context_->metrics->commits_open.begun(0);
  Result<Outcome> outcome = writers_.own().apply(ops);
  context_->metrics->commits_open.over(0);
  applied(*commit, outcome, std::chrono::steady_clock::now() - from);
  if (outcome.ok()) go_on();
}

std::shared_ptr<Commit> GroupCommit::next_commit(bool alone) {
  if (!alone && claim_comes_first()) {
    auto claim = std::make_shared<Commit>(std::vector<Contribution>{});
    add_claims(claim->joined.ops(), alone);
    if (!claim->joined.ops().claims.empty()) return claim;
  }
  auto commit = std::make_shared<Commit>(alone ? pending_.take(steering_weight_max, bulk_weight_max)
                                               : pending_.take(alongside_max, alongside_max));
  add_claims(commit->joined.ops(), alone);
  return commit;
}

// A claim beside a birth seldom finds more than that; one that goes alone is for a full queue.
bool GroupCommit::is_worth_a_worker(const Batch& ops) const {
  std::size_t rows = ops.enqueues.size() + ops.finishes.size();
  if (rows == 0)
    for (const auto& claim : ops.claims) rows += static_cast<std::size_t>(claim.limit);
  return rows >= worth_a_worker_;
}

// A free slot should not wait for the ends of other runs to be written, as long as those do not
// pile up. Under limits it may have to: the ends make the room.
bool GroupCommit::claim_comes_first() const {
  return !pending_.bulk() && context_->lease->holds() && pending_.weight() >= worth_a_worker_ &&
         pending_.weight() <= 2 * alongside_max &&
         dispatcher_.could_claim(false) >= static_cast<int>(worth_a_worker_);
}

void GroupCommit::go_on() {
  if (!pending_.empty() || (dispatcher_.wants_claim() && context_->lease->holds())) flush_soon();
}

void GroupCommit::applied_alongside(BatchApplied& back) {
  const auto commit = writers_.take_back(back.writer);
  context_->metrics->commits_open.over(back.writer);
  applied(*commit, back.outcome, back.took);
  if (back.outcome.ok()) wake_again(commit->joined.ops());
  // After a failure the retry has its time; but somebody may have waited for this writer.
  if (back.outcome.ok() || !between_.empty()) flush_soon();
}

void GroupCommit::add_claims(Batch& ops, bool alone) {
  for (const auto& op : ops.enqueues)
    if (!op.job.run_at || *op.job.run_at <= op.now) dispatcher_.may_have_work(op.job.queue);
  for (const auto& op : ops.fires)
    for (const auto& one : op.jobs) dispatcher_.may_have_work(one.job.queue);
  // What ends in this batch makes room for what it claims.
  if (!ops.finishes.empty() || !ops.verdicts.empty() || !ops.recoveries.empty())
    dispatcher_.limits_may_have_room();
  // Marks of a large call may still wait: a slot that its first slice freed must not start a job
  // of its next one. Nor does a node claim whose lease is over.
  if (pending_.steering() || !context_->lease->holds()) return;
  ops.claims = dispatcher_.claims(
      context_->self, context_->clock->now(),
      alone ? Dispatcher::Wanted{}
            : Dispatcher::Wanted{static_cast<int>(alongside_max), writers_.first_is_free()});
}

void GroupCommit::applied(Commit& commit, Result<Outcome>& outcome,
                          std::chrono::steady_clock::duration took) {
  count_commit(commit.joined.ops(), outcome.ok(), took);
  if (outcome)
    committed(commit.parts, commit.joined, *outcome);
  else
    refused(commit.parts, commit.joined, outcome.error());
  context_->metrics->clerk_queue.store(pending_.weight(), std::memory_order_relaxed);
}

void GroupCommit::count_commit(const Batch& ops, bool ok,
                               std::chrono::steady_clock::duration took) {
  Metrics& metrics = *context_->metrics;
  metrics.commits += 1;
  metrics.batch_operations += weight_of(ops);
  metrics.commit_failures += ok ? 0 : 1;
  metrics.commit_microseconds += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

void GroupCommit::committed(std::vector<Contribution>& parts, JoinedBatch& joined,
                            Outcome& outcome) {
  retry_wait_ = retry_first;
  Batch& ops = joined.ops();
  Committed committed(*context_, ports_, dispatcher_, ops, outcome, run_downs_);
  const bool limits_gave = came_of_limits(ops, outcome);
  trace_commit(context_->self, ops, outcome);
  if (mutated(Mutant::askers_first)) tell_askers(parts, joined, outcome);
  committed.tell_foreman();  // and moves the claims out
  committed.tell_courier();
  watch_limits(limits_gave);
  committed.wake_queues();
  committed.wake_schedules();
  committed.tell_watchers();
  watch_due(committed.earliest_due());
  if (!ops.dues.empty()) after_due(ops, outcome);
  take_census();
  if (std::exchange(in_doubt_, false)) look_at_everything();
  auto verdicts = committed.verdicts();
  if (!mutated(Mutant::askers_first)) tell_askers(parts, joined, outcome);
  if (!verdicts.verdicts.empty()) ports_.tell_deleter(std::move(verdicts));
}

// A claim that was on its way beside these births and ends may have looked before they were there
// to see, and have ended the hint.
void GroupCommit::wake_again(const Batch& ops) {
  for (const auto& op : ops.enqueues)
    if (!op.job.run_at || *op.job.run_at <= op.now) dispatcher_.may_have_work(op.job.queue);
  if (!ops.finishes.empty()) dispatcher_.limits_may_have_room();
}

// Nothing is known of a failed commit: who can repeat the call is told so; what only we know of
// is kept and retried.
void GroupCommit::refused(std::vector<Contribution>& parts, JoinedBatch& joined,
                          const Error& error) {
  context_->doubt_history({});
  const bool was_in_doubt = std::exchange(in_doubt_, true);
  if (!shared_store_ && !was_in_doubt) ask_for_orders();
  for (const auto& claim : joined.ops().claims) dispatcher_.claim_failed(claim);
  if (!joined.ops().claims.empty()) take_census_ = true;
  bool kept = false;
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (parts[i].is_retried_until_taken) {
      pending_.put_back({joined.again(i), std::move(parts[i].answer), 0, true});
      kept = true;
    } else if (parts[i].answer) {
      parts[i].answer(error);
    }
  }
  if (!kept && !take_census_ && pending_.empty()) return;
  ports_.flush_in(retry_wait_);
  retry_wait_ = std::min(retry_wait_ * 2, retry_last);
}

// It may have left an order for this node that nobody was told of, and a node alone does not
// look: only a renewal answers with what is open here.
void GroupCommit::ask_for_orders() {
  auto ops = std::make_shared<Batch>();
  ops->beats.push_back({.owner = context_->self});
  pending_.add({std::move(ops), {}, 0, true}, true);
}

// What a commit of unknown outcome moved, nobody was told of: a job may be due or waiting.
void GroupCommit::look_at_everything() {
  dispatcher_.everything_may_have_work();
  learn_next_due();
}

// A claim whose commit is unknown may have given us jobs that nobody here knows of: the store's
// list decides.
void GroupCommit::take_census() {
  if (!take_census_ || writers_.busy()) return;
  auto running = reader_->running(context_->self);
  if (!running) return;
  take_census_ = false;
  ports_.tell_foreman(CensusTaken{std::move(running).value()});
}

// ---- time ----
void GroupCommit::watch_due(std::optional<Instant> earliest) {
  if (!earliest || (next_due_ && *next_due_ <= *earliest)) return;
  next_due_ = earliest;
  arm_due();
}

void GroupCommit::arm_due() {
  ports_.due_in(*next_due_ - context_->clock->now());
}

void GroupCommit::due() {
  next_due_.reset();
  auto ops = std::make_shared<Batch>();
  ops->dues.push_back({.now = context_->clock->now()});
  contribute(std::move(ops), {}, false, true);
}

void GroupCommit::after_due(const Batch& ops, const Outcome& outcome) {
  for (std::size_t i = 0; i < ops.dues.size(); ++i)
    if (outcome.dues[i].moved == ops.dues[i].limit) return due();
  learn_next_due();
}

void GroupCommit::learn_next_due() {
  auto next = reader_->next_due();
  if (!next || !*next) return;
  next_due_ = **next;
  arm_due();
}

void GroupCommit::upkeep() {
  between_commits([this] { keep_store_up(); });
  if (shared_store_) {
    dispatcher_.everything_may_have_work();
    learn_next_due();
    flush_soon();
  }
  ports_.upkeep_in(upkeep_period);
}

// A refusal shows in the next commit too, where someone can be told; here it only delays the
// upkeep.
void GroupCommit::keep_store_up() {
  if (writers_.own().upkeep(context_->clock->now())) return;
  context_->metrics->commit_failures += 1;
  context_->doubt_history({});
}

}  // namespace quell
