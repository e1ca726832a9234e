#include "actors/operations/operation_steer.hpp"

#include "actors/operations/operation_outcomes.hpp"

namespace quell {

namespace {

// The commit that steers a slice says so: whoever takes the operation up never steers it again.
// What became of the jobs is written with the next note; until then nobody knows.
void say_steered(NodeContext& context, OperationWork& work, const std::vector<JobId>& jobs,
                 storage::Batch& ops) {
  Operation said = work.operation;
  said.handled += static_cast<std::int64_t>(said.slice.size());
  said.slice.clear();
  std::string items = count_forbidden(said, work.forbidden);
  if (!items.empty()) items += ',';
  items += count_unknown(said, jobs);
  work.page = context.ids->next();
  storage::DocOp page = outcomes_doc(said, work.page, items, context.clock->now());
  page.only_with = said.id.text();
  ops.docs.push_back(operation_doc(said, work.version));
  ops.docs.push_back(std::move(page));
}

}  // namespace

std::shared_ptr<storage::Batch> steer_ops(NodeContext& context, OperationWork& work,
                                          const std::vector<JobId>& jobs,
                                          const std::set<JobId>& scheduled) {
  const Operation& operation = work.operation;
  const Instant now = context.clock->now();
  const bool cancels = operation.verb == OperationVerb::cancel;
  const auto expires = expires_at(RetentionRules::of(*context.settings), JobState::cancelled, now);
  auto ops = std::make_shared<storage::Batch>();
  for (const JobId& job : jobs) {
    storage::SteerOp op{.job = job, .event = JobEvent::revive, .who = operation.who, .now = now};
    if (cancels) op.event = JobEvent::cancel;
    if (scheduled.contains(job)) op.event = JobEvent::run_now;
    op.project = operation.project;
    op.only_at = storage::DocAt{operation_kind, operation.id.text(), work.version};
    if (cancels) op.expires = expires;
    ops->steers.push_back(std::move(op));
  }
  say_steered(context, work, jobs, *ops);
  return ops;
}

}  // namespace quell
