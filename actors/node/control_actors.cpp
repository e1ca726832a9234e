#include "actors/node/control_actors.hpp"

#include <caf/all.hpp>

#include "actors/backups/backup_keeper.hpp"
#include "actors/deletes/deleter.hpp"
#include "actors/deletes/janitor.hpp"
#include "actors/deletes/sweeper.hpp"
#include "actors/node/pool_snapshot.hpp"
#include "actors/node/steering.hpp"
#include "actors/operations/operation_runner.hpp"
#include "actors/runs/foreman.hpp"
#include "actors/schedules/task_eraser.hpp"
#include "actors/schedules/timekeeper.hpp"
#include "actors/send.hpp"
#include "actors/sentinel/sentinel.hpp"
#include "actors/webhooks/courier.hpp"
#include "actors/writes/sealer.hpp"

namespace quell {

Result<ClerkParts> clerk_parts(storage::Store& store, std::unique_ptr<storage::Writer> first,
                               int writers, const Steering& steering) {
  ClerkParts parts;
  parts.writers.push_back(std::move(first));
  while (std::ssize(parts.writers) < writers) {
    auto another = store.open_writer();
    if (!another) return another.error();
    parts.writers.push_back(std::move(another).value());
  }
  auto reader = store.open_reader();
  if (!reader) return reader.error();
  parts.reader = std::move(reader).value();
  for (const QueueView& queue : steering.queues()) {
    QueueSpec spec{.name = queue.name,
                   .pool = queue.pool,
                   .weight = static_cast<std::uint32_t>(steering.weight(queue.name))};
    spec.paused = queue.paused;
    spec.closed = queue.closed;
    spec.limits = queue.limits;
    parts.queues.push_back(spec);
  }
  auto counts = parts.reader->counts("");
  if (!counts) return counts.error();
  for (const storage::CountRow& row : *counts)
    if (row.state == JobState::queued && row.n > 0) parts.ready.push_back(row.queue);
  return parts;
}

void start_control_actors(caf::actor_system& system, const std::shared_ptr<NodeContext>& context,
                          ClerkParts clerk, RegistrarParts registrar) {
  for (const auto& [name, capacity] : context->settings->pools) {
    PoolView view;
    view.name = name;
    view.capacity = view.free = capacity;
    context->pools->write(std::move(view));
  }
  clerk.context = registrar.context = context;
  clerk.shared_store = registrar.shared_store = context->shared_store;
  context->clerk = spawn_clerk(system, std::move(clerk));
  context->deleter = spawn_deleter(system, context);
  context->janitor = spawn_janitor(system, context);
  context->courier = spawn_courier(system, context);
  context->sealer = spawn_sealer(system, context);
  context->operations = spawn_operation_runner(system, context);
  context->sweeper = spawn_sweeper(system, context);
  context->backups = spawn_backup_keeper(system, context);
  context->sentinel = spawn_sentinel(system, context);
  context->foreman = spawn_foreman(system, context);
  context->timekeeper = spawn_timekeeper(system, context);
  context->task_eraser = spawn_task_eraser(system, context);
  context->registrar = spawn_registrar(system, std::move(registrar));
  tell(context->foreman, LookAgain{});  // offers its permits
}

void dismiss_control_actors(const NodeContext& context) {
  for (const caf::actor* actor :
       {&context.registrar, &context.timekeeper, &context.task_eraser, &context.operations,
        &context.janitor, &context.deleter, &context.foreman, &context.courier, &context.sealer,
        &context.sweeper, &context.backups, &context.sentinel, &context.clerk})
    if (*actor) caf::anon_send_exit(*actor, caf::exit_reason::user_shutdown);
}

void forget_control_actors(NodeContext& context) {
  context.clerk = context.foreman = context.deleter = context.janitor = nullptr;
  context.courier = context.sealer = context.registrar = context.operations = nullptr;
  context.timekeeper = context.task_eraser = context.sweeper = context.backups = nullptr;
  context.sentinel = nullptr;
}

}  // namespace quell
