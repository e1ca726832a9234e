// Nodes, beats, burials, roles.
#include <algorithm>

#include "runtime/assert.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

NodeLife apply_one(Tables& tables, const StartNodeOp& op) {
  NodeView& row = tables.nodes[op.node];
  row.owner = {op.node, row.owner.life + 1};
  row.beat = 0;
  row.gone = false;
  row.info = op.info;
  return row.owner;
}

BeatResult apply_one(Tables& tables, const BeatOp& op) {
  BeatResult result;
  const auto at = tables.nodes.find(op.owner.node);
  if (at == tables.nodes.end() || !(at->second.owner == op.owner) || at->second.gone) return result;
  result.alive = true;
  NodeView& row = at->second;
  ++row.beat;
  row.gone = op.goodbye;
  if (!op.info.empty()) row.info = op.info;
  for (const auto& [id, ticket] : tables.tickets)
    for (const Holder& holder : open_of(ticket))
      if (holder.owner == op.owner) result.orders.emplace_back(id, holder);
  for (const auto& [id, job] : tables.jobs) {
    if (job.state != JobState::running || !(job.owner == op.owner)) continue;
    ++result.running;
    if (job.cancel_wished) result.wishes.emplace_back(id, job.epoch);
  }
  return result;
}

namespace {

void take_back(Tables& tables, JobRow& job, const BuryOp& op, BuryResult& result,
               std::set<std::string>& queues) {
  if (job.cancel_wished) {
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
  job.expires = op.failed_expires;
}

void close_holders(Tables& tables, const BuryOp& op, BuryResult& result) {
  // The last verdict removes the ticket, so what is dead is collected before anything changes.
  std::vector<std::pair<JobId, Holder>> dead;
  for (const auto& [id, ticket] : tables.tickets)
    for (const Holder& holder : open_of(ticket))
      if (holder.owner.node == op.node && holder.owner.life < op.below_life)
        dead.emplace_back(id, holder);
  for (const auto& [id, holder] : dead) {
    const VerdictResult closed =
        apply_one(tables, VerdictOp{id, holder.what, holder.ref, holder.owner, op.verdict, op.now});
    if (closed.answer == VerdictAnswer::erased) result.erased.emplace_back(id, closed);
  }
}

}  // namespace

BuryResult apply_one(Tables& tables, const BuryOp& op) {
  const auto is_dead = [&](const NodeLife& owner) {
    return owner.node == op.node && owner.life < op.below_life;
  };
  BuryResult result;
  std::set<std::string> queues;
  for (auto& [id, job] : tables.jobs)
    if (job.state == JobState::running && is_dead(job.owner))
      take_back(tables, job, op, result, queues);
  for (auto& [id, row] : tables.deliveries) {
    if (row.place != Place::in_flight || !is_dead(row.owner)) continue;
    if (is_leaving(tables.jobs.at(row.job).state)) continue;
    row.place = Place::waiting;
    row.what.due = op.now;
    ++result.deliveries;
  }
  close_holders(tables, op, result);
  result.queues.assign(queues.begin(), queues.end());
  const auto node = tables.nodes.find(op.node);
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
