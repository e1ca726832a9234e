#include "storage/postgres/eraser.hpp"

#include <array>

#include "runtime/assert.hpp"
#include "storage/postgres/archivist.hpp"

namespace quell::storage::postgres {

namespace {

struct Side {
  int bit;  // of job.has
  Query erase;
};
constexpr std::array sides{
    Side{has_doubts, {"erase_doubt", "DELETE FROM doubt WHERE job = ANY($1::uuid[])"}},
    Side{has_payload, {"erase_payload", "DELETE FROM payload WHERE job = ANY($1::uuid[])"}},
    Side{has_result, {"erase_result", "DELETE FROM result WHERE job = ANY($1::uuid[])"}},
    Side{has_steps, {"erase_step", "DELETE FROM step WHERE job = ANY($1::uuid[])"}},
    Side{has_partials, {"erase_partial", "DELETE FROM partial WHERE job = ANY($1::uuid[])"}},
    Side{has_logs, {"erase_log", "DELETE FROM log WHERE job = ANY($1::uuid[])"}},
    Side{has_attempts, {"erase_attempt", "DELETE FROM attempt WHERE job = ANY($1::uuid[])"}},
    Side{has_deliveries, {"erase_delivery", "DELETE FROM delivery WHERE job = ANY($1::uuid[])"}},
    Side{has_progress, {"erase_progress", "DELETE FROM progress WHERE job = ANY($1::uuid[])"}}};

constexpr Query erase_job{"erase_job",
                          "DELETE FROM job USING unnest($1::uuid[], $2::uuid[]) f(id, delete_id)"
                          " WHERE job.id = f.id AND job.delete_id = f.delete_id"};

constexpr Query bury_job{
    "tomb_add",
    "INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict)"
    " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::bigint[],"
    " $6::smallint[], $7::smallint[])"
    " ON CONFLICT (id) DO UPDATE SET delete_id = excluded.delete_id, epoch = excluded.epoch,"
    " at = excluded.at, until = excluded.until, prior = excluded.prior,"
    " verdict = excluded.verdict, restored_epoch = NULL"};

}  // namespace

void Eraser::write() {
  if (pending_.empty()) return;
  keep_copies(session_.db, pending_);
  for (const Side& side : sides) {
    ArrayLiteral jobs;
    for (const Erasure& one : pending_)
      if (one.has & side.bit) jobs.add(one.job);
    if (!jobs.empty()) session_.db.run(side.erase, jobs);
  }
  ArrayLiteral job, delete_id, epoch, at, until, prior, verdict;
  for (const Erasure& one : pending_) {
    job.add(one.job);
    delete_id.add(one.delete_id);
    epoch.add(one.epoch);
    at.add(one.now);
    until.add(one.tomb_until);
    prior.add(static_cast<int>(one.was));
    verdict.add(static_cast<int>(one.verdict));
  }
  const int erased = session_.db.run(erase_job, job, delete_id).touched();
  QUELL_ASSERT(erased == static_cast<int>(pending_.size()));
  session_.db.run(bury_job, job, delete_id, epoch, at, until, prior, verdict);
  pending_.clear();
}

}  // namespace quell::storage::postgres
