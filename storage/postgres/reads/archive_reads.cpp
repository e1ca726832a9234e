#include "storage/postgres/reads/archive_reads.hpp"

#include <fmt/format.h>

#include <chrono>

#include "storage/archive_record.hpp"
#include "storage/id_columns.hpp"
#include "storage/postgres/connection/codes.hpp"
#include "storage/postgres/connection/unprotected.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Millis a_day{std::chrono::hours{24}}, a_week{std::chrono::hours{24 * 7}};

#define HEAD "SELECT id, delete_id, project, queue, kind, prior, at, until, length(body)"
constexpr Query page{
    "copies_page", HEAD
    " FROM archive WHERE until > $1::bigint AND ($2::uuid IS NULL OR id < $2::uuid)"
    " AND ($3::uuid IS NULL OR delete_id = $3::uuid) AND ($4::text = '' OR project = $4::text)"
    " AND ($5::text = '' OR queue = $5::text) AND ($6::text = '' OR kind = $6::text)"
    " AND ($7::int >> prior) & 1 = 1 ORDER BY id DESC LIMIT $8::int"};
constexpr Query one_copy{"copy_one",
                         HEAD ", body FROM archive WHERE id = $1::uuid AND until > $2::bigint"};
#undef HEAD

// $1 now, $2 in a day, $3 in a week, $4 how many at most.
#define FIGURES(group, source)                                           \
  "SELECT " group                                                        \
  " count(*) FILTER (WHERE until <= $1::bigint),"                        \
  " count(*) FILTER (WHERE until > $1::bigint AND until <= $2::bigint)," \
  " count(*) FILTER (WHERE until > $2::bigint AND until <= $3::bigint)," \
  " count(*) FILTER (WHERE until > $3::bigint), count(*) FROM (" source " LIMIT $4::int) ends"
constexpr Query records{
    "expiry_records",
    FIGURES("queue, state,",
            "SELECT queue, state, expires AS until FROM job j WHERE "
            "expires IS NOT NULL"
            " AND state BETWEEN 1 AND 3 AND has & 256 = 0" QUELL_UNPROTECTED(
                "$5", "$6") " ORDER BY expires") " GROUP BY queue, state ORDER BY queue, state"};
constexpr Query results{
    "expiry_results", FIGURES("",
                              "SELECT r.until FROM result r JOIN job j ON j.id = r.job"
                              " WHERE r.until IS NOT NULL AND r.body <> ''"
                              " AND j.state BETWEEN 1 AND 3 AND j.has & 256 = 0" QUELL_UNPROTECTED(
                                  "$5", "$6") " ORDER BY r.until")};
constexpr Query copy_ends{"expiry_copies", FIGURES("", "SELECT until FROM archive ORDER BY until")};
#undef FIGURES

constexpr Query id_columns{
    "id_columns",
    "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND data_type = 'uuid' AND is_updatable = 'YES'"
    " AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = current_schema())"
    " ORDER BY table_name, column_name"};

CopyHead head_of(const Row& row) {
  CopyHead head;
  head.job = row.uuid(0);
  head.delete_id = row.uuid(1);
  head.project = row.text(2);
  head.queue = row.text(3);
  head.kind = row.text(4);
  head.was = static_cast<JobState>(row.number(5));
  head.at = row.instant(6);
  head.until = row.instant(7);
  head.bytes = row.big(8);
  return head;
}

ExpiryFigures figures_of(const Row& row, int from) {
  return {row.big(from), row.big(from + 1), row.big(from + 2), row.big(from + 3)};
}

}  // namespace

std::vector<CopyHead> read_copies(Connection& db, const CopyQuery& query) {
  int wanted = query.was.empty() ? -1 : 0;
  for (const JobState state : query.was) wanted |= 1 << static_cast<int>(state);
  std::vector<CopyHead> all;
  const Rows rows = db.run(page, query.now, query.after, query.delete_id, query.project,
                           query.queue, query.kind, wanted, query.limit);
  for (const Row row : rows) all.push_back(head_of(row));
  return all;
}

std::optional<CopyView> read_copy(Connection& db, JobId job, Instant now) {
  const Rows rows = db.run(one_copy, job, now);
  if (rows.empty()) return std::nullopt;
  Result<ArchiveRecord> record = unpack_record(rows[0].bytes(9));
  if (!record) throw PgFault(record.error(), Cure::none);
  return copy_view(head_of(rows[0]), std::move(record).value());
}

ExpiryReport read_expiries(Connection& db, Instant now, int limit,
                           const ProtectionPtr& protection) {
  ExpiryReport report;
  const Instant day = now + a_day, week = now + a_week;
  std::int64_t counted = 0;
  const ArrayLiteral queues = texts_of(protection ? protection->queues : no_texts),
                     tags = texts_of(protection ? protection->tags : no_texts);
  const Rows rows = db.run(records, now, day, week, limit, queues, tags);
  for (const Row row : rows) {
    report.records.push_back({row.text(0), shown(row.number(1), 0), figures_of(row, 2)});
    counted += row.big(6);
  }
  report.is_partial = counted == limit;
  const auto take = [&](const Rows& all, ExpiryFigures& into) {
    into = figures_of(all[0], 0);
    report.is_partial = report.is_partial || all[0].big(4) == limit;
  };
  take(db.run(results, now, day, week, limit, queues, tags), report.results);
  take(db.run(copy_ends, now, day, week, limit), report.copies);
  return report;
}

std::vector<Remnant> read_remnants(Connection& db, const std::vector<JobId>& jobs) {
  std::vector<Remnant> found;
  if (jobs.empty()) return found;
  std::vector<std::pair<std::string, std::string>> places;
  const Rows columns = db.run(id_columns);
  for (const Row row : columns)
    if (may_name_a_job(row.view(1))) places.emplace_back(row.text(0), row.text(1));
  std::string ids;
  for (const JobId& job : jobs) ids += (ids.empty() ? "'" : ",'") + job.text() + "'";
  for (const auto& [table, column] : places) {
    const Rows rows = db.plain(fmt::format(
        "SELECT \"{1}\", count(*) FROM \"{0}\" WHERE \"{1}\" IN ({2}) GROUP BY 1 ORDER BY 1", table,
        column, ids));
    for (const Row row : rows) found.push_back({row.uuid(0), table, column, row.big(1)});
  }
  return found;
}

}  // namespace quell::storage::postgres
