// Sending as this house does it: no reply expected, no sender needed, and a weak reference wherever
// a timer or an effect keeps it, so that a forgotten timer never keeps a dead actor in memory.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/send.hpp>
#include <utility>

namespace quell {

template <class Message>
void tell(const caf::actor& to, Message&& message) {
  if (to) caf::anon_send(to, std::forward<Message>(message));
}

// Overtakes what waits in the receiver's mailbox.
template <class Message>
void tell_first(const caf::actor& to, Message&& message) {
  if (to) caf::anon_send<caf::message_priority::high>(to, std::forward<Message>(message));
}

template <class Actor>
caf::weak_actor_ptr weak(Actor* self) {
  return caf::actor_cast<caf::weak_actor_ptr>(self->address());
}

template <class Message>
void tell(const caf::weak_actor_ptr& to, Message&& message) {
  if (auto strong = to.lock())
    tell(caf::actor_cast<caf::actor>(strong), std::forward<Message>(message));
}

}  // namespace quell
