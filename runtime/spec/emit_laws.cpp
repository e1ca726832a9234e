#include <fmt/format.h>

#include <array>
#include <vector>

#include "runtime/law/job_machine.hpp"
#include "runtime/law/law_sentences.hpp"
#include "runtime/spec/emitted.hpp"

// The law as triggers, so that a hand at the database's prompt obeys too. A mask in a WHEN clause
// is the cheapest form: a list of values doubles the cost of a claim and a finish.
namespace quell::spec {
namespace {

// job.state as stored: an open job's state is its place in `live`.
constexpr unsigned stored_states = 6;
int stored(JobState state) {
  return state <= JobState::running ? 0 : static_cast<int>(state) - 2;
}
constexpr unsigned places = 3;
bool is_open(JobState state) {
  return state <= JobState::running;
}

constexpr const char* stored_names[stored_states] = {
    "open", "succeeded", "failed", "cancelled", "pending_delete", "delete_failed"};

template <std::size_t N>
using Masks = std::array<unsigned, N>;

Masks<places> place_masks() {
  Masks<places> masks{};
  for (const Move& move : moves())
    if (is_open(move.from) && is_open(move.to))
      masks[static_cast<std::size_t>(move.from)] |= 1U << static_cast<unsigned>(move.to);
  return masks;
}

Masks<stored_states> state_masks() {
  Masks<stored_states> masks{};
  for (const Move& move : moves()) {
    if (move.to == JobState::gone || (is_open(move.from) && is_open(move.to))) continue;
    masks[static_cast<std::size_t>(stored(move.from))] |= 1U << stored(move.to);
  }
  return masks;
}

unsigned birth_mask() {
  unsigned mask = 0;
  for (const Birth& birth : births()) mask |= 1U << stored(birth.state);
  return mask;
}

unsigned birth_place_mask() {  // a revived job enters `live` too
  unsigned mask = 0;
  for (const Birth& birth : births())
    if (is_open(birth.state)) mask |= 1U << static_cast<unsigned>(birth.state);
  for (const Move& move : moves())
    if (!is_open(move.from) && is_open(move.to)) mask |= 1U << static_cast<unsigned>(move.to);
  return mask;
}

// What enters the table of jobs at rest: what an open job becomes, and what is restored at rest.
unsigned rest_birth_mask() {
  unsigned mask = state_masks()[0];
  for (const Birth& birth : births())
    if (!is_open(birth.state)) mask |= 1U << stored(birth.state);
  return mask;
}

// What may leave it for `live`.
unsigned revive_mask() {
  unsigned mask = 0;
  for (const Move& move : moves())
    if (!is_open(move.from) && is_open(move.to)) mask |= 1U << stored(move.from);
  return mask;
}

// Moves within it.
Masks<stored_states> rest_masks() {
  Masks<stored_states> masks = state_masks();
  masks[0] = 0;
  for (unsigned& mask : masks) mask &= ~1U;
  return masks;
}

unsigned leaving_mask() {
  unsigned mask = 0;
  for (const Move& move : moves())
    if (move.to == JobState::gone) mask |= 1U << stored(move.from);
  return mask;
}

// ((CASE OLD.state WHEN 0 THEN 30 … END) >> NEW.state) & 1 = 0
template <std::size_t N>
std::string breaks(const Masks<N>& masks, std::string_view column) {
  std::string cases;
  for (std::size_t from = 0; from + 1 < N; ++from)
    cases += fmt::format(" WHEN {} THEN {}", from, masks[from]);
  return fmt::format("((CASE OLD.{0}{1} ELSE {2} END) >> NEW.{0}) & 1 = 0", column, cases,
                     masks[N - 1]);
}

std::string names_in(unsigned mask, bool of_places) {
  std::string names;
  for (unsigned bit = 0; bit < (of_places ? places : stored_states); ++bit) {
    if ((mask >> bit & 1U) == 0) continue;
    if (!names.empty()) names += ", ";
    names += of_places ? to_string(static_cast<JobState>(bit)) : stored_names[bit];
  }
  return names.empty() ? "nothing" : names;
}

std::string header(std::string_view about_open) {
  std::string text =
      "-- Written by quell_emit from runtime/spec/job_machine.def: change the table, not this "
      "file.\n"
      "-- A move that the law does not know is refused, whoever makes it. Each number is "
      "a bit\n"
      "-- mask of what may follow.\n--\n";
  const auto place = place_masks();
  for (unsigned from = 0; from < places; ++from)
    text += fmt::format("-- live.place {} {} -> {}\n", from, to_string(static_cast<JobState>(from)),
                        names_in(place[from], true));
  const auto state = state_masks();
  text += fmt::format("-- {} -> {}\n", about_open, names_in(state[0], false));
  for (unsigned from = 1; from < stored_states; ++from)
    text += fmt::format("-- job.state {} {} -> {}\n", from, stored_names[from],
                        names_in(state[from], false));
  return text;
}

using namespace law;

struct Clause {
  std::string breaks;
  std::string_view sentence;
};

// One trigger an event, whatever it checks: each one costs a call for each row. It rolls the
// transaction back, because the milder ABORT makes SQLite keep a copy of every page that a
// statement touches; together they would double the cost of a claim and a finish.
std::string sqlite_trigger(std::string_view name, std::string_view when, std::string_view on,
                           const std::vector<Clause>& clauses) {
  std::string any, which;
  for (const Clause& clause : clauses) {
    any += fmt::format("{}{}", any.empty() ? "" : "\n  OR ", clause.breaks);
    which += fmt::format("\n  WHEN {} THEN RAISE(ROLLBACK, '{}')", clause.breaks, clause.sentence);
  }
  const std::string refusal = clauses.size() == 1
                                  ? fmt::format("RAISE(ROLLBACK, '{}')", clauses[0].sentence)
                                  : fmt::format("CASE{} END", which);
  return fmt::format("\nCREATE TRIGGER {} BEFORE {} ON {}\nWHEN {}\nBEGIN SELECT {}; END;\n", name,
                     when, on, any, refusal);
}

}  // namespace

// INSERT OR REPLACE deletes rows without firing their triggers; hence the two guards of inserts.
Emitted sqlite_laws() {
  std::string text = header("job.state 0 open");
  text += sqlite_trigger("law_live_place", "UPDATE OF place", "live",
                         {{breaks(place_masks(), "place"), no_live_move}});
  text += sqlite_trigger("law_job_state", "UPDATE OF state", "job",
                         {{breaks(state_masks(), "state"), no_job_move}});
  text += sqlite_trigger("law_job_delete", "DELETE", "job",
                         {{fmt::format("({} >> OLD.state) & 1 = 0", leaving_mask()), not_leaving}});
  text +=
      sqlite_trigger("law_live_delete", "DELETE", "live",
                     {{"EXISTS (SELECT 1 FROM job WHERE id = OLD.job AND state = 0)", still_open}});
  text +=
      sqlite_trigger("law_job_insert", "INSERT", "job",
                     {{fmt::format("({} >> NEW.state) & 1 = 0", birth_mask()), not_born},
                      {"EXISTS (SELECT 1 FROM tomb WHERE id = NEW.id\n"
                       "             AND (restored_epoch IS NULL OR NEW.epoch < restored_epoch))",
                       has_tomb},
                      {"EXISTS (SELECT 1 FROM job WHERE id = NEW.id)", is_there}});
  text += sqlite_trigger(
      "law_live_insert", "INSERT", "live",
      {{fmt::format("({} >> NEW.place) & 1 = 0", birth_place_mask()), not_born},
       {"EXISTS (SELECT 1 FROM live WHERE job = NEW.job)", is_there},
       {"(NEW.ukey IS NOT NULL\n"
        "      AND EXISTS (SELECT 1 FROM live WHERE project = NEW.project AND ukey = NEW.ukey))",
        is_there}});
  text += sqlite_trigger("law_job_id", "UPDATE OF id", "job", {{"NEW.id <> OLD.id", is_there}});
  text +=
      sqlite_trigger("law_live_job", "UPDATE OF job", "live", {{"NEW.job <> OLD.job", is_there}});
  return {"storage/laws.sqlite.sql", text};
}

namespace {

std::string postgres_row_trigger(std::string_view name, std::string_view when, std::string_view on,
                                 std::string_view condition, std::string_view sentence) {
  return fmt::format(
      "\nCREATE OR REPLACE TRIGGER {} BEFORE {} ON {}\nFOR EACH ROW WHEN ({})\n"
      "EXECUTE FUNCTION law_broken('{}');\n",
      name, when, on, condition, sentence);
}

struct SetClause {
  std::string_view query, sentence;
};

// One look at all rows of the statement: a look per row would cost more than the row.
std::string postgres_set_trigger(std::string_view name, std::string_view event, std::string_view on,
                                 std::string_view rows, const std::vector<SetClause>& clauses) {
  std::string checks;
  for (const SetClause& clause : clauses)
    checks += fmt::format(
        "  IF EXISTS ({}) THEN\n"
        "    RAISE EXCEPTION '{}' USING ERRCODE = 'check_violation';\n  END IF;\n",
        clause.query, clause.sentence);
  return fmt::format(
      "\nCREATE OR REPLACE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS $law$\nBEGIN\n"
      "{4}  RETURN NULL;\nEND $law$;\n"
      "DROP TRIGGER IF EXISTS {0} ON {2};\n"
      "CREATE TRIGGER {0} AFTER {1} ON {2} REFERENCING {3} TABLE AS touched\n"
      "FOR EACH STATEMENT EXECUTE FUNCTION {0}();\n",
      name, event, on, rows, checks);
}

// Only of rows that may also go another way, and therefore costs an erase nothing.
std::string postgres_revive_trigger() {
  return fmt::format(
      "\nCREATE OR REPLACE FUNCTION law_job_back() RETURNS trigger LANGUAGE plpgsql AS $law$\n"
      "BEGIN\n  IF NOT EXISTS (SELECT 1 FROM live WHERE job = OLD.id) THEN\n"
      "    RAISE EXCEPTION '{}' USING ERRCODE = 'check_violation';\n  END IF;\n"
      "  RETURN NULL;\nEND $law$;\n"
      "CREATE OR REPLACE TRIGGER law_job_back AFTER DELETE ON job\n"
      "FOR EACH ROW WHEN (({} >> OLD.state) & 1 = 1) EXECUTE FUNCTION law_job_back();\n",
      not_leaving, revive_mask());
}

// A look by key for each touched row, whatever the statistics say: with OFFSET a subquery is
// planned by itself. A join reads all of a table that was empty when vacuum looked at it.
std::string touched_with(std::string_view rows) {
  return fmt::format(
      "SELECT 1 FROM touched WHERE EXISTS (\n             SELECT 1 FROM {} OFFSET 0)", rows);
}
constexpr std::string_view went_nowhere =
    "SELECT 1 FROM touched WHERE\n"
    "             NOT EXISTS (SELECT 1 FROM job WHERE id = touched.job OFFSET 0) AND\n"
    "             NOT EXISTS (SELECT 1 FROM tomb WHERE id = touched.job AND\n"
    "                         restored_epoch IS NULL OFFSET 0)";

std::string was_deleted(std::string_view id) {
  return touched_with(
      fmt::format("tomb WHERE tomb.id = touched.{} AND\n"
                  "             (restored_epoch IS NULL OR touched.epoch < restored_epoch)",
                  id));
}

std::string postgres_truncate_trigger(std::string_view on) {
  return fmt::format(
      "\nCREATE OR REPLACE TRIGGER law_{0}_truncate BEFORE TRUNCATE ON {0}\n"
      "FOR EACH STATEMENT EXECUTE FUNCTION law_broken('{1}');\n",
      on, no_truncate);
}

// Two nodes each see the other administrator while both are revoked, so revocations are made one
// after the other. A token that has expired lets nobody in, and may go.
std::string postgres_last_admin_trigger() {
  constexpr std::string_view is_valid_admin =
      "it ->> 'role' = 'admin' AND it ->> 'project' = '' AND\n"
      "    coalesce((it ->> 'expires')::bigint > extract(epoch FROM clock_timestamp()) * 1000,"
      " true)";
  return fmt::format(
      "\nCREATE OR REPLACE FUNCTION is_valid_admin(body bytea) RETURNS boolean LANGUAGE plpgsql AS "
      "$law$\nDECLARE\n  it jsonb;\nBEGIN\n  it := convert_from(body, 'UTF8')::jsonb;\n"
      "  RETURN coalesce({}, false);\n"
      "EXCEPTION WHEN data_exception THEN RETURN false;  -- no token of ours\nEND $law$;\n"
      "CREATE OR REPLACE FUNCTION law_last_admin() RETURNS trigger LANGUAGE plpgsql AS $law$\n"
      "BEGIN\n  IF NOT is_valid_admin(OLD.body) THEN RETURN OLD; END IF;\n"
      "  PERFORM pg_advisory_xact_lock(hashtextextended('quell.last_admin', 0));\n"
      "  IF NOT EXISTS (SELECT 1 FROM doc WHERE kind = 'token' AND id <> OLD.id\n"
      "                 AND is_valid_admin(body)) THEN\n"
      "    RAISE EXCEPTION '{}' USING ERRCODE = 'check_violation';\n  END IF;\n"
      "  RETURN OLD;\nEND $law$;\n"
      "CREATE OR REPLACE TRIGGER law_last_admin BEFORE DELETE ON doc\n"
      "FOR EACH ROW WHEN (OLD.kind = 'token') EXECUTE FUNCTION law_last_admin();\n",
      is_valid_admin, last_admin);
}

}  // namespace

Emitted postgres_laws() {
  std::string text = header("a row of live that goes");
  text +=
      "\nCREATE OR REPLACE FUNCTION law_broken() RETURNS trigger LANGUAGE plpgsql AS $law$\n"
      "BEGIN\n  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';\nEND $law$;\n";
  text += postgres_row_trigger("law_live_place", "UPDATE OF place", "live",
                               breaks(place_masks(), "place"), no_live_move);
  text += postgres_row_trigger("law_job_state", "UPDATE OF state", "job",
                               breaks(rest_masks(), "state"), no_job_move);
  text += postgres_row_trigger(
      "law_job_delete", "DELETE", "job",
      fmt::format("({} >> OLD.state) & 1 = 0", leaving_mask() | revive_mask()), not_leaving);
  text += postgres_revive_trigger();
  text += postgres_set_trigger("law_live_delete", "DELETE", "live", "OLD",
                               {{went_nowhere, still_open}});
  text +=
      postgres_row_trigger("law_job_birth", "INSERT", "job",
                           fmt::format("({} >> NEW.state) & 1 = 0", rest_birth_mask()), not_born);
  // Each look is of its own moment, and an erase may commit between two of them. The row is looked
  // for first: if it was there no more, its tombstone was written before the second look.
  const std::string deleted_job = was_deleted("id"), deleted_live = was_deleted("job"),
                    is_live = touched_with("live WHERE live.job = touched.id"),
                    is_at_rest = touched_with("job WHERE job.id = touched.job");
  text += postgres_set_trigger("law_job_insert", "INSERT", "job", "NEW",
                               {{is_live, is_there}, {deleted_job, has_tomb}});
  text += postgres_set_trigger("law_live_insert", "INSERT", "live", "NEW",
                               {{is_at_rest, is_there}, {deleted_live, has_tomb}});
  text +=
      postgres_row_trigger("law_live_birth", "INSERT", "live",
                           fmt::format("({} >> NEW.place) & 1 = 0", birth_place_mask()), not_born);
  text += postgres_row_trigger("law_job_id", "UPDATE OF id", "job", "NEW.id <> OLD.id", is_there);
  text +=
      postgres_row_trigger("law_live_job", "UPDATE OF job", "live", "NEW.job <> OLD.job", is_there);
  text += postgres_last_admin_trigger();
  for (const char* table : {"job", "live", "tomb", "audit"})
    text += postgres_truncate_trigger(table);
  return {"storage/laws.postgres.sql", text};
}

}  // namespace quell::spec
