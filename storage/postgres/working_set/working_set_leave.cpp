// Marks of many jobs by one call, in statements that are told once what is the same for all. Of few
// they are writes like any other.
#include <map>

#include "storage/postgres/working_set/working_set.hpp"

namespace quell::storage::postgres {

namespace {

// The row goes in the same transaction: the law and the fence ask for no more than this.
constexpr Query mark_at_once{
    "mark_at_once", "UPDATE job SET state = 4, delete_id = $2::uuid WHERE id = ANY($1::uuid[])"};
constexpr Query mark_runs{
    "mark_runs",
    "WITH l AS (DELETE FROM live WHERE job = ANY($1::uuid[]) RETURNING *)"
    " INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has, started,"
    " delete_id, schedule, node) SELECT job, project, queue, kind, 9 - pk, 4, epoch + 1, attempt,"
    " lost, has, since, $2::uuid, schedule, node FROM l"};

}  // namespace

void WorkingSet::write_leaving() {
  write_leaving(mark_at_once, JobEntry::job_leaves, JobEntry::job_state);
  write_leaving(mark_runs, JobEntry::run_leaves, JobEntry::job_rests);
}

void WorkingSet::write_leaving(const Query& query, unsigned pending, unsigned one_by_one) {
  std::map<DeleteId, std::vector<JobEntry*>> calls;
  for (JobEntry* job : with(pending)) {
    if (job->pending & JobEntry::has_bits)
      job->pending |= one_by_one;
    else
      calls[*job->delete_id].push_back(job);
  }
  for (const auto& [call, jobs] : calls) {
    ArrayLiteral ids;
    for (const JobEntry* job : jobs) ids.add(job->id);
    if (std::ssize(jobs) >= many_alike)
      session_.db.write(query, ids, call);
    else
      for (JobEntry* job : jobs) job->pending |= one_by_one;
  }
}

}  // namespace quell::storage::postgres
