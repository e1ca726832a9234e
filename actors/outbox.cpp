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

storage::NoticeOp cancelled_notice(const JobView& job, const Cast& cast) {
  const bool own_url = !job.options.webhook.empty();
  const JobNews news{job.id, to_string(JobState::cancelled), job.project};
  return {job.id, JobState::cancelled,
          news_of(*cast.endpoints->subscriptions(), "job.cancelled", cast.clock->now(), news,
                  own_url, cast)};
}

std::vector<storage::NewDelivery> deletion_deliveries(const DeleteReport& report,
                                                      const DeleteRequest& request,
                                                      const Cast& cast) {
  std::vector<storage::NewDelivery> all;
  if (!cast.endpoints) return all;
  const auto set = cast.endpoints->subscriptions();
  if (set->empty()) return all;
  std::vector<DeletedJob> jobs;
  for (const JobOutcome& one : report.outcomes)
    if (one.fate == JobFate::deleted && one.was && one.verdict && !one.project.empty())
      jobs.push_back(
          {one.job, one.delete_id.value_or(report.delete_id), one.project, *one.was, *one.verdict});
  const DeleteCallNews call{report.delete_id, report.at, request.who, request.reason};
  for (Notice& notice : deletion_notices(*set, call, jobs))
    all.push_back({notice.id, std::move(notice.endpoint), std::move(notice.event),
                   std::move(notice.body), cast.clock->now()});
  return all;
}

bool brings_deliveries(const storage::Batch& ops) {
  const auto any = [](const auto& all) {
    for (const auto& op : all)
      if (!op.deliveries.empty()) return true;
    return false;
  };
  return !ops.redeliveries.empty() || any(ops.enqueues) || any(ops.finishes) || any(ops.notices);
}

}  // namespace quell
