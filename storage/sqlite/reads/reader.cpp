#include "storage/sqlite/reads/reader.hpp"

#include <filesystem>
#include <utility>

#include "storage/sqlite/reads/archive_reads.hpp"
#include "storage/sqlite/reads/delete_reads.hpp"
#include "storage/sqlite/reads/job_list.hpp"
#include "storage/sqlite/reads/job_views.hpp"
#include "storage/sqlite/reads/schedule_reads.hpp"
#include "storage/sqlite/schema.hpp"
#include "storage/sqlite/verbs/orphans.hpp"

namespace quell::storage::sqlite {

namespace {

class SqliteReader final : public Reader {
 public:
  explicit SqliteReader(const std::string& path) : path_(path), db_(path, Access::read) {}

  Result<std::vector<Found>> get(const std::vector<JobId>& jobs, bool with_payload) override {
    return snapshot([&] {
      std::vector<Found> all(jobs.size());
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        all[i].job = views_.find(jobs[i], with_payload);
        if (!all[i].job) all[i].tomb = deletes_.tombstone(jobs[i]);
      }
      return all;
    });
  }

  Result<JobPage> list(const ListQuery& query) override {
    return snapshot([&] { return list_.list(query); });
  }

  Result<MatchPage> match(const ListQuery& query) override {
    return snapshot([&] { return list_.matches(query); });
  }

  Result<std::vector<CountRow>> counts(const std::string& project) override {
    return snapshot([&] {
      std::vector<CountRow> rows;
      for (Rows row = counts_.rows(project); row.next();)
        rows.push_back({row.text(0), static_cast<JobState>(row.number(1)), row.big(2)});
      return rows;
    });
  }

  Result<std::vector<AttemptRecord>> attempts(JobId job) override {
    return snapshot([&] {
      std::vector<AttemptRecord> all;
      for (Rows row = attempts_.rows(job); row.next();)
        all.push_back({row.number(0), row.maybe_instant(1), row.instant(2), row.text(3),
                       row.text(4), row.text(5)});
      return all;
    });
  }

  Result<std::vector<std::pair<std::int64_t, LogLine>>> logs(JobId job, std::int64_t after,
                                                             int limit) override {
    return snapshot([&] {
      std::vector<std::pair<std::int64_t, LogLine>> page;
      for (Rows row = logs_.rows(job, after, limit); row.next();)
        page.emplace_back(row.big(0), LogLine{row.instant(1), row.text(2), row.text(3)});
      return page;
    });
  }

  Result<std::vector<std::pair<std::int64_t, std::string>>> partials(JobId job, std::int64_t after,
                                                                     int limit) override {
    return snapshot([&] {
      std::vector<std::pair<std::int64_t, std::string>> page;
      for (Rows row = partials_.rows(job, after, limit); row.next();)
        page.emplace_back(row.big(0), row.text(1));
      return page;
    });
  }

  Result<std::vector<StepResult>> steps(JobId job) override {
    return snapshot([&] {
      std::vector<StepResult> all;
      for (Rows row = steps_.rows(job); row.next();) all.push_back({row.text(0), row.text(1)});
      return all;
    });
  }

  Result<std::vector<DeliveryView>> deliveries(JobId job) override {
    return snapshot([&] {
      std::vector<DeliveryView> all;
      for (Rows row = deliveries_.rows(job); row.next();) all.push_back(delivery_of(row));
      return all;
    });
  }
  Result<std::vector<DeliveryView>> deliveries_of(const std::string& endpoint,
                                                  std::optional<Uuid> before, int limit) override {
    return snapshot([&] {
      std::vector<DeliveryView> all;
      for (Rows row = endpoint_.rows(endpoint, before, limit); row.next();)
        all.push_back(delivery_of(row));
      return all;
    });
  }
  Result<std::optional<DeliveryView>> delivery(Uuid id) override {
    return snapshot([&] {
      Rows row = delivery_.rows(id);
      return row.next() ? std::optional(delivery_of(row)) : std::nullopt;
    });
  }
  Result<std::vector<Uuid>> flying(const NodeLife& owner) override {
    return snapshot([&] {
      std::vector<Uuid> ids;
      for (Rows row = flying_.rows(owner.node, owner.life); row.next();) ids.push_back(row.uuid(0));
      return ids;
    });
  }

  Result<std::vector<TicketView>> tickets(std::optional<DeleteId> only, bool due_only, Instant now,
                                          int limit) override {
    return snapshot([&] { return deletes_.tickets(only, due_only, now, limit); });
  }
  Result<std::optional<CallView>> call(DeleteId id) override {
    return snapshot([&] { return deletes_.call(id); });
  }
  Result<std::vector<CallView>> calls(std::optional<DeleteId> after, int limit) override {
    return snapshot([&] { return deletes_.calls(after, limit); });
  }
  Result<std::vector<Tombstone>> tombstones(DeleteId id, std::optional<JobId> after,
                                            int limit) override {
    return snapshot([&] { return deletes_.tombstones(id, after, limit); });
  }
  Result<TraceRows> trace_rows(Uuid id, const std::string& schedule, int audit_limit) override {
    return snapshot([&] { return deletes_.trace_rows(id, schedule, audit_limit); });
  }
  Result<std::vector<ErasedGroup>> erased_groups(DeleteId from, DeleteId to, int limit) override {
    return snapshot([&] { return deletes_.erased_groups(from, to, limit); });
  }

  Result<std::vector<std::pair<JobId, int>>> running(const NodeLife& owner) override {
    return snapshot([&] {
      std::vector<std::pair<JobId, int>> all;
      for (Rows row = running_.rows(owner.node, owner.life); row.next();)
        all.emplace_back(row.uuid(0), row.number(1));
      return all;
    });
  }

  Result<Orders> orders(const NodeLife& owner) override {
    return snapshot([&] { return orders_in(orders_, wishes_, owner); });
  }

  Result<std::optional<Instant>> next_due() override {
    return snapshot([&] { return first_instant(next_due_); });
  }
  Result<std::optional<Instant>> next_delivery() override {
    return snapshot([&] { return first_instant(next_delivery_); });
  }
  Result<std::optional<JobId>> oldest_queued(const std::string& queue) override {
    return snapshot([&] {
      Rows row = oldest_.rows(queue);
      return row.next() ? row.maybe_uuid(0) : std::nullopt;
    });
  }

  Result<std::vector<OutboundView>> outbound(const std::vector<JobId>& jobs) override {
    return snapshot([&] {
      std::vector<OutboundView> found;
      for (const JobId& job : jobs)
        if (Rows row = outbound_.rows(job); row.next())
          found.push_back({job, row.text(0), row.text(1)});
      return found;
    });
  }

  Result<std::vector<JobId>> expired(Instant now, int limit,
                                     const ProtectionPtr& protection) override {
    return snapshot([&] {
      std::vector<JobId> ids;
      for (Rows row = expired_.rows(now); std::ssize(ids) < limit && row.next();)
        if (!protection || !protection->covers(row.text(1), options_from_json(row.text(2)).tags))
          ids.push_back(row.uuid(0));
      return ids;
    });
  }

  Result<ExpiryReport> expiries(Instant now, int limit, const ProtectionPtr& protection) override {
    return snapshot([&] { return archive_.expiries(now, limit, protection); });
  }
  Result<std::vector<CopyHead>> copies(const CopyQuery& query) override {
    return snapshot([&] { return archive_.copies(query); });
  }
  Result<std::optional<CopyView>> copy(JobId job, Instant now) override {
    return snapshot([&] { return archive_.copy(job, now); });
  }
  Result<std::vector<Remnant>> remnants(const std::vector<JobId>& jobs) override {
    return snapshot([&] { return archive_.remnants(jobs); });
  }

  Result<std::vector<NodeView>> nodes() override {
    return snapshot([&] {
      std::vector<NodeView> all;
      for (Rows row = nodes_.rows(); row.next();)
        all.push_back(
            {NodeLife{row.uuid(0), row.big(1)}, row.big(2), row.number(3) == 1, row.text(4)});
      return all;
    });
  }

  Result<std::optional<Doc>> doc(const std::string& kind, const std::string& id) override {
    return snapshot([&] {
      Rows row = doc_.rows(kind, id);
      return row.next() ? std::optional(doc_of(row)) : std::nullopt;
    });
  }

  Result<std::vector<Doc>> docs(const std::string& kind, const std::string& project) override {
    return snapshot([&] {
      std::vector<Doc> all;
      for (Rows row = docs_.rows(kind, project); row.next();) all.push_back(doc_of(row));
      return all;
    });
  }

  Result<std::optional<ScheduleRow>> schedule(Uuid id) override {
    return snapshot([&] { return schedules_.schedule(id); });
  }
  Result<std::vector<ScheduleRow>> schedules(const ScheduleQuery& query) override {
    return snapshot([&] { return schedules_.schedules(query); });
  }
  Result<std::optional<Instant>> next_wake() override {
    return snapshot([&] { return schedules_.next_wake(); });
  }
  Result<std::vector<TaskMessage>> task_messages(std::optional<Uuid> only, Instant due_by,
                                                 int limit) override {
    return snapshot([&] { return schedules_.messages(only, due_by, limit); });
  }

  Result<std::vector<AuditRow>> audit(std::int64_t after, int limit) override {
    return snapshot([&] {
      std::vector<AuditRow> page;
      for (Rows row = audit_.rows(after, limit); row.next();) page.push_back(audit_of(row));
      return page;
    });
  }
  Result<std::optional<AuditRow>> audit_head() override {
    return snapshot([&] {
      Rows row = head_.rows();
      return row.next() ? std::optional(audit_of(row)) : std::nullopt;
    });
  }

  Result<StoreStats> stats() override {
    return snapshot([&] {
      StoreStats stats;
      for (Rows row = size_.rows(); row.next();) stats.bytes = row.big(0);
      stats.schema = schema_number(db_);
      return stats;
    });
  }

  Result<StoreHealth> health() override {
    return snapshot([&] {
      StoreHealth health;
      for (Rows row = size_.rows(); row.next();) health.bytes = row.big(0);
      std::error_code none;  // a store that was just checkpointed may have no such file
      const auto wal = std::filesystem::file_size(path_ + "-wal", none);
      health.wal_bytes = none ? 0 : static_cast<std::int64_t>(wal);
      return health;
    });
  }

  Result<std::vector<IdRow>> ids(Uuid from, Uuid below, int limit) override {
    return snapshot([&] {
      std::vector<IdRow> all;
      for (Rows row = ids_.rows(from, below, limit); row.next();) {
        IdRow& one = all.emplace_back();
        one.id = row.uuid(0);
        one.is_tomb = row.number(1) < 0;
        if (!one.is_tomb) one.state = static_cast<JobState>(row.number(1));
        one.epoch = row.number(2);
        one.until = row.instant(3);
      }
      return all;
    });
  }

  Result<std::vector<std::string>> orphans() override {
    return snapshot([&] { return find_orphans(db_); });
  }

 private:
  // One transaction a call: all that it returns is of one moment.
  template <class Read>
  auto snapshot(Read read) -> Result<decltype(read())> {
    try {
      Transaction transaction(db_, Transaction::Kind::read);
      auto value = read();
      transaction.commit();
      return value;
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

  static Orders orders_in(Statement& holders, Statement& cancel_requests, const NodeLife& owner) {
    Orders orders;
    for (Rows row = holders.rows(owner.node, owner.life); row.next();)
      orders.holders.emplace_back(row.uuid(0), Holder{static_cast<HolderKind>(row.number(1)),
                                                      row.uuid(2), owner, row.number(3)});
    for (Rows row = cancel_requests.rows(owner.node, owner.life); row.next();)
      orders.cancel_requests.emplace_back(row.uuid(0), row.number(1));
    return orders;
  }

  static std::optional<Instant> first_instant(Statement& statement) {
    Rows row = statement.rows();
    return row.next() ? row.maybe_instant(0) : std::nullopt;
  }

  static DeliveryView delivery_of(const Rows& row) {
    return DeliveryView{row.uuid(0),        row.uuid(7),          row.text(1),
                        row.text(2),        row.text(3),          row.number(4),
                        row.number(5) == 1, row.maybe_instant(6), row.text(8)};
  }
  static AuditRow audit_of(const Rows& row) {
    return AuditRow{row.big(0),  row.instant(1), row.text(2), row.text(3),
                    row.text(4), row.text(5),    row.text(6), row.text(7)};
  }
  static Doc doc_of(const Rows& row) {
    return Doc{row.text(0), row.text(1), row.text(2), row.text(3), row.big(4)};
  }

  std::string path_;
  Connection db_;
  JobViews views_{db_};
  JobList list_{db_, views_};
  DeleteReads deletes_{db_};
  ScheduleReads schedules_{db_};
  ArchiveReads archive_{db_};
  Statement counts_{db_,
                    "SELECT queue, state, sum(n) FROM tally WHERE ?1 = '' OR project = ?1"
                    " GROUP BY queue, state HAVING sum(n) <> 0 ORDER BY queue, state"};
  Statement attempts_{db_,
                      "SELECT n, started, ended, outcome, error, node FROM attempt WHERE job = ?"
                      " ORDER BY n"};
  Statement logs_{db_,
                  "SELECT n, at, level, body FROM log WHERE job = ? AND n > ? ORDER BY n LIMIT ?"};
  Statement partials_{db_,
                      "SELECT n, body FROM partial WHERE job = ? AND n > ? ORDER BY n LIMIT ?"};
  Statement steps_{db_, "SELECT name, body FROM step WHERE job = ? ORDER BY n"};
  Statement deliveries_{db_,
                        "SELECT id, endpoint, event, log, tries, place IN (1, 3),"
                        " iif(place = 0, due, NULL), job, body FROM delivery WHERE job = ?"
                        " ORDER BY id"};
  Statement endpoint_{db_,
                      "SELECT id, endpoint, event, log, tries, place IN (1, 3),"
                      " iif(place = 0, due, NULL), job, body FROM delivery"
                      " WHERE endpoint = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3"};
  Statement delivery_{db_,
                      "SELECT id, endpoint, event, log, tries, place IN (1, 3),"
                      " iif(place = 0, due, NULL), job, body FROM delivery WHERE id = ?"};
  Statement flying_{db_,
                    "SELECT id FROM delivery WHERE place = 1 AND node = ? AND life = ?"
                    " ORDER BY id"};
  Statement running_{db_,
                     "SELECT job, epoch FROM live WHERE place = 2 AND node = ? AND life = ?"
                     " ORDER BY job"};
  Statement orders_{db_,
                    "SELECT job, what, ref, epoch FROM holder WHERE node = ? AND life = ?"
                    " AND verdict IS NULL ORDER BY job, what, ref"};
  Statement wishes_{db_,
                    "SELECT job, epoch FROM live WHERE place = 2 AND node = ? AND life = ?"
                    " AND want = 1 ORDER BY job"};
  Statement next_due_{db_, "SELECT min(due) FROM live WHERE place = 0"};
  Statement next_delivery_{db_, "SELECT min(due) FROM delivery WHERE place = 0"};
  // One look at the index for each priority.
  Statement oldest_{
      db_,
      "SELECT min((SELECT job FROM live WHERE queue = ? AND place = 1 AND pk = column1"
      " ORDER BY job LIMIT 1)) FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7),"
      " (8), (9))"};
  Statement outbound_{db_,
                      "SELECT p.args, g.usage FROM job j LEFT JOIN payload p ON p.job = j.id"
                      " LEFT JOIN progress g ON g.job = j.id WHERE j.id = ?"};
  Statement expired_{
      db_,
      "SELECT id, queue, (SELECT meta FROM payload WHERE job = id) FROM job"
      " WHERE expires <= ? AND state BETWEEN 1 AND 3 AND has & 256 = 0 ORDER BY expires, id"};
  Statement nodes_{db_, "SELECT id, life, beat, gone, info FROM node ORDER BY id"};
  Statement doc_{db_, "SELECT kind, id, project, body, version FROM doc WHERE kind = ? AND id = ?"};
  Statement docs_{db_,
                  "SELECT kind, id, project, body, version FROM doc"
                  " WHERE kind = ?1 AND (?2 = '' OR project = ?2) ORDER BY id"};
  Statement audit_{db_,
                   "SELECT no, at, who, what, ref, detail, digest, hash FROM audit"
                   " WHERE no > ? ORDER BY no LIMIT ?"};
  Statement head_{db_,
                  "SELECT no, at, who, what, ref, detail, digest, hash FROM audit"
                  " WHERE hash IS NOT NULL ORDER BY no DESC LIMIT 1"};
  Statement ids_{db_,
                 "SELECT * FROM ("
                 "SELECT * FROM (SELECT job.id AS id,"
                 " CASE WHEN job.state > 0 THEN job.state + 2 ELSE live.place END AS what,"
                 " coalesce(live.epoch, job.epoch) AS epoch, 0 AS until"
                 " FROM job LEFT JOIN live ON live.job = job.id"
                 " WHERE job.id >= ?1 AND job.id < ?2 ORDER BY job.id LIMIT ?3)"
                 " UNION ALL SELECT * FROM (SELECT id, -1, 0, until FROM tomb"
                 " WHERE id >= ?1 AND id < ?2 AND restored_epoch IS NULL ORDER BY id LIMIT ?3))"
                 " ORDER BY id LIMIT ?3"};
  Statement size_{db_,
                  "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"};
};

}  // namespace

std::unique_ptr<Reader> make_reader(const std::string& path) {
  return std::make_unique<SqliteReader>(path);
}

}  // namespace quell::storage::sqlite
