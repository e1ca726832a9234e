// Webhook deliveries: waiting, in flight with one owner, or done and kept for their log.
#include <algorithm>

#include "runtime/base/assert.hpp"
#include "storage/memory/tables.hpp"

namespace quell::storage::memory {

void add_deliveries(Tables& tables, JobId job, const std::vector<NewDelivery>& deliveries) {
  for (const NewDelivery& delivery : deliveries) {
    DeliveryRow row;
    row.job = job;
    row.what = delivery;
    QUELL_ASSERT(tables.deliveries.emplace(delivery.id, std::move(row)).second);
    tables.deliveries_of[job].insert(delivery.id);
  }
}

std::vector<ClaimedDelivery> apply_one(Tables& tables, const DeliveryClaimOp& op) {
  std::vector<ClaimedDelivery> claimed;
  if (!tables.is_alive(op.owner)) return claimed;
  std::vector<std::pair<Instant, Uuid>> due;
  for (const auto& [id, row] : tables.deliveries)
    if (row.place == Place::waiting && row.what.due <= op.now) due.emplace_back(row.what.due, id);
  std::sort(due.begin(), due.end());
  for (const auto& [when, id] : due) {
    if (static_cast<int>(claimed.size()) >= op.limit) break;
    DeliveryRow& row = tables.deliveries.at(id);
    row.place = Place::in_flight;
    row.owner = op.owner;
    ClaimedDelivery answer;
    answer.id = id;
    answer.job = row.job;
    answer.endpoint = row.what.endpoint;
    answer.event = row.what.event;
    answer.body = row.what.body;
    answer.tries = row.tries;
    if (answer.endpoint.empty() && !row.job.is_nil())
      answer.url = tables.jobs.at(row.job).options.webhook;
    claimed.push_back(std::move(answer));
  }
  return claimed;
}

bool apply_one(Tables& tables, const DeliveryEndOp& op) {
  const auto at = tables.deliveries.find(op.id);
  if (at == tables.deliveries.end()) return false;
  DeliveryRow& row = at->second;
  if (row.place != Place::in_flight || !(row.owner == op.owner)) return false;
  // Marked meanwhile: the delivery is a holder now and answers by verdict.
  if (!row.job.is_nil() && is_leaving(tables.jobs.at(row.job).state)) return false;
  ++row.tries;
  row.log = op.log;
  row.place = op.retry_at ? Place::waiting : Place::done;
  if (op.retry_at) row.what.due = *op.retry_at;
  return true;
}

bool apply_one(Tables& tables, const NoticeOp& op) {
  if (!op.job.is_nil()) {
    const JobRow* job = tables.find(op.job);
    if (!job || job->state != op.state || !is_final(op.state)) return false;
  }
  for (const NewDelivery& delivery : op.deliveries)
    if (!tables.deliveries.contains(delivery.id)) add_deliveries(tables, op.job, {delivery});
  return true;
}

bool apply_one(Tables& tables, const RedeliverOp& op) {
  const auto at = tables.deliveries.find(op.id);
  if (at == tables.deliveries.end() || at->second.place != Place::done) return false;
  DeliveryRow& row = at->second;
  if (!row.job.is_nil() && is_leaving(tables.jobs.at(row.job).state)) return false;
  row.place = Place::waiting;
  row.what.due = op.now;
  row.tries = 0;
  return true;
}

void forget_notices(Tables& tables, Instant now) {
  const auto own = tables.deliveries_of.find(JobId{});
  if (own == tables.deliveries_of.end()) return;
  std::erase_if(own->second, [&](const Uuid& id) {
    if (id.time() + notice_keep >= now || tables.deliveries.at(id).place != Place::done)
      return false;
    tables.deliveries.erase(id);
    return true;
  });
}

}  // namespace quell::storage::memory
