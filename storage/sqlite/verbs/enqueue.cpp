#include "storage/sqlite/verbs/enqueue.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace quell::storage::sqlite {

Enqueue::Enqueue(SqliteSession& session)
    : session_(session),
      runs_(session.db, "SELECT 1 FROM live WHERE job = ? AND epoch = ? AND place = 2"),
      // What stands in the way of an id: a job, an open ticket, a tombstone.
      taken_(
          session.db,
          "SELECT EXISTS (SELECT 1 FROM job WHERE id = ?1) OR"
          " EXISTS (SELECT 1 FROM ticket WHERE job = ?1), (SELECT epoch FROM tomb WHERE id = ?1)"),
      restored_(session.db, "UPDATE tomb SET restored_epoch = ? WHERE id = ?"),
      key_(session.db,
           "SELECT job, place FROM live WHERE project = ?1 AND ukey = ?2 UNION ALL"
           " SELECT job, state FROM ticket WHERE project = ?1 AND ukey = ?2"),
      job_(session.db,
           "INSERT OR ROLLBACK INTO job (id, project, queue, kind, prio, state, epoch, attempt, "
           "lost, has,"
           " schedule) VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0, ?, ?)"),
      live_(session.db,
            "INSERT OR ROLLBACK INTO live (job, project, queue, kind, pk, place, epoch, attempt, "
            "lost, has,"
            " due, ukey, lkey) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)"),
      payload_(session.db, "INSERT INTO payload (job, args, meta, ukey) VALUES (?, ?, ?, ?)") {}

// This store has one writer: what it reads in a transaction is so until its commit.
bool Enqueue::has_ended(const Sender& sender) {
  Rows row = runs_.rows(sender.job, sender.epoch);
  return !row.next();
}

bool Enqueue::id_taken(const NewJob& job, JobEvent birth, int& epoch) {
  Rows row = taken_.rows(job.id);
  if (!row.next() || row.number(0)) return true;
  const bool has_tomb = !row.is_null(1);
  if (birth != JobEvent::restore) return has_tomb;
  epoch = row.number(1) + 1;  // 1 without a tombstone
  return false;
}

bool Enqueue::key_taken(const NewJob& job, EnqueueResult& result) {
  if (!job.unique_key) return false;
  Rows row = key_.rows(job.project, *job.unique_key);
  if (!row.next()) return false;
  result.answer = EnqueueAnswer::unique_conflict;
  result.existing = row.uuid(0);
  result.existing_state = static_cast<JobState>(row.number(1));
  return true;
}

EnqueueResult Enqueue::apply(const EnqueueOp& op) {
  const NewJob& job = op.job;
  EnqueueResult result;
  int epoch = 0;
  if (op.sender && has_ended(*op.sender)) {
    result.answer = EnqueueAnswer::sender_ended;
    return result;
  }
  if (id_taken(job, op.birth, epoch)) {
    result.answer = EnqueueAnswer::id_taken;
    return result;
  }
  if (key_taken(job, result)) return result;
  const bool later = job.run_at && *job.run_at > op.now && op.birth != JobEvent::fire;
  result.state = later ? JobState::scheduled : JobState::queued;
  const auto born = births();
  QUELL_ASSERT(std::any_of(born.begin(), born.end(), [&](const Birth& birth) {
    return birth.event == op.birth && birth.state == result.state;
  }));
  const std::string meta = to_json(job.options);
  int has = 0;
  if (!job.args.empty() || !meta.empty() || job.unique_key) has |= has_payload;
  if (!op.deliveries.empty()) has |= has_deliveries;
  if (job.options.is_protected) has |= is_protected;
  // The tombstone stays; only under this epoch or a later one does the law let the id in again.
  if (epoch > 0) restored_.run(epoch, job.id);
  const std::optional<std::string> schedule =
      job.options.schedule.empty() ? std::nullopt : std::optional(job.options.schedule);
  job_.run(job.id, job.project, job.queue, job.kind, job.priority, epoch, has, schedule);
  const std::optional<Instant> never;
  const std::optional<Instant>& due = later ? job.run_at : never;
  const std::optional<std::string> limit_key =
      job.options.limit_key.empty() ? std::nullopt : std::optional(job.options.limit_key);
  live_.run(job.id, job.project, job.queue, job.kind, 9 - job.priority,
            static_cast<int>(result.state), epoch, has, due, job.unique_key, limit_key);
  if (has & has_payload) payload_.run(job.id, job.args, meta, job.unique_key);
  session_.insert_deliveries(job.id, op.deliveries);
  session_.tally.born(job.project, job.queue, result.state);
  return result;
}

}  // namespace quell::storage::sqlite
