#include "storage/postgres/verbs/archivist.hpp"

#include <unordered_map>

#include "storage/archive_record.hpp"
#include "storage/postgres/working_set/by_key.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query read_jobs{
    "archive_jobs",
    "SELECT j.id, j.project, j.queue, j.kind, j.prio, j.epoch, j.attempt, j.lost, j.started,"
    " j.finished, j.expires, p.args, p.meta, p.ukey, r.body, r.error, g.usage,"
    " g.progress, g.phase, r.until"
    " FROM job j" QUELL_BY_KEY("payload", "job = j.id", "p")
        QUELL_BY_KEY("result", "job = j.id", "r")
            QUELL_BY_KEY("progress", "job = j.id", "g") " WHERE j.id = ANY($1::uuid[])"};
constexpr Query read_attempts{
    "archive_attempts",
    "SELECT job, n, started, ended, outcome, error, node FROM attempt WHERE job = ANY($1::uuid[])"
    " ORDER BY job, n"};
constexpr Query read_steps{
    "archive_steps",
    "SELECT job, name, body FROM step WHERE job = ANY($1::uuid[]) ORDER BY job, n"};
constexpr Query read_partials{
    "archive_partials",
    "SELECT job, body FROM partial WHERE job = ANY($1::uuid[]) ORDER BY job, n"};
constexpr Query read_logs{
    "archive_logs",
    "SELECT job, at, level, body FROM log WHERE job = ANY($1::uuid[]) ORDER BY job, n"};

constexpr Query write_copies{
    "archive_add",
    "INSERT INTO archive (id, delete_id, until, body, project, queue, kind, prior, at)"
    " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bytea[], $5::text[],"
    " $6::text[], $7::text[], $8::smallint[], $9::bigint[])"
    " ON CONFLICT (id) DO UPDATE SET delete_id = excluded.delete_id, until = excluded.until,"
    " body = excluded.body, project = excluded.project, queue = excluded.queue,"
    " kind = excluded.kind, prior = excluded.prior, at = excluded.at"};

ArchiveRecord record_of(const Row& row, const Erasure& one) {
  ArchiveRecord out;
  out.id = row.uuid(0);
  out.was = one.was;
  out.due = one.due;
  out.project = row.text(1);
  out.queue = row.text(2);
  out.kind = row.text(3);
  out.priority = row.number(4);
  out.epoch = row.number(5);
  out.attempt = row.number(6);
  out.lost = row.number(7);
  out.started = row.maybe_instant(8);
  out.finished = row.maybe_instant(9);
  out.expires = row.maybe_instant(10);
  out.args = row.bytes(11);
  out.options = row.text(12);
  out.unique_key = row.maybe_bytes(13);
  out.result = row.bytes(14);
  out.error = row.bytes(15);
  out.usage = row.bytes(16);
  if (!row.is_null(17)) out.progress = row.real(17);
  out.phase = row.bytes(18);
  out.result_expires = row.maybe_instant(19);
  return out;
}

using Records = std::unordered_map<JobId, ArchiveRecord>;

void read_side_rows(Connection& db, const ArrayLiteral& ids, Records& records) {
  const Rows attempts = db.run(read_attempts, ids);
  for (const Row row : attempts)
    records[row.uuid(0)].attempts.push_back({row.number(1), row.maybe_instant(2), row.instant(3),
                                             row.text(4), row.bytes(5), row.text(6)});
  const Rows steps = db.run(read_steps, ids);
  for (const Row row : steps) records[row.uuid(0)].steps.push_back({row.text(1), row.bytes(2)});
  const Rows partials = db.run(read_partials, ids);
  for (const Row row : partials) records[row.uuid(0)].partials.push_back(row.bytes(1));
  const Rows logs = db.run(read_logs, ids);
  for (const Row row : logs)
    records[row.uuid(0)].logs.push_back({row.instant(1), row.text(2), row.bytes(3)});
}

}  // namespace

void keep_copies(Connection& db, const std::vector<Erasure>& erased) {
  constexpr int with_rows = has_steps | has_partials | has_logs | has_attempts;
  ArrayLiteral all, rich;
  std::unordered_map<JobId, const Erasure*> wanted;
  for (const Erasure& one : erased) {
    if (!one.copy_until) continue;
    wanted[one.job] = &one;
    all.add(one.job);
    if (one.has & with_rows) rich.add(one.job);
  }
  if (wanted.empty()) return;
  Records records;
  const Rows rows = db.run(read_jobs, all);
  for (const Row row : rows) records[row.uuid(0)] = record_of(row, *wanted.at(row.uuid(0)));
  if (!rich.empty()) read_side_rows(db, rich, records);
  ArchivePacker packer;
  ArrayLiteral id, delete_id, until, body, project, queue, kind, prior, at;
  for (const auto& [job, record] : records) {
    const Erasure& one = *wanted.at(job);
    id.add(job);
    delete_id.add(one.delete_id);
    until.add(*one.copy_until);
    body.add(Bytes{packer.pack(record)});
    project.add(record.project);
    queue.add(record.queue);
    kind.add(record.kind);
    prior.add(static_cast<int>(record.was));
    at.add(one.now);
  }
  db.write(write_copies, id, delete_id, until, body, project, queue, kind, prior, at);
}

}  // namespace quell::storage::postgres
