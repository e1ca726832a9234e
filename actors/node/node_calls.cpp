// What a Node is asked: each call becomes messages to its actors, or a look at its boards.
#include <map>

#include "actors/backups/backup_messages.hpp"
#include "actors/deletes/delete_report.hpp"
#include "actors/fleet/run_question.hpp"
#include "actors/fleet/shown_beside.hpp"
#include "actors/node/node_runtime.hpp"
#include "actors/node/submission.hpp"
#include "actors/writes/kept_until.hpp"
#include "storage/call_slices.hpp"

namespace quell {

namespace {
constexpr Millis busy_alarm{10'000}, commit_alarm{5'000};
// So long may another node be at a call that nothing holds at the moment.
constexpr Millis longest_call{600'000};
constexpr std::size_t tombstones_at_once = 1'000;
constexpr Millis longest_fence{1'000};
}  // namespace

void NodeRuntime::submit(std::vector<NewJob> jobs,
                         std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) {
  for (const NewJob& job : jobs) {
    if (auto fine = registry_.check(job.kind, job.args); !fine) return answer(fine.error());
    if (steering_.closed(job.queue)) return answer(Error{ErrorCode::queue_closed, job.queue});
  }
  if (stopping_) return answer(Error{ErrorCode::draining});
  if (submitting_ + jobs.size() > static_cast<std::size_t>(settings_.clerk_queue))
    return answer(Error{ErrorCode::overloaded});
  if (jobs.empty()) return answer(std::vector<storage::EnqueueResult>{});
  submitting_ += jobs.size();
  const auto settled = [this](std::size_t count) { submitting_ -= count; };
  for (WriteOps& slice :
       Submission::slices(std::move(jobs), static_cast<std::size_t>(settings_.clerk_batch),
                          system_clock().now(), settled, std::move(answer)))
    tell(context_->clerk, std::move(slice));
}

void NodeRuntime::steer(storage::SteerOp op,
                        std::function<void(Result<storage::SteerResult>)> answer) {
  if (op.event == JobEvent::cancel) op.expires = kept_until(settings_, JobState::cancelled, op.now);
  auto ops = std::make_shared<storage::Batch>();
  ops->steers.push_back(std::move(op));
  tell_first(
      context_->clerk,
      WriteOps{std::move(ops), [answer = std::move(answer)](Result<storage::Outcome> outcome) {
                 if (!outcome) return answer(outcome.error());
                 answer(std::move(outcome->steers.front()));
               }});
}

Result<storage::CallView> NodeRuntime::with_late_receipt(storage::CallView call,
                                                         storage::Reader& reader) {
  const Instant newest = context_->shared_store ? system_clock().now() - longest_call : born_at_;
  if (!call.receipt.empty() || !call.is_marked || call.at >= newest) return call;
  const auto open = reader.tickets(call.delete_id, false, system_clock().now(), 1);
  if (!open) return open.error();
  if (!open->empty()) return call;
  const auto joined = storage::open_joined(reader, call, system_clock().now());
  if (!joined) return joined.error();
  if (!joined->empty()) return call;
  std::vector<storage::Tombstone> tombstones;
  for (std::size_t more = tombstones_at_once; more == tombstones_at_once;) {
    const auto after = tombstones.empty() ? std::nullopt : std::optional(tombstones.back().job);
    const auto some =
        reader.tombstones(call.delete_id, after, static_cast<int>(tombstones_at_once));
    if (!some) return some.error();
    more = some->size();
    tombstones.insert(tombstones.end(), some->begin(), some->end());
  }
  if (tombstones.empty() && call.joined.empty()) return call;
  DeleteReport report = report_of(call, tombstones);
  report.durability = durability_of_read();
  if (!report.durability) return call;
  DeleteRequest request;
  request.who = call.who;
  request.reason = call.reason;
  call.counts = counts_json(report.counts);
  if (report.counts.deleted > 0)
    call.receipt = context_->sign(receipt_payload(report, request, context_->audit_head.read()));
  call.joined.clear();
  auto ops = std::make_shared<storage::Batch>();
  ops->calls.push_back({call.delete_id, call.counts, call.receipt});
  tell(context_->clerk, WriteOps{std::move(ops), {}});
  return call;
}

// A reader's thread waits here, so not for long: without an answer nothing is signed, and whoever
// asks again gets it.
std::optional<storage::Durability> NodeRuntime::durability_of_read() {
  const storage::Durability best = store_->at_best();
  if (best != storage::Durability::replicated) return best;
  auto ops = std::make_shared<storage::Batch>();
  ops->fences.emplace_back();
  auto told = std::make_shared<std::promise<std::optional<storage::Durability>>>();
  auto durability = told->get_future();
  tell(context_->clerk,
       WriteOps{std::move(ops), [told](const Result<storage::Outcome>& outcome) {
                  told->set_value(outcome ? std::optional(outcome->durability) : std::nullopt);
                }});
  if (durability.wait_for(longest_fence) != std::future_status::ready) return std::nullopt;
  const auto known = durability.get();
  const bool enough = known == storage::Durability::replicated || !settings_.require_replicated;
  return enough ? known : std::nullopt;
}

void NodeRuntime::make_backup(const std::string& who, std::function<void(Result<Uuid>)> answer) {
  if (stopping_) return answer(Error{ErrorCode::draining});
  tell(context_->backups, MakeBackup{who, std::move(answer)});
}

void NodeRuntime::set_queue(const std::string& name, std::optional<bool> paused,
                            std::optional<bool> closed, std::function<void(Result<void>)> answer) {
  put_queue(steering_.change(name, paused, closed), std::move(answer));
}

void NodeRuntime::limit_queue(const std::string& name, const QueueLimits& limits,
                              std::optional<std::int64_t> if_version,
                              std::function<void(Result<storage::DocResult>)> answer) {
  storage::DocOp doc = Steering::queue_doc(steering_.limited(name, limits));
  doc.if_version = if_version;
  put_doc(std::move(doc), std::move(answer), [this, name, limits] {
    const QueueView view = steering_.limit(name, limits);
    tell_first(context_->clerk, SetQueue{view.name, view.pool, steering_.weight(view.name),
                                         view.paused, view.limits});
  });
}

// What has a condition counts only when the store has taken it; else it counts at once.
void NodeRuntime::put_doc(storage::DocOp doc,
                          std::function<void(Result<storage::DocResult>)> answer,
                          std::function<void()> apply) {
  const bool at_once = !doc.if_version;
  if (at_once) apply();
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(doc);
  auto stored = [this, doc = std::move(doc), at_once, answer = std::move(answer),
                 apply = std::move(apply)](const Result<storage::Outcome>& outcome) {
    if (!outcome) return answer(outcome.error());
    const storage::DocResult result = outcome->docs.front();
    if (result.written && !at_once) apply();
    if (result.written) steering_.wrote(doc, result.version);
    answer(result);
  };
  tell_first(context_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

void NodeRuntime::put_queue(const QueueView& view, std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(Steering::queue_doc(view));
  auto stored = remembered(ops->docs.front(), std::move(answer));
  tell_first(context_->clerk,
             SetQueue{view.name, view.pool, steering_.weight(view.name), view.paused, view.limits});
  tell_first(context_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

// What this node stored is nothing new to it when it looks again.
std::function<void(Result<storage::Outcome>)> NodeRuntime::remembered(
    const storage::DocOp& doc, std::function<void(Result<void>)> answer) {
  return [this, doc, answer = std::move(answer)](const Result<storage::Outcome>& outcome) {
    if (!outcome) return answer(outcome.error());
    steering_.wrote(doc, outcome->docs.front().version);
    answer({});
  };
}

void NodeRuntime::set_pool(const std::string& name, int capacity,
                           std::optional<std::int64_t> if_version,
                           std::function<void(Result<storage::DocResult>)> answer) {
  storage::DocOp doc = Steering::pool_doc(name, capacity);
  doc.if_version = if_version;
  // Whoever looks at the pool behind this answer finds it as he set it.
  auto when_shown = [foreman = context_->foreman,
                     answer = std::move(answer)](const Result<storage::DocResult>& stored) {
    tell(foreman, WhenShown{[answer, stored] { answer(stored); }});
  };
  put_doc(std::move(doc), std::move(when_shown), [foreman = context_->foreman, name, capacity] {
    tell(foreman, SetPool{name, capacity});
  });
}

void NodeRuntime::order_node(const storage::NodeLife& node, bool stop,
                             std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(node_order(node, stop));
  // It may be this node, and hints are for others; before the commit there is nothing to be read.
  auto stored = [answer = std::move(answer),
                 registrar = context_->registrar](const Result<storage::Outcome>& outcome) {
    if (outcome) tell(registrar, HintsHeard{{"docs"}});
    answer(outcome ? Result<void>() : Result<void>(outcome.error()));
  };
  tell_first(context_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

void NodeRuntime::ask_runs(std::vector<JobId> jobs, std::function<void(Result<FleetRuns>)> answer) {
  if (stopping_) return answer(Error{ErrorCode::draining});
  RunQuestion::ask(context_, std::move(jobs), std::move(answer));
}

std::vector<FleetNode> NodeRuntime::fleet() {
  if (store_->shared()) return fleet_snapshot_.read();
  FleetNode only;
  only.view.owner = self_;
  only.view.info = node_info(settings_, pool_snapshot_.read(), stopping_ ? "draining" : "up");
  std::vector<FleetNode> all{only};
  all.insert(all.end(), shown_beside().begin(), shown_beside().end());
  return all;
}

void NodeRuntime::set_secret(SecretSetting secret, std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(secrets_->sealed(secret));
  auto stored = [this, secret = std::move(secret),
                 answer = std::move(answer)](const Result<storage::Outcome>& outcome) {
    if (!outcome) return answer(outcome.error());
    secrets_->put(secret);
    answer({});
  };
  tell(context_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

void NodeRuntime::remove_secret(const std::string& project, const std::string& name,
                                std::function<void(Result<bool>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(SecretRegistry::removal(project, name));
  auto removed = [this, project, name,
                  answer = std::move(answer)](Result<storage::Outcome> outcome) {
    if (!outcome) return answer(outcome.error());
    secrets_->remove(project, name);
    answer(outcome->docs.front().written);
  };
  tell(context_->clerk, WriteOps{std::move(ops), std::move(removed)});
}

std::vector<PoolView> NodeRuntime::pools() {
  std::vector<PoolView> views = pool_snapshot_.read();
  if (!settings_.take_work)  // as its beat tells the others
    for (PoolView& view : views) view.capacity = view.free = 0;
  const std::lock_guard lock(counts_mutex_);
  const auto counts = counts_reader_->counts("");
  if (!counts) return views;
  std::map<std::string, std::string> pool_of;
  for (const QueueView& queue : steering_.queues()) pool_of[queue.name] = queue.pool;
  for (const storage::CountRow& row : *counts) {
    if (row.state != JobState::queued) continue;
    const auto known = pool_of.find(row.queue);
    const std::string& pool = known == pool_of.end() ? std::string("default") : known->second;
    for (PoolView& view : views)
      if (view.name == pool) view.waiting += row.n;
  }
  return views;
}

Health NodeRuntime::health() {
  Health health;
  const auto blocked = busy_snapshot_.busy_since(effect_host_->timers().now() - busy_alarm).size();
  const bool scheduler = blocked < static_cast<std::size_t>(threads_);
  bool store = false;
  std::string snapshot = "ok";
  {
    const std::lock_guard lock(counts_mutex_);
    const auto stats = counts_reader_->stats();
    store = stats.ok();
    if (stats && !stats->warning.empty()) snapshot = stats->warning;
  }
  health.checks.emplace_back("store", store ? "ok" : "the store does not answer");
  const Millis waits = metrics_.commits_open.oldest();
  const bool commits = waits < commit_alarm;
  health.checks.emplace_back(
      "commits", commits ? "ok"
                         : "a commit has waited for " + std::to_string(waits.count() / 1000) +
                               " s: is a standby away that the database waits for?");
  health.checks.emplace_back("snapshot", snapshot);  // slow in time, but ready
  health.checks.emplace_back(
      "scheduler", scheduler ? "ok" : "every scheduler thread is held by a job for over 10 s");
  const bool lease = lease_.holds();
  health.checks.emplace_back("lease", lease ? "ok" : "the lease is over: nothing starts here");
  const auto fault = fatal_->first();
  health.checks.emplace_back("node", fault ? sentence_of(*fault) : "ok");
  const std::string lost = freeze_.lost();
  health.checks.emplace_back("history", lost.empty() ? "ok" : lost);
  health.checks.emplace_back(  // serves all the same
      "deletions", deletion_rules().frozen ? "frozen; GET /api/v1/system says by whom" : "ok");
  health.checks.emplace_back("draining", stopping_ ? "the node is shutting down" : "ok");
  health.ready = store && commits && scheduler && lease && lost.empty() && !fault && !stopping_;
  return health;
}

}  // namespace quell
