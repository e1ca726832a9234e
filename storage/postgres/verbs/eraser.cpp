#include "storage/postgres/verbs/eraser.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "runtime/base/assert.hpp"
#include "storage/postgres/verbs/archivist.hpp"
#include "storage/postgres/verbs/stories.hpp"

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

// The tombstone stands for the row that went: no row, no tombstone. Where much is alike, and nobody
// was declared dead before, the database is spared the arrays and the look for an older tombstone.
#define QUELL_TOMB                                                                      \
  " INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict, story, project," \
  " queue, kind, attempt, lost, started, finished, node, schedule) SELECT "
#define QUELL_ALIKE                                                                           \
  "$2::uuid, $3::int, $4::bigint, $5::bigint, $6::smallint, $7::smallint, $8::text, project," \
  " queue, kind, attempt, lost, "
constexpr Query erase_live_alike{"live_erase_alike",
                                 "WITH gone AS (DELETE FROM live WHERE job = ANY($1::uuid[]) AND "
                                 "place + 0 < 2 RETURNING *)" QUELL_TOMB "job, " QUELL_ALIKE
                                 "since, NULL::bigint, NULL::uuid, schedule FROM gone"};
constexpr Query erase_alike{
    "job_erase_alike",
    "WITH gone AS (DELETE FROM job WHERE id = ANY($1::uuid[]) AND delete_id = $2::uuid"
    " RETURNING *)" QUELL_TOMB "id, " QUELL_ALIKE "started, finished, node, schedule FROM gone"};
#define QUELL_ERASE(table, id, fence, life)                                                   \
  "WITH f AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[],"           \
  " $4::bigint[], $5::bigint[], $6::smallint[], $7::smallint[], $8::text[]) f(id, delete_id," \
  " epoch, at, until, prior, verdict, story)), gone AS (DELETE FROM " table                   \
  " t USING f WHERE t." id " = f.id AND " fence                                               \
  " RETURNING f.*, t.project, t.queue, t.kind, t.attempt, t.lost, " life                      \
  ", t.schedule)" QUELL_TOMB                                                                  \
  "* FROM gone ON CONFLICT (id) DO UPDATE SET delete_id = excluded.delete_id,"                \
  " epoch = excluded.epoch, at = excluded.at, until = excluded.until,"                        \
  " prior = excluded.prior, verdict = excluded.verdict, story = excluded.story,"              \
  " project = excluded.project, queue = excluded.queue, kind = excluded.kind,"                \
  " attempt = excluded.attempt, lost = excluded.lost, started = excluded.started,"            \
  " finished = excluded.finished, node = excluded.node, schedule = excluded.schedule,"        \
  " restored_epoch = NULL"
constexpr Query erase_mixed{"job_erase", QUELL_ERASE("job", "id", "t.delete_id = f.delete_id",
                                                     "t.started, t.finished, t.node")};
constexpr Query erase_live{"live_erase",
                           QUELL_ERASE("live", "job", "t.place + 0 < 2",
                                       "t.since, NULL::bigint AS finished, NULL::uuid AS node")};
#undef QUELL_TOMB
#undef QUELL_ALIKE
#undef QUELL_ERASE

using Likeness =
    std::tuple<bool, DeleteId, Instant, Instant, JobState, Verdict, int, std::string_view>;

Likeness likeness(const Erasure& one) {
  return {one.was_live, one.delete_id, one.now,   one.tomb_until,
          one.was,      one.verdict,   one.epoch, one.story};
}

}  // namespace

void Eraser::write() {
  if (pending_.empty()) return;
  keep_copies(session_.db, pending_);
  tell_stories(session_.db, pending_);
  for (const Side& side : sides) {
    ArrayLiteral jobs;
    for (const Erasure& one : pending_)
      if (one.has & side.bit) jobs.add(one.job);
    if (!jobs.empty()) session_.db.write(side.erase, jobs);
  }
  const int erased = session_.careful ? erase_rows(pending_, true) + erase_rows(pending_, false)
                                      : erase_by_likeness();
  QUELL_ASSERT(erased == static_cast<int>(pending_.size()));
  pending_.clear();
}

int Eraser::erase_by_likeness() {
  std::sort(pending_.begin(), pending_.end(),
            [](const Erasure& a, const Erasure& b) { return likeness(a) < likeness(b); });
  int erased = 0;
  std::vector<Erasure> others;
  for (auto from = pending_.begin(); from != pending_.end();) {
    const auto to = std::find_if(
        from, pending_.end(), [&](const Erasure& one) { return likeness(one) != likeness(*from); });
    if (to - from < many_alike) {
      others.insert(others.end(), from, to);
    } else {
      ArrayLiteral jobs;
      for (auto one = from; one != to; ++one) jobs.add(one->job);
      erased += session_.db
                    .run(from->was_live ? erase_live_alike : erase_alike, jobs, from->delete_id,
                         from->epoch, from->now, from->tomb_until, static_cast<int>(from->was),
                         static_cast<int>(from->verdict), from->story)
                    .touched();
    }
    from = to;
  }
  return erased + erase_rows(others, true) + erase_rows(others, false);
}

int Eraser::erase_rows(const std::vector<Erasure>& all, bool live) {
  ArrayLiteral job, delete_id, epoch, at, until, prior, verdict, story;
  for (const Erasure& one : all) {
    if (one.was_live != live) continue;
    job.add(one.job);
    delete_id.add(one.delete_id);
    epoch.add(one.epoch);
    at.add(one.now);
    until.add(one.tomb_until);
    prior.add(static_cast<int>(one.was));
    verdict.add(static_cast<int>(one.verdict));
    story.add(one.story);
  }
  if (job.empty()) return 0;
  return session_.db
      .run(live ? erase_live : erase_mixed, job, delete_id, epoch, at, until, prior, verdict, story)
      .touched();
}

}  // namespace quell::storage::postgres
