#include "storage/postgres/verbs/restore.hpp"

#include <algorithm>

#include "storage/postgres/working_set/side_rows.hpp"

namespace quell::storage::postgres {

namespace {

// Whoever restores the same job at the same time waits here, and then finds no copy.
constexpr Query lock_copies{
    "restore_copies",
    "SELECT id, delete_id, at, until, body FROM archive WHERE id = ANY($1::uuid[]) ORDER BY id"
    " FOR UPDATE"};
constexpr Query look_at_ids{
    "restore_ids",
    "SELECT f.id, EXISTS (SELECT 1 FROM live WHERE live.job = f.id) OR"
    " EXISTS (SELECT 1 FROM job WHERE job.id = f.id) OR"
    " EXISTS (SELECT 1 FROM ticket WHERE ticket.job = f.id),"
    " (SELECT epoch FROM tomb WHERE tomb.id = f.id) FROM unnest($1::uuid[]) f(id)"};
constexpr Query look_for_keys{
    "restore_keys",
    "SELECT f.project, f.ukey, k.job FROM unnest($1::text[], $2::bytea[]) f(project, ukey),"
    " LATERAL (SELECT job FROM live WHERE live.project = f.project AND live.ukey = f.ukey"
    " UNION ALL SELECT job FROM ticket WHERE ticket.project = f.project"
    " AND ticket.ukey = f.ukey) k"};
constexpr Query let_in{
    "restore_tombs",
    "UPDATE tomb SET restored_epoch = f.epoch FROM unnest($1::uuid[], $2::int[]) f(id, epoch)"
    " WHERE tomb.id = f.id AND tomb.epoch < f.epoch"};
constexpr Query add_live{
    "restore_live",
    "INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt, lost, has, since,"
    " schedule, due, ukey, lkey) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[],"
    " $4::text[], $5::smallint[], $6::smallint[], $7::int[], $8::int[], $9::int[], $10::int[],"
    " $11::bigint[], $12::text[], $13::bigint[], $14::bytea[], $15::text[])"};
constexpr Query add_final{
    "restore_final",
    "INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has, started,"
    " finished, expires, schedule) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[],"
    " $4::text[], $5::smallint[], $6::smallint[], $7::int[], $8::int[], $9::int[], $10::int[],"
    " $11::bigint[], $12::bigint[], $13::bigint[], $14::text[])"};
constexpr Query add_payload{"restore_payload",
                            "INSERT INTO payload (job, args, meta, ukey) SELECT * FROM"
                            " unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[])"};
constexpr Query drop_copies{"restore_drop", "DELETE FROM archive WHERE id = ANY($1::uuid[])"};

std::optional<Bytes> bytes_of(const std::optional<std::string>& text) {
  return text ? std::optional(Bytes{*text}) : std::nullopt;
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

Restore::Known Restore::look_up(const std::vector<RestoreOp>& ops) {
  Known known;
  ArrayLiteral ids;
  for (const RestoreOp& op : ops) ids.add(op.job);
  const Rows copies = session_.db.run(lock_copies, ids);
  for (const Row row : copies)
    known.copies.try_emplace(row.uuid(0), Copy{row.uuid(1), row.instant(2), row.instant(3),
                                               unpack_record(row.bytes(4))});
  if (known.copies.empty()) return known;
  ArrayLiteral found;
  for (const auto& [id, copy] : known.copies) found.add(id);
  const Rows rows = session_.db.run(look_at_ids, found);
  for (const Row row : rows) {
    known.taken[row.uuid(0)] = row.yes(1);
    known.tomb_epochs[row.uuid(0)] = row.number(2);  // 0 without a tombstone
  }
  look_at_keys(known);
  return known;
}

void Restore::look_at_keys(Known& known) {
  ArrayLiteral projects, keys;
  for (const auto& [id, copy] : known.copies) {
    if (!copy.record || !copy.record->unique_key) continue;
    projects.add(copy.record->project);
    keys.add(Bytes{*copy.record->unique_key});
  }
  if (keys.empty()) return;
  const Rows rows = session_.db.run(look_for_keys, projects, keys);
  for (const Row row : rows) known.keys.try_emplace({row.text(0), row.bytes(1)}, row.uuid(2));
}

std::vector<RestoreResult> Restore::apply(const std::vector<RestoreOp>& ops) {
  Known known = look_up(ops);
  std::vector<RestoreResult> results;
  results.reserve(ops.size());
  std::vector<Risen> risen;
  for (const RestoreOp& op : ops) results.push_back(decide(op, known, risen));
  if (!risen.empty()) write(risen);
  return results;
}

RestoreResult Restore::decide(const RestoreOp& op, Known& known, std::vector<Risen>& risen) {
  RestoreResult result;
  const auto at = known.copies.find(op.job);
  if (at == known.copies.end() || at->second.until <= op.now) return result;
  Copy& copy = at->second;
  if (op.delete_id && *op.delete_id != copy.delete_id) return result;
  if (!copy.record) {
    result.answer = RestoreAnswer::damaged;
    return result;
  }
  ArchiveRecord& record = *copy.record;
  if (is_other_project(op.project, record.project)) return result;
  // Brought back by this batch already: its copy is as good as gone.
  if (std::any_of(risen.begin(), risen.end(),
                  [&](const Risen& one) { return one.record == &record; }))
    return result;
  result.was = record.was;
  result.delete_id = copy.delete_id;
  result.queue = record.queue;
  if (known.taken[op.job]) {
    result.answer = RestoreAnswer::id_taken;
    return result;
  }
  const RestoredJob job = restored_from(record, known.tomb_epochs[op.job], copy.at, op);
  if (!is_final(job.state) && op.refuses && op.refuses(record.kind, record.args)) {
    result.answer = RestoreAnswer::refused;
    return result;
  }
  if (!is_final(job.state) && record.unique_key) {
    const auto [key, is_free] =
        known.keys.try_emplace({record.project, *record.unique_key}, op.job);
    if (!is_free && !op.drop_key) {
      result.answer = RestoreAnswer::unique_conflict;
      result.existing = key->second;
      return result;
    }
    if (!is_free) record.unique_key.reset();
  }
  session_.tally.born(record.project, record.queue, job.state);
  session_.audit.erased(copy.delete_id, Way::restore, op.who, op.now,
                        ErasedJob{op.job, job.state, Verdict::not_running});
  if (job.state == JobState::queued) session_.came_in(record.queue, 9 - record.priority, op.job);
  risen.push_back({&record, job});
  result.answer = RestoreAnswer::restored;
  result.state = job.state;
  result.epoch = job.epoch;
  result.due = job.due;
  return result;
}

void Restore::write(std::vector<Risen>& risen) {
  ArrayLiteral id, epoch;
  for (const Risen& one : risen) {
    id.add(one.record->id);
    epoch.add(one.job.epoch);
  }
  session_.db.write(let_in, id, epoch);
  write_side_rows(risen);
  write_live(risen);
  write_final(risen);
  session_.db.write(drop_copies, id);
}

void Restore::write_side_rows(std::vector<Risen>& risen) {
  SideRows side(session_.db);
  ArrayLiteral id, args, meta, ukey;
  for (Risen& one : risen) {
    const ArchiveRecord& record = *one.record;
    if (options_from_json(record.options).is_protected) one.has |= is_protected;
    if (!record.args.empty() || !record.options.empty() || record.unique_key) {
      one.has |= has_payload;
      id.add(record.id);
      args.add(Bytes{record.args});
      meta.add(record.options);
      ukey.add(bytes_of(record.unique_key));
    }
    if (!record.result.empty() || !record.error.empty())
      one.has |= side.result(record.id, record.result, record.error, one.job.result_expires);
    if (record.progress || !record.phase.empty() || !record.usage.empty())
      one.has |= side.progress(record.id, record.progress, unless_empty(record.phase),
                               unless_empty(record.usage));
    for (const AttemptRecord& attempt : record.attempts)
      one.has |= side.attempt(record.id, attempt);
    if (!record.steps.empty()) one.has |= side.steps(record.id, record.steps);
    if (!record.partials.empty()) one.has |= side.partials(record.id, record.partials);
    if (!record.logs.empty()) one.has |= side.logs(record.id, record.logs);
  }
  side.write();
  if (!id.empty()) session_.db.write(add_payload, id, args, meta, ukey);
}

void Restore::write_live(const std::vector<Risen>& risen) {
  ArrayLiteral id, project, queue, kind, pk, place, epoch, attempt, lost, has, since, schedule, due,
      ukey, lkey;
  for (const Risen& one : risen) {
    if (is_final(one.job.state)) continue;
    const ArchiveRecord& record = *one.record;
    const JobOptions options = options_from_json(record.options);
    id.add(record.id);
    project.add(record.project);
    queue.add(record.queue);
    kind.add(record.kind);
    pk.add(9 - record.priority);
    place.add(static_cast<int>(one.job.state));
    epoch.add(one.job.epoch);
    attempt.add(record.attempt);
    lost.add(record.lost);
    has.add(one.has);
    since.add(record.started);
    schedule.add(unless_empty(options.schedule));
    due.add(one.job.due);
    ukey.add(bytes_of(record.unique_key));
    lkey.add(unless_empty(options.limit_key));
  }
  if (!id.empty())
    session_.db.write(add_live, id, project, queue, kind, pk, place, epoch, attempt, lost, has,
                      since, schedule, due, ukey, lkey);
}

void Restore::write_final(const std::vector<Risen>& risen) {
  ArrayLiteral id, project, queue, kind, prio, state, epoch, attempt, lost, has, started, finished,
      expires, schedule;
  for (const Risen& one : risen) {
    if (!is_final(one.job.state)) continue;
    const ArchiveRecord& record = *one.record;
    id.add(record.id);
    project.add(record.project);
    queue.add(record.queue);
    kind.add(record.kind);
    prio.add(record.priority);
    state.add(stored(one.job.state));
    epoch.add(one.job.epoch);
    attempt.add(record.attempt);
    lost.add(record.lost);
    has.add(one.has);
    started.add(record.started);
    finished.add(one.job.finished);
    expires.add(one.job.expires);
    schedule.add(unless_empty(options_from_json(record.options).schedule));
  }
  if (!id.empty())
    session_.db.write(add_final, id, project, queue, kind, prio, state, epoch, attempt, lost, has,
                      started, finished, expires, schedule);
}

}  // namespace quell::storage::postgres
