#include "storage/postgres/verbs/stories.hpp"

#include <unordered_map>

#include "runtime/policy/tomb_story.hpp"

namespace quell::storage::postgres {

namespace {

constexpr Query told_options{
    "story_options", "SELECT job, meta FROM payload WHERE job = ANY($1::uuid[]) AND meta <> ''"};
constexpr Query told_usage{
    "story_usage",
    "SELECT job, usage FROM progress WHERE job = ANY($1::uuid[]) AND usage IS NOT NULL"};
constexpr Query told_attempts{
    "story_attempts",
    "SELECT job, n, started, ended, outcome, error, node FROM attempt WHERE job = ANY($1::uuid[])"
    " ORDER BY job, n"};
constexpr Query told_deliveries{
    "story_deliveries",
    "SELECT job, count(*), sum(tries)::bigint FROM delivery WHERE job = ANY($1::uuid[])"
    " AND place <> 0 GROUP BY job"};

using Stories = std::unordered_map<JobId, StoryFacts>;

// The rows of the jobs that have some.
Rows rows_of(Connection& db, const Query& query, const std::vector<Erasure>& erased, int bit) {
  ArrayLiteral jobs;
  for (const Erasure& one : erased)
    if (one.has & bit) jobs.add(one.job);
  return db.run(query, jobs);
}

bool any(const std::vector<Erasure>& erased, int bits) {
  for (const Erasure& one : erased)
    if (one.has & bits) return true;
  return false;
}

}  // namespace

void tell_stories(Connection& db, std::vector<Erasure>& erased) {
  Stories stories;
  if (any(erased, has_payload)) {
    const Rows rows = rows_of(db, told_options, erased, has_payload);
    for (const Row row : rows)
      stories[row.uuid(0)].submitted_by = options_from_json(row.text(1)).submitted_by;
  }
  if (any(erased, has_progress)) {
    const Rows rows = rows_of(db, told_usage, erased, has_progress);
    for (const Row row : rows) stories[row.uuid(0)].usage = row.bytes(1);
  }
  if (any(erased, has_attempts)) {
    const Rows rows = rows_of(db, told_attempts, erased, has_attempts);
    for (const Row row : rows)
      stories[row.uuid(0)].attempts.push_back({row.number(1), row.maybe_instant(2), row.instant(3),
                                               row.text(4), row.bytes(5), row.text(6)});
  }
  if (any(erased, has_deliveries)) {
    const Rows rows = rows_of(db, told_deliveries, erased, has_deliveries);
    for (const Row row : rows) {
      stories[row.uuid(0)].deliveries = row.big(1);
      stories[row.uuid(0)].delivery_tries = row.big(2);
    }
  }
  for (Erasure& one : erased)
    if (const auto told = stories.find(one.job); told != stories.end())
      one.story = tomb_story(told->second);
}

}  // namespace quell::storage::postgres
