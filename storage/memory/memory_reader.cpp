#include "storage/memory/memory_reader.hpp"
#include "storage/call_slices.hpp"
#include "storage/memory/matching.hpp"
#include "storage/trace_refs.hpp"

#include <algorithm>
#include <utility>

namespace quell::storage::memory {

namespace {

template <class T>
std::vector<std::pair<std::int64_t, T>> numbered(const std::vector<T>& rows, std::int64_t after,
                                                 int limit) {
  std::vector<std::pair<std::int64_t, T>> page;
  for (std::size_t i = 0; i < rows.size() && static_cast<int>(page.size()) < limit; ++i)
    if (const auto no = static_cast<std::int64_t>(i) + 1; no > after)
      page.emplace_back(no, rows[i]);
  return page;
}

class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Result<std::vector<Found>> get(const std::vector<JobId>& jobs, bool with_payload) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<Found> all;
    for (const JobId& id : jobs) {
      Found found;
      if (const JobRow* job = find(id))
        found.job = view_of(*job, with_payload);
      else
        found.tomb = tomb_of(id);
      all.push_back(std::move(found));
    }
    return all;
  }

  Result<JobPage> list(const ListQuery& query) override {
    const std::scoped_lock lock(shared_->mutex);
    JobPage page;
    const auto& jobs = tables().jobs;
    auto at = query.after ? jobs.lower_bound(*query.after) : jobs.end();
    while (at != jobs.begin()) {
      --at;
      if (!matches(at->second, query.filter)) continue;
      if (static_cast<int>(page.jobs.size()) == query.limit) {
        if (!page.jobs.empty()) page.next = page.jobs.back().id;
        break;
      }
      page.jobs.push_back(view_of(at->second, query.with_payload));
    }
    return page;
  }

  Result<MatchPage> match(const ListQuery& query) override {
    const auto page = list(query);
    if (!page) return page.error();
    MatchPage found;
    for (const JobView& job : page->jobs)
      found.jobs.push_back({job.id, job.state, job.queue, job.kind});
    found.next = page->next;
    return found;
  }

  Result<std::vector<CountRow>> counts(const std::string& project) override {
    const std::scoped_lock lock(shared_->mutex);
    std::map<std::pair<std::string, JobState>, std::int64_t> sums;
    for (const auto& [id, job] : tables().jobs)
      if (project.empty() || project == job.project) ++sums[{job.queue, job.state}];
    std::vector<CountRow> rows;
    for (const auto& [key, n] : sums) rows.push_back({key.first, key.second, n});
    return rows;
  }

  Result<std::vector<AttemptRecord>> attempts(JobId id) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<AttemptRecord> rows;
    if (const JobRow* job = find(id))
      for (const auto& [n, attempt] : job->attempts) rows.push_back(attempt);
    return rows;
  }

  Result<std::vector<std::pair<std::int64_t, LogLine>>> logs(JobId id, std::int64_t after,
                                                             int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    const JobRow* job = find(id);
    return job ? numbered(job->logs, after, limit) : numbered(std::vector<LogLine>(), after, limit);
  }

  Result<std::vector<std::pair<std::int64_t, std::string>>> partials(JobId id, std::int64_t after,
                                                                     int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    const JobRow* job = find(id);
    return job ? numbered(job->partials, after, limit)
               : numbered(std::vector<std::string>(), after, limit);
  }

  Result<std::vector<StepResult>> steps(JobId id) override {
    const std::scoped_lock lock(shared_->mutex);
    const JobRow* job = find(id);
    return job ? job->steps : std::vector<StepResult>();
  }

  Result<std::vector<DeliveryView>> deliveries(JobId job) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<DeliveryView> views;
    const auto own = tables().deliveries_of.find(job);
    if (own == tables().deliveries_of.end()) return views;
    for (const Uuid& id : own->second) views.push_back(delivery_of(id, tables().deliveries.at(id)));
    return views;
  }

  Result<std::vector<DeliveryView>> deliveries_of(const std::string& endpoint,
                                                  std::optional<Uuid> before, int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<DeliveryView> views;
    const auto& all = tables().deliveries;
    for (auto at = before ? all.lower_bound(*before) : all.end(); at != all.begin();) {
      --at;
      if (static_cast<int>(views.size()) >= limit) break;
      if (at->second.what.endpoint == endpoint) views.push_back(delivery_of(at->first, at->second));
    }
    return views;
  }

  Result<std::optional<DeliveryView>> delivery(Uuid id) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto at = tables().deliveries.find(id);
    return at == tables().deliveries.end() ? std::nullopt
                                           : std::optional(delivery_of(id, at->second));
  }

  Result<std::vector<Uuid>> flying(const NodeLife& owner) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<Uuid> ids;
    for (const auto& [id, row] : tables().deliveries)
      if (row.place == Place::in_flight && row.owner == owner && !is_leaving_job(row.job))
        ids.push_back(id);
    return ids;
  }

  Result<std::vector<TicketView>> tickets(std::optional<DeleteId> only, bool due_only, Instant now,
                                          int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<TicketView> views;
    for (const auto& [id, row] : tables().tickets) {
      if (only && row.delete_id != *only) continue;
      const bool due = row.next_try ? *row.next_try <= now : row.state == JobState::pending_delete;
      if (due_only && !due) continue;
      views.push_back(ticket_view(id, row));
    }
    std::stable_sort(views.begin(), views.end(),
                     [](const TicketView& a, const TicketView& b) { return a.at < b.at; });
    if (static_cast<int>(views.size()) > limit) views.resize(static_cast<std::size_t>(limit));
    return views;
  }

  Result<std::optional<CallView>> call(DeleteId id) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto at = tables().calls.find(id);
    if (at == tables().calls.end()) return std::optional<CallView>();
    std::optional<CallView> view(at->second.view);
    read_note(*view);
    return view;
  }

  Result<std::vector<CallView>> calls(std::optional<DeleteId> after, int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<CallView> views;
    const auto& calls = tables().calls;
    auto at = after ? calls.lower_bound(*after) : calls.end();
    while (at != calls.begin() && static_cast<int>(views.size()) < limit)
      read_note(views.emplace_back((--at)->second.view));
    return views;
  }

  Result<std::vector<Tombstone>> tombstones(DeleteId id, std::optional<JobId> after,
                                            int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<Tombstone> page;
    for (const auto& [job, tomb] : tables().tombs) {
      if (tomb.delete_id != id || (after && job <= *after)) continue;
      if (static_cast<int>(page.size()) >= limit) break;
      page.push_back(*tomb_of(job));
    }
    return page;
  }

  Result<TraceRows> trace_rows(Uuid id, const std::string& schedule, int audit_limit) override {
    const std::scoped_lock lock(shared_->mutex);
    TraceRows rows;
    rows.tomb = tomb_of(id);
    if (const auto at = tables().tickets.find(id); at != tables().tickets.end())
      rows.ticket = ticket_view(id, at->second);
    for (const std::string& ref : trace_refs(id, schedule, rows)) {
      int left = audit_limit;
      for (const AuditRow& row : tables().audit)
        if (row.ref == ref && --left >= 0) rows.audit.push_back(row);
    }
    sort_audit(rows.audit);
    rows.forgotten = tables().forgotten;
    return rows;
  }

  Result<std::vector<ErasedGroup>> erased_groups(DeleteId from, DeleteId to, int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    using Key = std::tuple<DeleteId, std::string, std::string, std::string, JobState, Verdict>;
    std::map<Key, std::int64_t> groups;
    for (const auto& [id, tomb] : tables().tombs)
      if (tomb.delete_id >= from && tomb.delete_id < to)
        ++groups[{tomb.delete_id, tomb.life.project, tomb.life.queue, tomb.life.kind, tomb.was,
                  tomb.verdict}];
    std::vector<ErasedGroup> all;
    for (const auto& [key, n] : groups) {
      if (static_cast<int>(all.size()) >= limit) break;
      const auto& [call, project, queue, kind, was, verdict] = key;
      all.push_back({call, project, queue, kind, was, verdict, n});
    }
    return all;
  }

  Result<std::vector<std::pair<JobId, int>>> running(const NodeLife& owner) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<std::pair<JobId, int>> rows;
    for (const auto& [id, job] : tables().jobs)
      if (job.state == JobState::running && job.owner == owner) rows.emplace_back(id, job.epoch);
    return rows;
  }

  Result<Orders> orders(const NodeLife& owner) override {
    const std::scoped_lock lock(shared_->mutex);
    return orders_of(tables(), owner);
  }

  Result<std::optional<Instant>> next_due() override {
    const std::scoped_lock lock(shared_->mutex);
    std::optional<Instant> next;
    if (!tables().waiting_for_time.empty()) next = tables().waiting_for_time.begin()->first;
    return next;
  }

  Result<std::optional<JobId>> oldest_queued(const std::string& queue) override {
    const std::scoped_lock lock(shared_->mutex);
    std::optional<JobId> oldest;
    for (auto at = tables().claimable.lower_bound({queue, 0, JobId{}});
         at != tables().claimable.end() && std::get<0>(*at) == queue; ++at)
      if (const JobId id = std::get<2>(*at); !oldest || id < *oldest) oldest = id;
    return oldest;
  }

  Result<std::optional<Instant>> next_delivery() override {
    const std::scoped_lock lock(shared_->mutex);
    std::optional<Instant> next;
    for (const auto& [id, row] : tables().deliveries)
      if (row.place == Place::waiting && (!next || row.what.due < *next)) next = row.what.due;
    return next;
  }

  Result<std::vector<OutboundView>> outbound(const std::vector<JobId>& jobs) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<OutboundView> found;
    for (const JobId& id : jobs)
      if (const auto at = tables().jobs.find(id); at != tables().jobs.end())
        found.push_back({id, at->second.args, at->second.usage});
    return found;
  }

  Result<std::vector<JobId>> expired(Instant now, int limit,
                                     const ProtectionPtr& protection) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<std::pair<Instant, JobId>> past;
    for (const auto& [id, job] : tables().jobs)
      if (is_expired(job, now, protection)) past.emplace_back(*job.expires, id);
    std::sort(past.begin(), past.end());
    std::vector<JobId> ids;
    for (const auto& [when, id] : past)
      if (static_cast<int>(ids.size()) < limit) ids.push_back(id);
    return ids;
  }

  Result<ExpiryReport> expiries(Instant now, int limit, const ProtectionPtr& protection) override {
    const std::scoped_lock lock(shared_->mutex);
    return expiries_of(tables(), now, limit, protection);
  }

  Result<std::vector<CopyHead>> copies(const CopyQuery& query) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<CopyHead> page;
    const auto& all = tables().copies;
    for (auto at = query.after ? all.lower_bound(*query.after) : all.end(); at != all.begin();) {
      --at;
      if (static_cast<int>(page.size()) >= query.limit) break;
      if (matches(at->second, query)) page.push_back(head_of(at->first, at->second));
    }
    return page;
  }

  Result<std::optional<CopyView>> copy(JobId id, Instant now) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto at = tables().copies.find(id);
    if (at == tables().copies.end() || at->second.until <= now) return std::optional<CopyView>();
    return std::optional<CopyView>(view_of(id, at->second));
  }

  Result<std::vector<Remnant>> remnants(const std::vector<JobId>& jobs) override {
    const std::scoped_lock lock(shared_->mutex);
    return remnants_of(tables(), jobs);
  }

  Result<std::vector<NodeView>> nodes() override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<NodeView> all;
    for (const auto& [id, node] : tables().nodes) all.push_back(node);
    return all;
  }

  Result<std::optional<Doc>> doc(const std::string& kind, const std::string& id) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto at = tables().docs.find({kind, id});
    if (at == tables().docs.end()) return std::optional<Doc>();
    return std::optional<Doc>(at->second.doc);
  }

  Result<std::vector<Doc>> docs(const std::string& kind, const std::string& project) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<Doc> all;
    for (const auto& [key, row] : tables().docs)
      if (key.first == kind && (project.empty() || project == row.doc.project))
        all.push_back(row.doc);
    return all;
  }

  Result<std::optional<ScheduleRow>> schedule(Uuid id) override {
    const std::scoped_lock lock(shared_->mutex);
    const auto at = tables().schedules.find(id);
    return at == tables().schedules.end() ? std::nullopt : std::optional(at->second);
  }
  Result<std::vector<ScheduleRow>> schedules(const ScheduleQuery& query) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<ScheduleRow> page;
    for (const auto& [id, row] : tables().schedules) {
      const auto message = tables().task_messages.find(id);
      const bool has_one = message != tables().task_messages.end();
      if (is_asked_for(row, has_one ? &message->second : nullptr, query)) page.push_back(row);
    }
    if (query.due_by)
      std::stable_sort(page.begin(), page.end(),
                       [](const ScheduleRow& a, const ScheduleRow& b) { return a.wake < b.wake; });
    if (page.size() > static_cast<std::size_t>(query.limit))
      page.resize(static_cast<std::size_t>(query.limit));
    return page;
  }
  Result<std::optional<Instant>> next_wake() override {
    const std::scoped_lock lock(shared_->mutex);
    std::optional<Instant> first;
    for (const auto& [id, row] : tables().schedules)
      if (row.status == ScheduleStatus::active && row.wake && (!first || *row.wake < *first))
        first = row.wake;
    return first;
  }
  Result<std::vector<TaskMessage>> task_messages(std::optional<Uuid> only, Instant due_by,
                                                 int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<TaskMessage> page;
    for (const auto& [id, message] : tables().task_messages)
      if (only ? id == *only : message.next_try <= due_by) page.push_back(message);
    std::stable_sort(page.begin(), page.end(), [](const TaskMessage& a, const TaskMessage& b) {
      return a.next_try < b.next_try;
    });
    if (page.size() > static_cast<std::size_t>(limit)) page.resize(static_cast<std::size_t>(limit));
    return page;
  }
  Result<std::vector<AuditRow>> audit(std::int64_t after, int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<AuditRow> page;
    for (const AuditRow& row : tables().audit)
      if (row.no > after && static_cast<int>(page.size()) < limit) page.push_back(row);
    return page;
  }

  Result<std::optional<AuditRow>> audit_head() override {
    const std::scoped_lock lock(shared_->mutex);
    std::optional<AuditRow> head;
    for (const AuditRow& row : tables().audit)
      if (!row.hash.empty()) head = row;
    return head;
  }

  Result<StoreStats> stats() override {
    const std::scoped_lock lock(shared_->mutex);
    StoreStats stats;
    for (const auto& [id, job] : tables().jobs)
      stats.bytes += static_cast<std::int64_t>(sizeof(JobRow) + job.args.size());
    return stats;
  }

  Result<StoreHealth> health() override {
    const auto known = stats();
    if (!known) return known.error();
    StoreHealth health;
    health.bytes = known->bytes;
    return health;
  }

  Result<std::vector<IdRow>> ids(Uuid from, Uuid below, int limit) override {
    const std::scoped_lock lock(shared_->mutex);
    std::vector<IdRow> rows;
    const auto& jobs = tables().jobs;
    for (auto at = jobs.lower_bound(from); at != jobs.end() && at->first < below; ++at)
      rows.push_back({at->first, false, at->second.state, at->second.epoch});
    const auto& tombs = tables().tombs;
    for (auto at = tombs.lower_bound(from); at != tombs.end() && at->first < below; ++at)
      if (!at->second.restored)
        rows.push_back({.id = at->first, .is_tomb = true, .until = at->second.until});
    std::sort(rows.begin(), rows.end(), [](const IdRow& a, const IdRow& b) { return a.id < b.id; });
    if (std::ssize(rows) > limit) rows.resize(static_cast<std::size_t>(limit));
    return rows;
  }

  Result<std::vector<std::string>> orphans() override {
    const std::scoped_lock lock(shared_->mutex);
    return orphans_of(tables());
  }

 private:
  const Tables& tables() const { return shared_->tables; }

  static DeliveryView delivery_of(const Uuid& id, const DeliveryRow& row) {
    DeliveryView view;
    view.id = id;
    view.job = row.job;
    view.endpoint = row.what.endpoint;
    view.event = row.what.event;
    view.log = row.log;
    view.tries = row.tries;
    view.in_flight = row.place == Place::in_flight;
    if (row.place == Place::waiting) view.due = row.what.due;
    view.body = row.what.body;
    return view;
  }
  bool is_leaving_job(JobId id) const {
    const JobRow* job = find(id);
    return job && is_leaving(job->state);
  }

  const JobRow* find(JobId id) const {
    const auto at = tables().jobs.find(id);
    return at == tables().jobs.end() ? nullptr : &at->second;
  }

  std::optional<Tombstone> tomb_of(JobId id) const {
    const auto at = tables().tombs.find(id);
    if (at == tables().tombs.end()) return std::nullopt;
    const TombRow& row = at->second;
    Tombstone tomb{id, row.delete_id, row.at, row.until, row.was, row.verdict, "", "", {}};
    tomb.restored = row.restored;
    tomb.life = row.life;
    if (const auto copy = tables().copies.find(id); copy != tables().copies.end())
      tomb.copy_until = copy->second.until;
    if (const auto call = tables().calls.find(row.delete_id); call != tables().calls.end()) {
      tomb.who = call->second.view.who;
      tomb.reason = call->second.view.reason;
    }
    return tomb;
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::unique_ptr<Reader> make_reader(std::shared_ptr<Shared> shared) {
  return std::make_unique<MemoryReader>(std::move(shared));
}

}  // namespace quell::storage::memory
