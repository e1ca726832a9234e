#include "storage/postgres/verbs/fast_finish.hpp"

#include <algorithm>
#include <unordered_map>

#include "runtime/base/assert.hpp"
#include "storage/verbs.hpp"

namespace quell::storage::postgres {

namespace {

// The live row goes and the job's is written. Whoever moves the job first has the live row's lock;
// who waited for it finds no row, or looks at it again as it is now.
// `place + 0`: statistics taken while nothing ran say that no row has place 2, and the planner
// would read all running jobs for each that ends. An expression has no statistics; the key remains.
constexpr Query end_jobs{
    "finish_job",
    "WITH g AS (DELETE FROM live l USING"
    " unnest($1::uuid[], $2::int[], $3::smallint[], $4::int[], $5::bigint[], $6::bigint[])"
    " f(id, epoch, state, has, finished, expires) WHERE l.job = f.id AND l.epoch = f.epoch AND"
    " l.place + 0 = 2 RETURNING f.*, l.project, l.queue, l.kind, l.pk, l.attempt, l.lost,"
    " l.has AS had, l.since, l.schedule, l.node),"
    " e AS (INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has,"
    " started, finished, expires, schedule, node) SELECT id, project, queue, kind, 9 - pk, state,"
    " epoch, attempt + 1, lost, (had & ~2) | has, since, finished, expires, schedule, node FROM g)"
    " SELECT id, project, queue, had FROM g"};

static_assert(has_result == 2);

bool ends_for_good(JobEvent event) {
  return kind_of(event) == EventKind::ends;
}

int bits_of(const FinishOp& op) {
  int has = 0;
  if (!op.result.empty() || !op.error.empty()) has |= has_result;
  if (!op.usage.empty()) has |= has_progress;
  if (op.attempt) has |= has_attempts;
  if (!op.deliveries.empty()) has |= has_deliveries;
  return has;
}

}  // namespace

bool FastFinish::fits(const Batch& batch) {
  const auto touches_jobs = [](VerbTraits verb) { return verb.rows == VerbRows::jobs; };
  if (count_ops(batch, touches_jobs) != batch.finishes.size()) return false;
  for (const EnqueueOp& op : batch.enqueues)
    if (op.sender) return false;  // whose row is read and locked
  std::vector<JobId> jobs;
  for (const FinishOp& op : batch.finishes) {
    if (!ends_for_good(op.event)) return false;
    jobs.push_back(op.job);
  }
  std::sort(jobs.begin(), jobs.end());
  return std::adjacent_find(jobs.begin(), jobs.end()) == jobs.end();
}

std::vector<FinishResult> FastFinish::apply(const std::vector<FinishOp>& ops) {
  std::vector<FinishResult> results(ops.size());
  std::vector<std::size_t> order(ops.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return ops[a].job < ops[b].job; });
  ArrayLiteral job, epoch, state, has, finished, expires;
  std::unordered_map<JobId, std::size_t> at;
  at.reserve(ops.size());
  for (const std::size_t i : order) {
    const FinishOp& op = ops[i];
    const std::optional<JobState> to = decide(JobState::running, op.event);
    QUELL_ASSERT(to);
    results[i].state = *to;
    at[op.job] = i;
    job.add(op.job);
    epoch.add(op.epoch);
    state.add(stored(*to));
    has.add(bits_of(op));
    finished.add(op.now);
    expires.add(op.expires);
  }
  const Rows ended = session_.db.run(end_jobs, job, epoch, state, has, finished, expires);
  for (const Row row : ended) {
    const std::size_t i = at.at(row.uuid(0));
    results[i].written = true;
    session_.tally.moved(row.view(1), row.view(2), JobState::running, results[i].state);
    write_side_rows(ops[i], row.number(3));
  }
  side_.write();
  for (FinishResult& result : results)
    if (!result.written) result = {};
  return results;
}

void FastFinish::write_side_rows(const FinishOp& op, int had) {
  if (!op.result.empty() || !op.error.empty())
    side_.result(op.job, op.result, op.error, op.result.empty() ? std::nullopt : op.result_expires);
  else if (had & has_result)
    side_.no_result(op.job);
  if (!op.usage.empty()) side_.usage(op.job, op.usage);
  if (op.attempt) side_.attempt(op.job, *op.attempt);
  side_.deliveries(op.job, op.deliveries);
}

}  // namespace quell::storage::postgres
