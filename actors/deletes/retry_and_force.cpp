// What a person asks of a delete that is pending: another try, or to be done without proof.
#include <utility>

#include "actors/deletes/delete_supervisor.hpp"

namespace quell {

void DeleteSupervisor::retry(RetryDelete retry) {
  const DeleteId id = retry.delete_id;
  ports_.read_tickets(id, context_->clock->now(), std::make_shared<RetryDelete>(std::move(retry)),
                      nullptr);
}

void DeleteSupervisor::force(ForceDelete force) {
  const DeleteId id = force.request.delete_id;
  ports_.read_tickets(id, context_->clock->now(), nullptr,
                      std::make_shared<ForceDelete>(std::move(force)));
}

void DeleteSupervisor::tickets_read(TicketsRead& read) {
  const auto& answer = read.retry ? read.retry->answer : read.force->answer;
  if (!read.tickets) return answer(read.tickets.error());
  DeleteRequest request;
  if (read.force) {
    const ForceRequest& force = read.force->request;
    request.who = force.who;
    request.reason = force.reason;
    request.dry_run = force.dry_run;
    request.frozen = force.frozen;
  }
  const CallNumber serial = ++last_;
  const DeleteId id = read.retry ? read.retry->delete_id : read.force->request.delete_id;
  auto call = std::make_shared<DeleteCall>(id, std::move(request), answer, context_->clock->now(),
                                           context_->settings->require_replicated);
  calls_.emplace(serial, call);
  for (const storage::TicketView& ticket : *read.tickets) {
    if (ticket.forced) continue;
    call->adopt(ticket);
    if (!call->request.dry_run) wait_for(ticket.job, serial);
  }
  if (call->settled()) return settle(serial, *call);
  if (read.retry) return try_again(serial, *call, *read.retry, *read.tickets);
  give_up(serial, read.force->request, *read.tickets);
}

void DeleteSupervisor::try_again(CallNumber serial, DeleteCall& call, const RetryDelete& retry,
                                 const std::vector<storage::TicketView>& tickets) {
  arm(serial, call, retry.wait);
  storage::Orders again;
  auto ops = std::make_shared<storage::Batch>();
  for (const storage::TicketView& ticket : tickets) {
    if (ticket.state == JobState::delete_failed)
      ops->tickets.push_back({.job = ticket.job,
                              .event = JobEvent::retry_delete,
                              .next_try = context_->clock->now(),
                              .count_try = false});
    for (const storage::Holder& holder : ticket.open)
      if (holder.owner == context_->self) again.holders.emplace_back(ticket.job, holder);
  }
  if (!ops->tickets.empty()) ports_.write_first(std::move(ops));
  // By the Clerk: what a reader has seen may be ahead of what its commits have told.
  if (!again.holders.empty()) ports_.pass_on(std::move(again));
}

void DeleteSupervisor::give_up(CallNumber serial, const ForceRequest& force,
                               const std::vector<storage::TicketView>& tickets) {
  auto ops = std::make_shared<storage::Batch>();
  for (const storage::TicketView& ticket : tickets)
    if (!ticket.forced)
      ops->forces.push_back({ticket.job, force.who, force.reason, context_->clock->now()});
  forced_[serial] = ops->forces;
  ports_.force(serial, std::move(ops));
}

void DeleteSupervisor::tickets_forced(TicketsForced& forced) {
  const auto ops = std::exchange(forced_[forced.call], {});
  forced_.erase(forced.call);
  const auto at = calls_.find(forced.call);
  if (at == calls_.end()) return;
  const CallPtr call = at->second;
  if (!forced.outcome) {
    if (!call->answered()) call->answer(forced.outcome.error());
    return;
  }
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (!forced.outcome->forces[i].erased) continue;
    storage::VerdictOp op{.job = ops[i].job,
                          .ref = ops[i].job,
                          .owner = {},
                          .epoch = 0,
                          .verdict = Verdict::not_confirmed,
                          .now = ops[i].now};
    const storage::ForceResult& forces = forced.outcome->forces[i];
    storage::VerdictResult result{storage::VerdictAnswer::erased, call->id, forces.was,
                                  Verdict::not_confirmed, forces.copy_until};
    verdict({op, result, std::nullopt, forced.outcome->durability});
  }
  if (!call->answered()) call->answer(call->report());
}

}  // namespace quell
