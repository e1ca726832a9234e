// Rows that belong to nobody, and indexes that say something else than the rows.
#include "storage/memory/memory_reader.hpp"

namespace quell::storage::memory {

namespace {

void check_deliveries(const Tables& tables, std::vector<std::string>& found) {
  std::size_t indexed = 0;
  for (const auto& [job, ids] : tables.deliveries_of) indexed += ids.size();
  if (indexed != tables.deliveries.size()) found.push_back("delivery index");
  for (const auto& [id, owners] : tables.doubts)
    if (owners.empty() || !tables.jobs.contains(id)) found.push_back("doubt " + id.text());
  for (const auto& [id, row] : tables.deliveries)
    if (!row.job.is_nil() && !tables.jobs.contains(row.job))
      found.push_back("delivery " + id.text());
}

void check_tickets(const Tables& tables, std::vector<std::string>& found) {
  for (const auto& [id, ticket] : tables.tickets) {
    const auto job = tables.jobs.find(id);
    const bool has_job = job != tables.jobs.end();
    if (ticket.forced == has_job) found.push_back("ticket " + id.text());
    if (has_job && job->second.state != ticket.state) found.push_back("ticket state " + id.text());
    if (open_of(ticket).empty()) found.push_back("ticket without holder " + id.text());
  }
  for (const auto& [id, job] : tables.jobs)
    if (is_leaving(job.state) != tables.tickets.contains(id))
      found.push_back("leaving without ticket " + id.text());
}

void check_indexes(const Tables& tables, std::vector<std::string>& found) {
  std::size_t queued = 0, scheduled = 0;
  for (const auto& [id, job] : tables.jobs) {
    if (job.state == JobState::queued) ++queued;
    if (job.state == JobState::scheduled) ++scheduled;
    if (job.state == JobState::queued &&
        !tables.claimable.contains({job.queue, 9 - job.priority, id}))
      found.push_back("queued, not claimable " + id.text());
  }
  if (queued != tables.claimable.size()) found.push_back("claimable without job");
  if (scheduled != tables.waiting_for_time.size()) found.push_back("scheduled without job");
  for (const auto& [key, id] : tables.unique_keys) {
    const auto job = tables.jobs.find(id);
    if (job == tables.jobs.end() || is_final(job->second.state))
      found.push_back("unique key " + key.second);
  }
}

}  // namespace

std::vector<std::string> orphans_of(const Tables& tables) {
  std::vector<std::string> found;
  check_deliveries(tables, found);
  check_tickets(tables, found);
  check_indexes(tables, found);
  return found;
}

}  // namespace quell::storage::memory
