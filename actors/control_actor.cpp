#include "actors/control_actor.hpp"

#include <cxxabi.h>

#include <caf/all.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

namespace quell {

namespace {

// "WriteOps" of a message of ours; of one of CAF's, its own name.
std::string name_of_message(const caf::mailbox_element& message) {
  const caf::type_erased_tuple& content = message.content();
  if (content.size() == 0) return "an empty message";
  if (content.match_element<caf::down_msg>(0)) return "DownMessage";
  if (content.match_element<caf::exit_msg>(0)) return "ExitMessage";
  const caf::rtti_pair type = content.type(0);
  if (type.second == nullptr) return caf::to_string(type);
  int fault = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(type.second->name(), nullptr, nullptr, &fault), &std::free);
  std::string_view name = fault == 0 ? readable.get() : type.second->name();
  constexpr std::string_view ours = "quell::";
  if (name.starts_with(ours)) name.remove_prefix(ours.size());
  return std::string(name);
}

}  // namespace

ControlActor::ControlActor(caf::actor_config& config, const ControlSeat& seat)
    : caf::event_based_actor(config), place_(seat.place), point_(failpoint_of(seat.place)) {
  set_default_handler(caf::print_and_drop);
  set_exception_handler([this, fatal = seat.fatal](std::exception_ptr& thrown) -> caf::error {
    fatal->threw(name(), at_ != nullptr ? name_of_message(*at_) : "its start", thrown);
    return caf::exit_reason::unhandled_exception;
  });
}

caf::invoke_message_result ControlActor::consume(caf::mailbox_element& message) {
  at_ = &message;
  static_cast<void>(fails_here(point_));
  const auto result = caf::event_based_actor::consume(message);
  at_ = nullptr;
  return result;
}

void watch_end(const caf::actor& actor, const ControlSeat& seat) {
  actor->attach_functor([seat](const caf::error& reason) {
    if (reason == caf::exit_reason::user_shutdown) return;
    seat.fatal->fell(name_of(seat.place), {},
                     "it ended, and nobody had dismissed it: " + caf::to_string(reason));
  });
}

}  // namespace quell
