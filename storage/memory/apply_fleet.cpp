// Nodes, beats, recoveries, roles.
#include <algorithm>

#include "runtime/base/assert.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

NodeLife apply_one(Tables& tables, const StartNodeOp& op) {
  const auto known = tables.births.find(op.node);
  const bool is_ours =
      op.birth.empty() || !tables.nodes.contains(op.node) ||
      (known != tables.births.end() &&
       std::find(op.earlier.begin(), op.earlier.end(), known->second) != op.earlier.end());
  if (!is_ours) return {op.node, 0};
  if (!op.birth.empty()) tables.births[op.node] = op.birth;
  NodeView& row = tables.nodes[op.node];
  row.owner = {op.node, row.owner.life + 1};
  row.beat = 0;
  row.gone = false;
  row.info = op.info;
  return row.owner;
}

BeatResult apply_one(Tables& tables, const BeatOp& op) {
  BeatResult result;
  if (op.goodbye) tables.end_doubts([&](const NodeLife& owner) { return owner == op.owner; });
  const auto at = tables.nodes.find(op.owner.node);
  if (at == tables.nodes.end() || !(at->second.owner == op.owner) || at->second.gone) return result;
  result.alive = true;
  NodeView& row = at->second;
  ++row.beat;
  row.gone = op.goodbye;
  if (!op.info.empty()) row.info = op.info;
  Orders orders = orders_of(tables, op.owner);
  result.orders = std::move(orders.holders);
  result.cancel_requests = std::move(orders.cancel_requests);
  for (const auto& [id, job] : tables.jobs)
    result.running += job.state == JobState::running && job.owner == op.owner ? 1 : 0;
  return result;
}

Orders orders_of(const Tables& tables, const NodeLife& owner) {
  Orders orders;
  for (const auto& [id, ticket] : tables.tickets)
    for (const Holder& holder : open_of(ticket))
      if (holder.owner == owner) orders.holders.emplace_back(id, holder);
  for (const auto& [id, job] : tables.jobs)
    if (job.state == JobState::running && job.owner == owner && job.cancel_requested)
      orders.cancel_requests.emplace_back(id, job.epoch);
  return orders;
}

namespace {

void take_back(Tables& tables, JobRow& job, const RecoverOp& op, RecoverResult& result,
               std::set<std::string>& queues) {
  if (job.cancel_requested) {
    QUELL_ASSERT(tables.move(job, JobEvent::stopped));
    ++result.cancelled;
  } else if (++job.lost >= op.max_lost) {
    QUELL_ASSERT(tables.move(job, JobEvent::give_up));
    job.error = R"({"code":"lost_too_often"})";
    ++result.failed;
  } else {
    QUELL_ASSERT(tables.move(job, JobEvent::lose));
    ++result.requeued;
    queues.insert(job.queue);
    return;
  }
  job.finished = op.now;
  const bool cancelled = job.state == JobState::cancelled;
  job.expires = (cancelled ? op.cancelled_expires : op.failed_expires).of(job.queue);
  result.ended.emplace_back(job.id, job.state);
  if (job.state == JobState::cancelled)
    tables.tell(job, told_by_webhook(JobEvent::stopped), op.now);
  else
    tables.tell(job, told_by_webhook(JobEvent::give_up), op.now, lost_too_often);
}

void close_holders(Tables& tables, const RecoverOp& op, RecoverResult& result) {
  // The last verdict removes the ticket, so what is dead is collected before anything changes.
  std::vector<std::pair<JobId, Holder>> dead;
  for (const auto& [id, ticket] : tables.tickets)
    for (const Holder& holder : open_of(ticket))
      if (holder.owner.node == op.node && holder.owner.life < op.below_life)
        dead.emplace_back(id, holder);
  for (const auto& [id, holder] : dead) {
    const VerdictResult closed = apply_one(
        tables,
        VerdictOp{id, holder.what, holder.ref, holder.owner, holder.epoch, op.verdict, op.now});
    if (closed.answer == VerdictAnswer::erased) result.erased.emplace_back(id, closed);
  }
}

}  // namespace

RecoverResult apply_one(Tables& tables, const RecoverOp& op) {
  const auto is_dead = [&](const NodeLife& owner) {
    return owner.node == op.node && owner.life < op.below_life;
  };
  RecoverResult result;
  const auto node = tables.nodes.find(op.node);
  if (op.if_beat) {
    const NodeLife watched{op.node, op.below_life - 1};
    result.done = node != tables.nodes.end() && node->second.owner == watched &&
                  node->second.beat == *op.if_beat;
    if (!result.done) return result;
  }
  const bool is_proven = proof_of(op.verdict) == Proof::proven;
  std::set<std::string> queues;
  for (auto& [id, job] : tables.jobs) {
    if (job.state != JobState::running || !is_dead(job.owner)) continue;
    if (!is_proven) tables.doubts[id].push_back(Holder{HolderKind::run, id, job.owner, job.epoch});
    take_back(tables, job, op, result, queues);
  }
  for (auto& [id, row] : tables.deliveries) {
    if (row.place != Place::in_flight || !is_dead(row.owner)) continue;
    if (!row.job.is_nil() && is_leaving(tables.jobs.at(row.job).state)) continue;
    if (!is_proven && !row.job.is_nil())
      tables.doubts[row.job].push_back(Holder{HolderKind::delivery, id, row.owner, 0});
    row.place = Place::waiting;
    row.what.due = op.now;
    ++result.deliveries;
  }
  if (is_proven) tables.end_doubts(is_dead);
  close_holders(tables, op, result);
  result.queues.assign(queues.begin(), queues.end());
  if (node != tables.nodes.end() && is_dead(node->second.owner)) node->second.gone = true;
  return result;
}

RoleResult apply_one(Tables& tables, const RoleOp& op) {
  const auto at = tables.roles.find(op.role);
  if (at == tables.roles.end())
    return tables.roles.emplace(op.role, RoleResult{op.owner, 1}).first->second;
  RoleResult& role = at->second;
  const bool stands_still =
      op.seen && op.seen->first == role.holder && op.seen->second == role.beat;
  if (role.holder == op.owner || stands_still) role = {op.owner, role.beat + 1};
  return role;
}

}  // namespace quell::storage::memory
