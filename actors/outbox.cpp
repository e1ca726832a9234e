#include "actors/outbox.hpp"

#include "actors/endpoint_shelf.hpp"
#include "runtime/webhook_outbox.hpp"

namespace quell {

namespace {

std::vector<storage::NewDelivery> news_of(const SubscriptionSet& set, std::string_view event,
                                          Instant at, const JobNews& job, bool own_url,
                                          const Cast& cast) {
  std::vector<storage::NewDelivery> all;
  for (std::string& receiver : webhook_receivers(set, job.project, event, own_url)) {
    std::string body = job_news_body(event, at, job);
    all.push_back({cast.ids->next(), std::move(receiver), std::string(event), std::move(body), at});
  }
  return all;
}

JobState state_behind(JobEvent event) {
  return decide(JobState::running, event).value_or(JobState::running);
}

}  // namespace

void announce_births(storage::Batch& ops, const Cast& cast) {
  if (ops.enqueues.empty() || !cast.endpoints) return;
  const auto set = cast.endpoints->subscriptions();
  for (storage::EnqueueOp& op : ops.enqueues) {
    const bool own_url = !op.job.options.webhook.empty();
    if ((!own_url && set->empty()) || !op.deliveries.empty()) continue;
    if (op.birth != JobEvent::submit && op.birth != JobEvent::fire) continue;
    const bool later = op.job.run_at && *op.job.run_at > op.now;
    const JobNews news{op.job.id, to_string(later ? JobState::scheduled : JobState::queued),
                       op.job.project};
    op.deliveries = news_of(*set, "job.created", op.now, news, own_url, cast);
  }
}

void announce_end(storage::FinishOp& op, int attempt, const std::string& project, bool own_url,
                  const Cast& cast) {
  if (!cast.endpoints) return;
  const auto set = cast.endpoints->subscriptions();
  if (!own_url && set->empty()) return;
  const auto event = webhook_event_of(op.event);
  if (!event) return;
  const JobNews news{op.job, to_string(state_behind(op.event)), project, attempt};
  op.deliveries = news_of(*set, *event, op.now, news, own_url, cast);
}

void add_listeners(storage::Batch& ops, const Cast& cast) {
  if (!cast.endpoints) return;
  ops.listeners = cast.endpoints->subscriptions();
  ops.news_id = cast.ids->next();
}

bool brings_deliveries(const storage::Batch& ops, const storage::Outcome& outcome) {
  const auto any = [](const auto& all) {
    for (const auto& op : all)
      if (!op.deliveries.empty()) return true;
    return false;
  };
  return outcome.told || !ops.redeliveries.empty() || any(ops.enqueues) || any(ops.finishes) ||
         any(ops.notices);
}

}  // namespace quell
