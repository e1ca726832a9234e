// What a node is asked about operations: the law first, then a document; the runner finds it.
#include "actors/deletes/delete_admission.hpp"
#include "actors/node/node_runtime.hpp"
#include "actors/operations/operation_messages.hpp"
#include "actors/operations/operation_views.hpp"
#include "actors/safeguards/held_keys.hpp"

namespace quell {

namespace {

Result<void> lawful(const DeletionRules& rules, const OperationOrder& order) {
  if (order.verb != OperationVerb::erase) return {};
  const auto permit = admit_deletion(rules, {.origin = DeletionOrigin::filter,
                                             .ids = static_cast<std::uint64_t>(order.expected),
                                             .confirm = order.confirm,
                                             .approved = order.approved});
  if (!permit) return permit.error();
  if (*permit == DeletionPermit::would_delete)
    return Error{ErrorCode::state_conflict, "This server is in dry-run mode: nothing is deleted."};
  return {};
}

}  // namespace

void NodeRuntime::start_operation(OperationOrder order,
                                  std::function<void(Result<Operation>)> answer) {
  if (stopping_) return answer(Error{ErrorCode::draining});
  if (const auto fine = lawful(deletion_rules(), order); !fine) {
    DeleteRequest refused;
    refused.who = order.who;
    refused.path = "filter";
    return refuse(refusal_of(refused, fine.error().code, system_clock().now()), fine.error(),
                  [answer, reason = fine.error()](const Result<DeleteReport>&) { answer(reason); });
  }
  auto operation = std::make_shared<Operation>();
  static_cast<OperationOrder&>(*operation) = std::move(order);
  readers_->run([this, operation, answer = std::move(answer)](storage::Reader& reader) {
    const auto at_work = reader.docs(operation_kind, "");
    if (!at_work) return answer(at_work.error());
    if (at_work->size() >= operations_at_once_max)
      return answer(Error{ErrorCode::overloaded, "100 operations are at work already"});
    if (operation->verb == OperationVerb::erase) {
      const auto before = held_under(reader, settings_.spike_hold ? operation->held_key : "");
      if (!before) return answer(before.error());
      if (before->refusal) return answer(*before->refusal);
      const auto live = live_jobs(reader);
      if (!live) return answer(live.error());
      const SpikeWatch::Own own{operation->id, operation->at,
                                static_cast<std::uint64_t>(operation->expected), *live};
      const auto spike = SpikeWatch::would_cross(reader, SpikeRules::of(settings_), own);
      if (!spike) return answer(spike.error());
      if (*spike) {
        Alert alert{.id = own.id, .spike = **spike, .at = own.at};
        alert.who = operation->who;
        alert.path = "filter";
        alert.project = operation->project;
        if (settings_.spike_hold && !operation->approved)
          return hold(alert, {.operation = *operation}, operation->held_key, answer);
        if (!operation->approved) raise(std::move(alert));
      }
    }
    auto ops = std::make_shared<storage::Batch>();
    ops->docs.push_back(operation_doc(*operation, 0));
    ops->audits.push_back({operation->at, operation->who, "operation.started", operation->id.text(),
                           operation_audit_detail(*operation)});
    tell_first(context_->clerk,
               WriteOps{std::move(ops), [operation, answer, runner = context_->operations](
                                            const Result<storage::Outcome>& outcome) {
                          if (!outcome) return answer(outcome.error());
                          tell(runner, OperationsDue{});
                          answer(*operation);
                        }});
  });
}

void NodeRuntime::steer_operation(const Operation& operation, OperationWish wish,
                                  const std::string& who,
                                  std::function<void(Result<void>)> answer) {
  const Instant now = system_clock().now();
  if (!may_wish(operation.state, wish))
    return answer(Error{ErrorCode::state_conflict,
                        "The operation is " + std::string(to_string(operation.state)) + "."});
  if (wish == OperationWish::resume && operation.verb == OperationVerb::erase &&
      deletion_rules().frozen)
    return answer(Error{ErrorCode::deletions_frozen, {}});
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(wish_doc(operation, wish, who, now));
  ops->audits.push_back(
      {now, who, "operation." + std::string(to_string(wish)), operation.id.text(), "{}"});
  tell_first(context_->clerk,
             WriteOps{std::move(ops), [answer = std::move(answer), runner = context_->operations](
                                          const Result<storage::Outcome>& done) {
                        if (!done) return answer(done.error());
                        tell(runner, OperationsDue{});
                        answer({});
                      }});
}

}  // namespace quell
