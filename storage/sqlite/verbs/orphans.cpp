#include "storage/sqlite/verbs/orphans.hpp"

#include <fmt/core.h>

#include <array>

#include "storage/sqlite/connection/statement.hpp"

namespace quell::storage::sqlite {

namespace {

struct Side {
  const char* table;
  int bit;  // of job.has
};
constexpr std::array sides{Side{"doubt", 512},  Side{"payload", 1},   Side{"result", 2},
                           Side{"step", 4},     Side{"partial", 8},   Side{"log", 16},
                           Side{"attempt", 32}, Side{"delivery", 64}, Side{"progress", 128}};

struct Check {
  const char* name;
  const char* sql;
};
constexpr std::array checks{
    Check{"live without open job",
          "SELECT job FROM live WHERE NOT EXISTS"
          " (SELECT 1 FROM job WHERE id = live.job AND state = 0)"},
    Check{"open job without live",
          "SELECT id FROM job WHERE state = 0 AND NOT EXISTS"
          " (SELECT 1 FROM live WHERE job = job.id)"},
    Check{"live says something else",
          "SELECT id FROM job JOIN live ON live.job = id WHERE job.has <> live.has OR"
          " job.queue <> live.queue OR job.project <> live.project OR job.kind <> live.kind OR"
          " (live.place = 0) <> (live.due IS NOT NULL) OR"
          " (live.place = 2) <> (live.node IS NOT NULL)"},
    Check{"leaving without ticket",
          "SELECT id FROM job WHERE state > 3 AND NOT EXISTS"
          " (SELECT 1 FROM ticket WHERE job = job.id AND delete_id = job.delete_id"
          " AND ticket.state = job.state + 2)"},
    Check{"ticket without leaving job",
          "SELECT job FROM ticket WHERE forced = 0 AND NOT EXISTS"
          " (SELECT 1 FROM job WHERE id = ticket.job AND state > 3)"},
    Check{"forced ticket with a job",
          "SELECT job FROM ticket WHERE forced = 1 AND EXISTS"
          " (SELECT 1 FROM job WHERE id = ticket.job)"},
    Check{"ticket without holder",
          "SELECT job FROM ticket WHERE NOT EXISTS"
          " (SELECT 1 FROM holder WHERE job = ticket.job AND verdict IS NULL)"},
    Check{"holder without ticket",
          "SELECT job FROM holder WHERE NOT EXISTS"
          " (SELECT 1 FROM ticket WHERE job = holder.job)"},
    Check{"job with a tombstone",
          "SELECT job.id FROM job JOIN tomb ON tomb.id = job.id"
          " WHERE restored_epoch IS NULL OR job.epoch < restored_epoch"}};

constexpr const char* tally_check =
    "SELECT project, queue, state FROM ("
    " SELECT project, queue, state, n FROM tally UNION ALL"
    " SELECT project, queue, place, -1 FROM live UNION ALL"
    " SELECT project, queue, state + 2, -1 FROM job WHERE state > 0)"
    " GROUP BY 1, 2, 3 HAVING sum(n) <> 0";

void run(Connection& db, const std::string& name, const std::string& sql,
         std::vector<std::string>& found) {
  Statement statement(db, sql + " LIMIT 100");
  for (Rows row = statement.rows(); row.next();) found.push_back(name + " " + row.uuid(0).text());
}

}  // namespace

std::vector<std::string> find_orphans(Connection& db) {
  std::vector<std::string> found;
  for (const Side& side : sides)
    run(db, side.table,
        fmt::format("SELECT DISTINCT job FROM {0} WHERE job <> zeroblob(16) AND NOT EXISTS"
                    " (SELECT 1 FROM job WHERE id = {0}.job AND has & {1})",
                    side.table, side.bit),
        found);
  for (const Check& check : checks) run(db, check.name, check.sql, found);
  Statement tally(db, tally_check);
  for (Rows row = tally.rows(); row.next();)
    found.push_back(fmt::format("tally {}/{} state {}", row.text(0), row.text(1), row.number(2)));
  return found;
}

}  // namespace quell::storage::sqlite
