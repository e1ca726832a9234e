// What every control actor is: one of a name, on a thread of its own, that never goes without a
// word (see fatal.hpp). `spawn_control` is the only way to start one.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/invoke_message_result.hpp>
#include <caf/spawn_options.hpp>
#include <memory>
#include <utility>

#include "actors/fatal.hpp"
#include "actors/node_context.hpp"

namespace quell {

// Which of them it is, and who hears of its end.
struct ControlSeat {
  ControlPlace place;
  std::shared_ptr<FatalHandler> fatal;
};

class ControlActor : public caf::event_based_actor {
 public:
  ControlActor(caf::actor_config& config, const ControlSeat& seat);

  const char* name() const final { return name_of(place_); }
  caf::invoke_message_result consume(caf::mailbox_element& message) final;

 private:
  const ControlPlace place_;
  const Failpoint point_;
  const caf::mailbox_element* at_ = nullptr;  // the message that is being handled
};

// Whoever ends otherwise than by its dismissal has fallen, also when nothing was thrown.
void watch_end(const caf::actor& actor, const ControlSeat& seat);

template <class Actor, class... Parts>
caf::actor spawn_control(caf::actor_system& system, ControlPlace place, const NodeContext& context,
                         Parts&&... parts) {
  const ControlSeat seat{place, context.fatal};
  caf::actor actor;
  if (context.own_threads)
    actor = system.spawn<Actor, caf::detached>(seat, std::forward<Parts>(parts)...);
  else
    actor = system.spawn<Actor>(seat, std::forward<Parts>(parts)...);
  watch_end(actor, seat);
  return actor;
}

}  // namespace quell
