#include "actors/safeguards/approved_deletes.hpp"

#include "actors/safeguards/held_tasks.hpp"
#include "actors/send.hpp"
#include "runtime/law/deletion_guard.hpp"
#include "storage/reader.hpp"

namespace quell {

namespace {

constexpr Millis try_again_wait{30'000};

void forget_held(const NodeContext& context, Uuid alert) {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back(made_doc(alert));
  tell(context.clerk, WriteOps{std::move(ops), {}});
}

}  // namespace

storage::DocOp made_doc(Uuid alert) {
  return {.kind = held_kind, .id = alert.text(), .body = std::nullopt};
}

void make_approved(const std::shared_ptr<NodeContext>& context, Uuid alert, const HeldDelete& held,
                   std::function<void(Result<DeleteReport>)> answer) {
  DeleteRequest request = *held.request;
  request.approved = request.confirm = true;
  request.made_as = alert;
  auto made = [context, alert, answer = std::move(answer)](Result<DeleteReport> report) {
    if (report) forget_held(*context, alert);
    answer(std::move(report));
  };
  tell_first(context->deleter, EraseJobs{std::move(request), std::move(made)});
}

Result<std::vector<LeftOver>> ApprovedDeletes::find(storage::Reader& reader, Instant now) {
  const auto docs = reader.docs(held_kind, "");
  if (!docs) return docs.error();
  std::vector<LeftOver> left;
  for (const storage::Doc& doc : *docs) {
    const auto id = Uuid::parse(doc.id);
    auto held = held_of(doc);
    if (!id || !held || !held->approved || (!held->request && !held->tasks)) continue;
    if (now - *held->approved < approved_wait) continue;
    const auto call = reader.call(*id);
    if (!call) return call.error();
    left.push_back({*id, std::move(*held), *call && (*call)->is_marked});
  }
  return left;
}

// A freeze that came after the approval is heard: it waits until that is lifted.
void ApprovedDeletes::take_up(const std::vector<LeftOver>& left,
                              const std::shared_ptr<NodeContext>& context) {
  const auto permit =
      admit_deletion(context->deletion_rules(), {.confirm = true, .approved = true});
  if (!permit || *permit == DeletionPermit::would_delete) return;
  const Instant now = context->clock->now();
  std::map<Uuid, Instant> tried;
  for (const LeftOver& one : left) {
    const auto before = tried_.find(one.alert);
    const bool waits = before != tried_.end() && now - before->second < try_again_wait;
    tried[one.alert] = waits ? before->second : now;
    if (waits) continue;
    if (one.is_made)
      forget_held(*context, one.alert);
    else if (one.held.tasks)
      order_tasks(context, *one.held.tasks, one.alert, [](const Result<TasksOrdered>&) {});
    else
      make_approved(context, one.alert, one.held, [](const Result<DeleteReport>&) {});
  }
  tried_ = std::move(tried);
}

}  // namespace quell
