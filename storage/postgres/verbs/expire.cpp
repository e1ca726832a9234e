#include "storage/postgres/verbs/expire.hpp"

#include "storage/postgres/connection/unprotected.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query end_copies{
    "expire_copies",
    "DELETE FROM archive WHERE id = ANY(ARRAY(SELECT id FROM archive WHERE until <= $1::bigint"
    " ORDER BY until, id LIMIT $2::int FOR UPDATE SKIP LOCKED)) RETURNING id, delete_id, prior"};
// The job's row is locked first, as by every other verb. 256: a protected job keeps its result too.
constexpr Query lock_ended{
    "expire_lock",
    "SELECT j.id, j.state FROM job j JOIN result r ON r.job = j.id"
    " WHERE r.until IS NOT NULL AND r.body <> '' AND r.until <= $1::bigint"
    " AND j.state BETWEEN 1 AND 3 AND j.has & 256 = 0" QUELL_UNPROTECTED(
        "$3", "$4") " ORDER BY r.until, r.job LIMIT $2::int"
    " FOR UPDATE OF j SKIP LOCKED"};
constexpr Query end_results{"expire_results",
                            "UPDATE result SET body = '' WHERE job = ANY($1::uuid[])"};
constexpr Query end_partials{"expire_partials", "DELETE FROM partial WHERE job = ANY($1::uuid[])"};
constexpr Query end_steps{"expire_steps", "DELETE FROM step WHERE job = ANY($1::uuid[])"};
constexpr Query end_bits{"expire_bits",
                         "UPDATE job SET has = has & ~12 WHERE id = ANY($1::uuid[])"
                         " AND has & 12 <> 0"};
static_assert((has_steps | has_partials) == 12 && is_protected == 256);

}  // namespace

ExpireResult Expire::apply(const ExpireOp& op) {
  const int ended = op.what == ExpireOp::What::copies ? copies(op) : results(op);
  return {ended, ended == op.limit};
}

int Expire::copies(const ExpireOp& op) {
  const Rows rows = session_.db.run(end_copies, op.now, op.limit);
  for (const Row row : rows)
    session_.audit.erased(
        row.uuid(1), Way::copy_end, op.who, op.now,
        ErasedJob{row.uuid(0), static_cast<JobState>(row.number(2)), Verdict::not_running});
  return static_cast<int>(rows.size());
}

int Expire::results(const ExpireOp& op) {
  ArrayLiteral jobs;
  const ArrayLiteral queues = texts_of(op.protection ? op.protection->queues : no_texts),
                     tags = texts_of(op.protection ? op.protection->tags : no_texts);
  const Rows rows = session_.db.run(lock_ended, op.now, op.limit, queues, tags);
  for (const Row row : rows) {
    jobs.add(row.uuid(0));
    session_.audit.erased(op.sweep, Way::result_end, op.who, op.now,
                          ErasedJob{row.uuid(0), shown(row.number(1), 0), Verdict::not_running});
  }
  if (jobs.empty()) return 0;
  session_.db.write(end_results, jobs);
  session_.db.write(end_partials, jobs);
  session_.db.write(end_steps, jobs);
  session_.db.write(end_bits, jobs);
  return static_cast<int>(rows.size());
}

}  // namespace quell::storage::postgres
