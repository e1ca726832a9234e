#include "actors/scribe.hpp"

#include <caf/all.hpp>
#include <chrono>

#include "actors/messages.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

BatchApplied apply(storage::Writer& writer, const ApplyBatch& work) {
  const auto from = std::chrono::steady_clock::now();
  Result<storage::Outcome> outcome = writer.apply(*work.batch);
  return {work.hand, std::move(outcome),
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                from)};
}

caf::behavior scribe(caf::event_based_actor* self, std::shared_ptr<storage::Writer> writer) {
  self->set_default_handler(caf::print_and_drop);
  return {
      [writer = std::move(writer)](const ApplyBatch& work) {
        tell(work.clerk, apply(*writer, work));
      },
  };
}

// Between a commit and the word of it a thread may be held up for any time. On the one scheduler of
// a deterministic test these are two steps, or a test could not put anything between them.
caf::behavior slow_scribe(caf::event_based_actor* self, std::shared_ptr<storage::Writer> writer) {
  self->set_default_handler(caf::print_and_drop);
  auto clerk = std::make_shared<caf::weak_actor_ptr>();
  return {
      [self, clerk, writer = std::move(writer)](const ApplyBatch& work) {
        *clerk = work.clerk;
        self->send(self, apply(*writer, work));
      },
      [clerk](BatchApplied& applied) { tell(*clerk, std::move(applied)); },
  };
}

}  // namespace

caf::actor spawn_scribe(caf::actor_system& system, std::shared_ptr<storage::Writer> writer,
                        bool own_thread) {
  if (own_thread) return system.spawn<caf::detached>(scribe, std::move(writer));
  return system.spawn(slow_scribe, std::move(writer));
}

}  // namespace quell
