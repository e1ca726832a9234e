// What a Node is asked: each call becomes messages to its actors, or a look at its boards.
#include <map>

#include "actors/delete_report.hpp"
#include "actors/node_runtime.hpp"
#include "actors/submission.hpp"

namespace quell {

namespace {
constexpr Millis busy_alarm{10'000};
// So long may another node be at a call that nothing holds at the moment.
constexpr Millis longest_call{600'000};
constexpr std::size_t graves_at_once = 1'000;
}  // namespace

void NodeRuntime::submit(std::vector<NewJob> jobs,
                         std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) {
  for (const NewJob& job : jobs) {
    if (auto fine = registry_.check(job.kind, job.args); !fine) return answer(fine.error());
    if (steering_.closed(job.queue)) return answer(Error{ErrorCode::queue_closed, job.queue});
  }
  if (stopping_) return answer(Error{ErrorCode::draining});
  if (submitting_ + jobs.size() > settings_.clerk_queue)
    return answer(Error{ErrorCode::overloaded});
  if (jobs.empty()) return answer(std::vector<storage::EnqueueResult>{});
  submitting_ += jobs.size();
  const auto settled = [this](std::size_t count) { submitting_ -= count; };
  for (WriteOps& slice :
       Submission::slices(std::move(jobs), system_clock().now(), settled, std::move(answer)))
    tell(cast_->clerk, std::move(slice));
}

void NodeRuntime::steer(storage::SteerOp op,
                        std::function<void(Result<storage::SteerResult>)> answer) {
  if (op.event == JobEvent::cancel && !op.expires) op.expires = op.now + settings_.keep_cancelled;
  auto ops = std::make_shared<storage::Batch>();
  ops->steers.push_back(std::move(op));
  tell_first(cast_->clerk, WriteOps{std::move(ops),
                                    [answer = std::move(answer)](Result<storage::Outcome> outcome) {
                                      if (!outcome) return answer(outcome.error());
                                      answer(std::move(outcome->steers.front()));
                                    }});
}

Result<storage::CallView> NodeRuntime::with_late_receipt(storage::CallView call,
                                                         storage::Reader& reader) {
  const Instant newest = cast_->shared_store ? system_clock().now() - longest_call : born_at_;
  if (!call.receipt.empty() || call.at >= newest) return call;
  const auto open = reader.tickets(call.delete_id, false, system_clock().now(), 1);
  if (!open) return open.error();
  if (!open->empty()) return call;
  std::vector<storage::Tombstone> graves;
  for (std::size_t more = graves_at_once; more == graves_at_once;) {
    const auto after = graves.empty() ? std::nullopt : std::optional(graves.back().job);
    const auto some = reader.tombstones(call.delete_id, after, static_cast<int>(graves_at_once));
    if (!some) return some.error();
    more = some->size();
    graves.insert(graves.end(), some->begin(), some->end());
  }
  if (graves.empty()) return call;
  const DeleteReport report = report_of(call, graves);
  DeleteRequest request;
  request.who = call.who;
  request.reason = call.reason;
  call.counts = counts_json(report.counts);
  call.receipt =
      cast_->sign(receipt_payload(report, request, cast_->durability, cast_->audit_head.read()));
  auto ops = std::make_shared<storage::Batch>();
  ops->calls.push_back({call.delete_id, call.counts, call.receipt});
  tell(cast_->clerk, WriteOps{std::move(ops), {}});
  return call;
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
    tell_first(cast_->clerk, SetQueue{view.name, view.pool, steering_.weight(view.name),
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
  tell_first(cast_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

void NodeRuntime::put_queue(const QueueView& view, std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(Steering::queue_doc(view));
  auto stored = remembered(ops->docs.front(), std::move(answer));
  tell_first(cast_->clerk,
             SetQueue{view.name, view.pool, steering_.weight(view.name), view.paused, view.limits});
  tell_first(cast_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

// What this node stored is no news to it when it looks again.
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
  put_doc(std::move(doc), std::move(answer), [foreman = cast_->foreman, name, capacity] {
    tell(foreman, SetPool{name, capacity});
  });
}

void NodeRuntime::order_node(const storage::NodeLife& node, bool stop,
                             std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(node_order(node, stop));
  // It may be this node, and hints are for others; before the commit there is nothing to be read.
  auto stored = [answer = std::move(answer),
                 registrar = cast_->registrar](const Result<storage::Outcome>& outcome) {
    if (outcome) tell(registrar, HintsHeard{{"docs"}});
    answer(outcome ? Result<void>() : Result<void>(outcome.error()));
  };
  tell_first(cast_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

std::vector<FleetNode> NodeRuntime::fleet() {
  if (store_->shared()) return fleet_board_.read();
  FleetNode only;
  only.view.owner = self_;
  only.view.info = node_info(settings_, pool_board_.read(), stopping_ ? "draining" : "up");
  return {only};
}

void NodeRuntime::set_secret(SecretSetting secret, std::function<void(Result<void>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(secrets_->sealed(secret));
  auto stored = [this, secret = std::move(secret),
                 answer = std::move(answer)](Result<storage::Outcome> outcome) {
    if (!outcome) return answer(outcome.error());
    secrets_->put(secret);
    answer({});
  };
  tell(cast_->clerk, WriteOps{std::move(ops), std::move(stored)});
}

void NodeRuntime::remove_secret(const std::string& project, const std::string& name,
                                std::function<void(Result<bool>)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(SecretShelf::removal(project, name));
  auto removed = [this, project, name,
                  answer = std::move(answer)](Result<storage::Outcome> outcome) {
    if (!outcome) return answer(outcome.error());
    secrets_->remove(project, name);
    answer(outcome->docs.front().written);
  };
  tell(cast_->clerk, WriteOps{std::move(ops), std::move(removed)});
}

std::vector<PoolView> NodeRuntime::pools() {
  std::vector<PoolView> views = pool_board_.read();
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
  const auto blocked = busy_board_.busy_since(world_->timers().now() - busy_alarm).size();
  const bool scheduler = blocked < static_cast<std::size_t>(threads_);
  bool store = false;
  {
    const std::lock_guard lock(counts_mutex_);
    store = counts_reader_->stats().ok();
  }
  health.checks.emplace_back("store", store ? "ok" : "the store does not answer");
  health.checks.emplace_back(
      "scheduler", scheduler ? "ok" : "every scheduler thread is held by a job for over 10 s");
  const bool lease = lease_.holds();
  health.checks.emplace_back("lease", lease ? "ok" : "the lease is over: nothing starts here");
  health.checks.emplace_back("draining", stopping_ ? "the node is shutting down" : "ok");
  health.ready = store && scheduler && lease && !stopping_;
  return health;
}

}  // namespace quell
