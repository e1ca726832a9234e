#include "actors/writes/outbox.hpp"

#include <algorithm>

#include "actors/webhooks/endpoint_registry.hpp"
#include "runtime/policy/webhook_outbox.hpp"

namespace quell {

namespace {

std::vector<storage::NewDelivery> messages_of(const SubscriptionSet& set, std::string_view event,
                                              Instant at, const JobMessage& job, bool own_url,
                                              const NodeContext& context) {
  std::vector<storage::NewDelivery> all;
  for (std::string& receiver : webhook_receivers(set, job.project, event, own_url)) {
    std::string body = job_message_body(event, at, job);
    all.push_back(
        {context.ids->next(), std::move(receiver), std::string(event), std::move(body), at});
  }
  return all;
}

JobState state_behind(JobEvent event) {
  return decide(JobState::running, event).value_or(JobState::running);
}

}  // namespace

void announce_births(storage::Batch& ops, const NodeContext& context) {
  if ((ops.enqueues.empty() && ops.fires.empty()) || !context.endpoints) return;
  const auto set = context.endpoints->subscriptions();
  const auto announce = [&](const NewJob& job, JobEvent birth, JobState state, Instant now,
                            std::vector<storage::NewDelivery>& deliveries) {
    const bool own_url = !job.options.webhook.empty();
    if ((!own_url && set->empty()) || !deliveries.empty()) return;
    const std::string_view told = told_by_webhook(birth);
    if (told.empty()) return;
    const JobMessage message{job.id, to_string(state), job.project};
    deliveries = messages_of(*set, told, now, message, own_url, context);
  };
  for (storage::EnqueueOp& op : ops.enqueues) {
    const bool later = op.job.run_at && *op.job.run_at > op.now;
    announce(op.job, op.birth, later ? JobState::scheduled : JobState::queued, op.now,
             op.deliveries);
  }
  for (storage::FireOp& op : ops.fires)
    for (storage::FireJob& one : op.jobs)
      announce(one.job, JobEvent::fire, JobState::queued, op.now, one.deliveries);
}

void announce_end(storage::FinishOp& op, int attempt, const std::string& project, bool own_url,
                  const NodeContext& context) {
  if (!context.endpoints) return;
  const auto set = context.endpoints->subscriptions();
  if (!own_url && set->empty()) return;
  const std::string_view told = told_by_webhook(op.event);
  if (told.empty()) return;
  const JobMessage message{op.job, to_string(state_behind(op.event)), project, attempt};
  op.deliveries = messages_of(*set, told, op.now, message, own_url, context);
}

void add_listeners(storage::Batch& ops, const NodeContext& context) {
  if (!context.endpoints) return;
  ops.listeners = context.endpoints->subscriptions();
  ops.outbox_id = context.ids->next();
}

bool brings_deliveries(const storage::Batch& ops, const storage::Outcome& outcome) {
  const auto any = [](const auto& all) {
    for (const auto& op : all)
      if (!op.deliveries.empty()) return true;
    return false;
  };
  return outcome.has_deliveries || !ops.redeliveries.empty() || any(ops.enqueues) ||
         any(ops.finishes) || any(ops.notices) ||
         std::any_of(ops.fires.begin(), ops.fires.end(),
                     [&any](const storage::FireOp& op) { return any(op.jobs); });
}

}  // namespace quell
