#include "storage/sqlite/reads/archive_reads.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <tuple>

#include "runtime/base/hex.hpp"
#include "storage/archive_record.hpp"
#include "storage/id_columns.hpp"
#include "storage/sqlite/connection/codes.hpp"

namespace quell::storage::sqlite {

namespace {

constexpr Millis a_day{std::chrono::hours{24}}, a_week{std::chrono::hours{24 * 7}};

// What the settings protect is left out: ?5 and ?6 are arrays of JSON, of queues and of tags.
#define QUELL_UNPROTECTED_IN_SQLITE                                                      \
  " AND j.queue NOT IN (SELECT value FROM json_each(?5)) AND (?6 = '[]' OR NOT EXISTS"   \
  " (SELECT 1 FROM payload p, json_each(coalesce(nullif(p.meta, ''), '{}'), '$.tags') t" \
  " WHERE p.job = j.id AND t.value IN (SELECT value FROM json_each(?6))))"

std::string json_of(const std::vector<std::string>* texts) {
  return nlohmann::json(texts ? *texts : std::vector<std::string>{})
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// ?1 now, ?2 in a day, ?3 in a week. `until` is the time of each row of `source`.
std::string figures(const char* group, const char* until, const char* source) {
  return fmt::format(
      "SELECT {0} sum({1} <= ?1), sum({1} > ?1 AND {1} <= ?2), sum({1} > ?2 AND {1} <= ?3),"
      " sum({1} > ?3), count(*) FROM ({2})",
      group, until, source);
}

CopyHead head_of(const Rows& row) {
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

ExpiryFigures figures_of(const Rows& row, int from) {
  return {row.big(from), row.big(from + 1), row.big(from + 2), row.big(from + 3)};
}

const char* const head_columns =
    "SELECT id, delete_id, project, queue, kind, prior, at, until, length(body)";

}  // namespace

ArchiveReads::ArchiveReads(Connection& db)
    : db_(db),
      page_(db, std::string(head_columns) +
                    " FROM archive WHERE until > ?1 AND (?2 IS NULL OR id < ?2)"
                    " AND (?3 IS NULL OR delete_id = ?3) AND (?4 = '' OR project = ?4)"
                    " AND (?5 = '' OR queue = ?5) AND (?6 = '' OR kind = ?6)"
                    " AND (?7 >> prior) & 1 ORDER BY id DESC LIMIT ?8"),
      one_(db, std::string(head_columns) + ", body FROM archive WHERE id = ? AND until > ?"),
      records_(db,
               figures("queue, state,", "expires",
                       "SELECT queue, state, expires FROM job j WHERE expires IS NOT NULL"
                       " AND state BETWEEN 1 AND 3 AND has & 256 = 0" QUELL_UNPROTECTED_IN_SQLITE
                       " ORDER BY expires LIMIT ?4") +
                   " GROUP BY queue, state ORDER BY queue, state"),
      results_(
          db, figures("", "until",
                      "SELECT r.until FROM result r JOIN job j ON j.id = r.job"
                      " WHERE r.until IS NOT NULL AND r.body <> ''"
                      " AND j.state BETWEEN 1 AND 3 AND j.has & 256 = 0" QUELL_UNPROTECTED_IN_SQLITE
                      " ORDER BY r.until LIMIT ?4")),
      ends_(db, figures("", "until", "SELECT until FROM archive ORDER BY until LIMIT ?4")),
      columns_(db,
               "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
               " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.type = 'BLOB'"
               " ORDER BY m.name, c.name") {}

std::vector<CopyHead> ArchiveReads::copies(const CopyQuery& query) {
  int wanted = query.was.empty() ? -1 : 0;
  for (const JobState state : query.was) wanted |= 1 << static_cast<int>(state);
  std::vector<CopyHead> page;
  for (Rows row = page_.rows(query.now, query.after, query.delete_id, query.project, query.queue,
                             query.kind, wanted, query.limit);
       row.next();)
    page.push_back(head_of(row));
  return page;
}

std::optional<CopyView> ArchiveReads::copy(JobId job, Instant now) {
  Rows row = one_.rows(job, now);
  if (!row.next()) return std::nullopt;
  Result<ArchiveRecord> record = unpack_record(row.text(9));
  if (!record) throw Fault(record.error(), false);
  return copy_view(head_of(row), std::move(record).value());
}

ExpiryReport ArchiveReads::expiries(Instant now, int limit, const ProtectionPtr& protection) {
  ExpiryReport report;
  const Instant day = now + a_day, week = now + a_week;
  std::int64_t counted = 0;
  const std::string queues = json_of(protection ? &protection->queues : nullptr),
                    tags = json_of(protection ? &protection->tags : nullptr);
  for (Rows row = records_.rows(now, day, week, limit, queues, tags); row.next();) {
    report.records.push_back({row.text(0), shown(row.number(1), 0), figures_of(row, 2)});
    counted += row.big(6);
  }
  report.is_partial = counted == limit;
  const auto take = [&](Rows row, ExpiryFigures& into) {
    if (!row.next()) return;
    into = figures_of(row, 0);
    report.is_partial = report.is_partial || row.big(4) == limit;
  };
  take(results_.rows(now, day, week, limit, queues, tags), report.results);
  take(ends_.rows(now, day, week, limit), report.copies);
  return report;
}

std::vector<Remnant> ArchiveReads::remnants(const std::vector<JobId>& jobs) {
  std::vector<std::pair<std::string, std::string>> places;
  for (Rows row = columns_.rows(); row.next();)
    if (may_name_a_job(row.text(1))) places.emplace_back(row.text(0), row.text(1));
  std::string ids;
  for (const JobId& job : jobs)
    ids += fmt::format("{}x'{}'", ids.empty() ? "" : ",", hex(job.bytes));
  std::vector<Remnant> found;
  for (const auto& [table, column] : places) {
    Statement look(db_, fmt::format("SELECT \"{1}\", count(*) FROM \"{0}\" WHERE \"{1}\" IN ({2})"
                                    " GROUP BY 1 ORDER BY 1",
                                    table, column, ids));
    for (Rows row = look.rows(); row.next();)
      found.push_back({row.uuid(0), table, column, row.big(1)});
  }
  return found;
}

}  // namespace quell::storage::sqlite
