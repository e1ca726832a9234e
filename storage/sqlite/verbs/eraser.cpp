#include "storage/sqlite/verbs/eraser.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/policy/tomb_story.hpp"
#include "storage/sqlite/connection/codes.hpp"

namespace quell::storage::sqlite {

Eraser::Eraser(SqliteSession& session)
    : session_(session),
      archivist_(session.db),
      many_(session),
      options_(session.db, "SELECT meta FROM payload WHERE job = ? AND meta <> ''"),
      usage_(session.db, "SELECT usage FROM progress WHERE job = ? AND usage IS NOT NULL"),
      attempts_(session.db,
                "SELECT n, started, ended, outcome, error, node FROM attempt WHERE job = ?"
                " ORDER BY n"),
      deliveries_(session.db,
                  "SELECT count(*), sum(tries) FROM delivery WHERE job = ? AND place <> 0"),
      tomb_(session.db, QUELL_INSERT_TOMB
            " SELECT id, ?, ?, ?, ?, ?, ?, ?, project, queue, kind, attempt, lost, started,"
            " finished, node, schedule FROM job WHERE id = ?" QUELL_OVER_OLD_TOMB),
      job_(session.db, "DELETE FROM job WHERE id = ? AND delete_id = ?"),
      payload_(session.db, "DELETE FROM payload WHERE job = ?"),
      result_(session.db, "DELETE FROM result WHERE job = ?"),
      step_(session.db, "DELETE FROM step WHERE job = ?"),
      partial_(session.db, "DELETE FROM partial WHERE job = ?"),
      log_(session.db, "DELETE FROM log WHERE job = ?"),
      attempt_(session.db, "DELETE FROM attempt WHERE job = ?"),
      delivery_(session.db, "DELETE FROM delivery WHERE job = ?"),
      progress_(session.db, "DELETE FROM progress WHERE job = ?"),
      doubt_(session.db, "DELETE FROM doubt WHERE job = ?") {}

// What is told of the job when these rows have gone.
std::string Eraser::story_of(JobId job, int has) {
  constexpr int with_rows = has_payload | has_progress | has_attempts | has_deliveries;
  if (!(has & with_rows)) return {};
  StoryFacts facts;
  if (has & has_payload)
    for (Rows row = options_.rows(job); row.next();)
      facts.submitted_by = options_from_json(row.text(0)).submitted_by;
  if (has & has_progress)
    for (Rows row = usage_.rows(job); row.next();) facts.usage = row.text(0);
  if (has & has_attempts)
    for (Rows row = attempts_.rows(job); row.next();)
      facts.attempts.push_back({row.number(0), row.maybe_instant(1), row.instant(2), row.text(3),
                                row.text(4), row.text(5)});
  if (has & has_deliveries)
    for (Rows row = deliveries_.rows(job); row.next();) {
      facts.deliveries = row.big(0);
      facts.delivery_tries = row.big(1);
    }
  return tomb_story(facts);
}

void Eraser::erase(const Erasure& what, const JobHead& head, Way way) {
  const int has = head.has;
  if (what.copy_until)
    archivist_.keep(what.job,
                    {what.delete_id, what.was, has, what.now, *what.copy_until, head.due});
  const std::string story = story_of(what.job, has);
  if (has & has_payload) payload_.run(what.job);
  if (has & has_result) result_.run(what.job);
  if (has & has_steps) step_.run(what.job);
  if (has & has_partials) partial_.run(what.job);
  if (has & has_logs) log_.run(what.job);
  if (has & has_attempts) attempt_.run(what.job);
  if (has & has_deliveries) delivery_.run(what.job);
  if (has & has_progress) progress_.run(what.job);
  if (has & has_doubts) doubt_.run(what.job);
  tomb_.run(what.delete_id, head.epoch, what.now, what.tomb_until, static_cast<int>(what.was),
            static_cast<int>(what.verdict), story, what.job);
  const int erased = job_.run(what.job, what.delete_id);
  QUELL_ASSERT(erased == 1);
  tell_erased(what, head, way);
}

void Eraser::add_marked(const Erasure& what, const JobHead& head) {
  many_.add(what.job, head, head.epoch, story_of(what.job, head.has));
  tell_erased(what, head, Way::erase);
}

void Eraser::tell_erased(const Erasure& what, const JobHead& head, Way way) {
  session_.tally.gone(head.project, head.queue, head.state);
  session_.audit.erased(what.delete_id, way, what.who, what.now,
                        ErasedJob{what.job, what.was, what.verdict});
  session_.outbox.erased({what.delete_id, what.job, what.was, what.verdict, head.project},
                         what.now);
}

}  // namespace quell::storage::sqlite
