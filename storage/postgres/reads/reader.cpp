#include "storage/postgres/reads/reader.hpp"

#include <fmt/format.h>

#include "storage/postgres/connection/codes.hpp"
#include "storage/postgres/connection/reconnect.hpp"
#include "storage/postgres/reads/archive_reads.hpp"
#include "storage/postgres/reads/delete_reads.hpp"
#include "storage/postgres/reads/job_list.hpp"
#include "storage/postgres/reads/job_views.hpp"
#include "storage/postgres/reads/reader_queries.hpp"
#include "storage/postgres/reads/schedule_reads.hpp"
#include "storage/postgres/reads/sentinel_reads.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/verbs/node.hpp"
#include "storage/postgres/verbs/orphans.hpp"

namespace quell::storage::postgres {

namespace {

class PostgresReader final : public Reader {
 public:
  PostgresReader(const Address& address, History& history)
      : keeps_session_(address.keeps_session), db_([address, &history] {
          auto db = std::make_unique<Connection>(address, Connection::Use::read);
          history.verify(*db);
          return db;
        }) {}

  Result<std::vector<Found>> get(const std::vector<JobId>& jobs, bool with_payload) override {
    // Two statements without a snapshot: whoever is in neither was in neither at the second.
    return one([&](Connection& db) { return found(db, jobs, with_payload); });
  }

  Result<JobPage> list(const ListQuery& query) override {
    return whole([&](Connection& db) { return list_jobs(db, query); });
  }

  Result<MatchPage> match(const ListQuery& query) override {
    return whole([&](Connection& db) { return match_jobs(db, query); });
  }

  Result<std::vector<CountRow>> counts(const std::string& project) override {
    return one([&](Connection& db) {
      std::vector<CountRow> all;
      const Rows rows = db.run(queries::counts, project);
      for (const Row row : rows)
        all.push_back({row.text(0), static_cast<JobState>(row.number(1)), row.big(2)});
      return all;
    });
  }

  Result<std::vector<AttemptRecord>> attempts(JobId job) override {
    return one([&](Connection& db) {
      std::vector<AttemptRecord> all;
      const Rows rows = db.run(queries::attempts, job);
      for (const Row row : rows)
        all.push_back({row.number(0), row.maybe_instant(1), row.instant(2), row.text(3),
                       row.bytes(4), row.text(5)});
      return all;
    });
  }

  Result<std::vector<std::pair<std::int64_t, LogLine>>> logs(JobId job, std::int64_t after,
                                                             int limit) override {
    return one([&](Connection& db) {
      std::vector<std::pair<std::int64_t, LogLine>> page;
      const Rows rows = db.run(queries::logs, job, after, limit);
      for (const Row row : rows)
        page.emplace_back(row.big(0), LogLine{row.instant(1), row.text(2), row.bytes(3)});
      return page;
    });
  }

  Result<std::vector<std::pair<std::int64_t, std::string>>> partials(JobId job, std::int64_t after,
                                                                     int limit) override {
    return one([&](Connection& db) {
      std::vector<std::pair<std::int64_t, std::string>> page;
      const Rows rows = db.run(queries::partials, job, after, limit);
      for (const Row row : rows) page.emplace_back(row.big(0), row.bytes(1));
      return page;
    });
  }

  Result<std::vector<StepResult>> steps(JobId job) override {
    return one([&](Connection& db) {
      std::vector<StepResult> all;
      const Rows rows = db.run(queries::steps, job);
      for (const Row row : rows) all.push_back({row.text(0), row.bytes(1)});
      return all;
    });
  }

  Result<std::vector<DeliveryView>> deliveries(JobId job) override {
    return one([&](Connection& db) {
      std::vector<DeliveryView> all;
      const Rows rows = db.run(queries::deliveries, job);
      for (const Row row : rows) all.push_back(delivery_of(row));
      return all;
    });
  }
  Result<std::vector<DeliveryView>> deliveries_of(const std::string& endpoint,
                                                  std::optional<Uuid> before, int limit) override {
    return one([&](Connection& db) {
      std::vector<DeliveryView> all;
      const Rows rows = db.run(queries::deliveries_of, endpoint, before, limit);
      for (const Row row : rows) all.push_back(delivery_of(row));
      return all;
    });
  }
  Result<std::optional<DeliveryView>> delivery(Uuid id) override {
    return one([&](Connection& db) {
      const Rows rows = db.run(queries::delivery, id);
      return rows.empty() ? std::nullopt : std::optional(delivery_of(rows[0]));
    });
  }
  Result<std::vector<Uuid>> flying(const NodeLife& owner) override {
    return one([&](Connection& db) {
      std::vector<Uuid> ids;
      const Rows rows = db.run(queries::flying, owner.node, owner.life);
      for (const Row row : rows) ids.push_back(row.uuid(0));
      return ids;
    });
  }

  Result<std::vector<TicketView>> tickets(std::optional<DeleteId> only, bool due_only, Instant now,
                                          int limit) override {
    return whole([&](Connection& db) { return read_tickets(db, only, due_only, now, limit); });
  }
  Result<std::optional<CallView>> call(DeleteId id) override {
    return one([&](Connection& db) { return read_call(db, id); });
  }
  Result<std::vector<CallView>> calls(std::optional<DeleteId> after, int limit) override {
    return one([&](Connection& db) { return read_calls(db, after, limit); });
  }
  Result<std::vector<Tombstone>> tombstones(DeleteId id, std::optional<JobId> after,
                                            int limit) override {
    return one([&](Connection& db) { return read_tombs(db, id, after, limit); });
  }
  Result<TraceRows> trace_rows(Uuid id, const std::string& schedule, int audit_limit) override {
    return whole([&](Connection& db) { return read_trace_rows(db, id, schedule, audit_limit); });
  }
  Result<std::vector<ErasedGroup>> erased_groups(DeleteId from, DeleteId to, int limit) override {
    return one([&](Connection& db) { return read_erased_groups(db, from, to, limit); });
  }

  Result<std::vector<std::pair<JobId, int>>> running(const NodeLife& owner) override {
    return one([&](Connection& db) {
      std::vector<std::pair<JobId, int>> all;
      const Rows rows = db.run(queries::running, owner.node, owner.life);
      for (const Row row : rows) all.emplace_back(row.uuid(0), row.number(1));
      return all;
    });
  }

  Result<Orders> orders(const NodeLife& owner) override {
    return whole([&](Connection& db) { return orders_for(db, owner); });
  }

  Result<std::optional<Instant>> next_due() override {
    return one([](Connection& db) { return db.run(queries::next_due)[0].maybe_instant(0); });
  }
  Result<std::optional<Instant>> next_delivery() override {
    return one([](Connection& db) { return db.run(queries::next_delivery)[0].maybe_instant(0); });
  }
  Result<std::optional<JobId>> oldest_queued(const std::string& queue) override {
    return one([&](Connection& db) {
      const Rows rows = db.run(queries::oldest_queued, queue);
      return rows.empty() ? std::nullopt : rows[0].maybe_uuid(0);
    });
  }

  Result<std::vector<OutboundView>> outbound(const std::vector<JobId>& jobs) override {
    return one([&](Connection& db) {
      ArrayLiteral ids;
      for (const JobId& job : jobs) ids.add(job);
      std::vector<OutboundView> found;
      const Rows rows = db.run(queries::outbound, ids);
      for (const Row row : rows) found.push_back({row.uuid(0), row.bytes(1), row.bytes(2)});
      return found;
    });
  }

  Result<std::vector<JobId>> expired(Instant now, int limit,
                                     const ProtectionPtr& protection) override {
    return one([&](Connection& db) {
      std::vector<JobId> ids;
      const ArrayLiteral queues = texts_of(protection ? protection->queues : no_texts),
                         tags = texts_of(protection ? protection->tags : no_texts);
      const Rows rows = db.run(queries::expired, now, limit, queues, tags);
      for (const Row row : rows) ids.push_back(row.uuid(0));
      return ids;
    });
  }

  Result<ExpiryReport> expiries(Instant now, int limit, const ProtectionPtr& protection) override {
    return whole([&](Connection& db) { return read_expiries(db, now, limit, protection); });
  }
  Result<std::vector<CopyHead>> copies(const CopyQuery& query) override {
    return one([&](Connection& db) { return read_copies(db, query); });
  }
  Result<std::optional<CopyView>> copy(JobId job, Instant now) override {
    return one([&](Connection& db) { return read_copy(db, job, now); });
  }
  Result<std::vector<Remnant>> remnants(const std::vector<JobId>& jobs) override {
    return whole([&](Connection& db) { return read_remnants(db, jobs); });
  }

  Result<std::vector<NodeView>> nodes() override {
    return one([](Connection& db) {
      std::vector<NodeView> all;
      const Rows rows = db.run(queries::nodes);
      for (const Row row : rows)
        all.push_back({NodeLife{row.uuid(0), row.big(1)}, row.big(2), row.yes(3), row.text(4)});
      return all;
    });
  }

  Result<std::optional<Doc>> doc(const std::string& kind, const std::string& id) override {
    return one([&](Connection& db) {
      const Rows rows = db.run(queries::doc, kind, id);
      return rows.empty() ? std::nullopt : std::optional(doc_of(rows[0]));
    });
  }

  Result<std::vector<Doc>> docs(const std::string& kind, const std::string& project) override {
    return one([&](Connection& db) {
      std::vector<Doc> all;
      const Rows rows = db.run(queries::docs, kind, project);
      for (const Row row : rows) all.push_back(doc_of(row));
      return all;
    });
  }

  Result<std::optional<ScheduleRow>> schedule(Uuid id) override {
    return one([&](Connection& db) { return read_schedule(db, id); });
  }
  Result<std::vector<ScheduleRow>> schedules(const ScheduleQuery& query) override {
    return one([&](Connection& db) { return read_schedules(db, query); });
  }
  Result<std::optional<Instant>> next_wake() override {
    return one([](Connection& db) { return read_next_wake(db); });
  }
  Result<std::vector<TaskMessage>> task_messages(std::optional<Uuid> only, Instant due_by,
                                                 int limit) override {
    return one([&](Connection& db) { return read_task_messages(db, only, due_by, limit); });
  }

  Result<std::vector<AuditRow>> audit(std::int64_t after, int limit) override {
    return one([&](Connection& db) {
      std::vector<AuditRow> page;
      const Rows rows = db.run(queries::audit, after, limit);
      for (const Row row : rows) page.push_back(audit_of(row));
      return page;
    });
  }
  Result<std::optional<AuditRow>> audit_head() override {
    return one([](Connection& db) {
      const Rows rows = db.run(queries::audit_head);
      return rows.empty() ? std::nullopt : std::optional(audit_of(rows[0]));
    });
  }

  Result<StoreStats> stats() override {
    return one([](Connection& db) {
      StoreStats stats;
      const Rows rows = db.run(queries::stats);
      stats.bytes = rows[0].big(0);
      stats.replicated = rows[0].yes(1);
      stats.schema = schema_number(db);
      const Rows old = db.run(queries::old_snapshot);
      if (!old.empty()) stats.held_s = old[0].big(0);
      if (!old.empty())
        stats.warning =
            fmt::format("a transaction is open for {} s ({}): vacuum cannot remove what died since",
                        old[0].big(0), old[0].text(1));
      return stats;
    });
  }

  Result<StoreHealth> health() override {
    return one([](Connection& db) { return read_health(db); });
  }
  Result<std::vector<IdRow>> ids(Uuid from, Uuid below, int limit) override {
    return one([&](Connection& db) { return read_ids(db, from, below, limit); });
  }

  Result<std::vector<std::string>> orphans() override {
    return whole([](Connection& db) { return find_orphans(db); });
  }

 private:
  static std::vector<Found> found(Connection& db, const std::vector<JobId>& jobs,
                                  bool with_payload) {
    const auto views = read_views(db, jobs, with_payload);
    std::vector<JobId> missing;
    for (const JobId& job : jobs)
      if (!views.contains(job)) missing.push_back(job);
    const std::vector<Tombstone> tombs = read_tombs_of(db, missing);
    std::vector<Found> all(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (const auto view = views.find(jobs[i]); view != views.end()) all[i].job = view->second;
      for (const Tombstone& tomb : tombs)
        if (!all[i].job && tomb.job == jobs[i]) all[i].tomb = tomb;
    }
    return all;
  }

  static DeliveryView delivery_of(const Row& row) {
    return DeliveryView{row.uuid(0),   row.uuid(7), row.text(1),          row.text(2), row.bytes(3),
                        row.number(4), row.yes(5),  row.maybe_instant(6), row.bytes(8)};
  }
  static AuditRow audit_of(const Row& row) {
    return AuditRow{row.big(0),  row.instant(1), row.text(2), row.text(3),
                    row.text(4), row.text(5),    row.text(6), row.text(7)};
  }
  static Doc doc_of(const Row& row) {
    return Doc{row.text(0), row.text(1), row.text(2), row.bytes(3), row.big(4)};
  }

  // A read that needs no snapshot of several statements. Behind a pooler it is a transaction all
  // the same: only so do its settings hold.
  template <class Read>
  auto one(Read read) -> Result<decltype(read(std::declval<Connection&>()))> {
    return tried(read, !keeps_session_);
  }
  // All that it returns is of one moment.
  template <class Read>
  auto whole(Read read) -> Result<decltype(read(std::declval<Connection&>()))> {
    return tried(read, true);
  }

  // A lost connection costs a read nothing but a second try on a new one.
  template <class Read>
  auto tried(Read read, bool in_transaction)
      -> Result<decltype(read(std::declval<Connection&>()))> {
    for (bool again = true;; again = false) {
      try {
        Connection& db = db_.get();
        if (!in_transaction) return read(db);
        Transaction transaction(db, "REPEATABLE READ READ ONLY");
        auto value = read(db);
        transaction.commit();
        return value;
      } catch (const PgFault& fault) {
        if (fault.cure() == Cure::reconnect) db_.drop();
        if (!again || fault.cure() != Cure::reconnect) return fault.error();
      } catch (const Fault& fault) {
        return fault.error();
      }
    }
  }

  bool keeps_session_;
  Reconnect<Connection> db_;
};

}  // namespace

std::unique_ptr<Reader> make_reader(const Address& address, History& history) {
  return std::make_unique<PostgresReader>(address, history);
}

}  // namespace quell::storage::postgres
