#include "runtime/policy/operation_plan.hpp"

#include <array>

namespace quell {

namespace {

constexpr std::array<std::string_view, 3> verbs{"delete", "cancel", "retry"};
constexpr std::array<std::string_view, 5> states{"running", "paused", "settling", "done",
                                                 "stopped"};
constexpr std::array<std::string_view, 4> wishes{"none", "pause", "resume", "stop"};

template <class Kind, class Names>
std::optional<Kind> parse(const Names& names, std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return static_cast<Kind>(i);
  return std::nullopt;
}

OperationMove settle(const OperationView& view, bool is_stopping) {
  if (view.has_open) return {OperationState::settling, OperationStep::await, is_stopping};
  return {is_stopping ? OperationState::stopped : OperationState::done, OperationStep::end,
          is_stopping};
}

}  // namespace

OperationMove next_of(const OperationView& view) {
  if (is_over(view.state)) return {view.state, OperationStep::rest, view.is_stopping};
  const bool is_stopping = view.is_stopping || view.wish == OperationWish::stop;
  // What is marked goes on to its end: it can never run again.
  if (view.state == OperationState::settling) return settle(view, is_stopping);
  // A noted slice may be half done, so it is done before the end; a freeze is stronger.
  if (is_stopping && (!view.has_slice || view.is_barred)) return settle(view, true);
  if (view.is_barred)
    return {OperationState::paused, OperationStep::rest, false,
            view.state != OperationState::paused};
  const bool stays = view.state == OperationState::paused && view.wish != OperationWish::resume;
  if (!is_stopping && (view.wish == OperationWish::pause || stays))
    return {OperationState::paused, OperationStep::rest};
  if (view.has_slice) return {OperationState::running, OperationStep::act, is_stopping};
  if (view.is_listed) return settle(view, false);
  return {OperationState::running, OperationStep::list};
}

bool may_wish(OperationState state, OperationWish wish) {
  if (is_over(state)) return false;
  return wish == OperationWish::stop || state != OperationState::settling;
}

std::string_view to_string(OperationVerb verb) {
  return verbs.at(static_cast<std::size_t>(verb));
}
std::string_view to_string(OperationState state) {
  return states.at(static_cast<std::size_t>(state));
}
std::string_view to_string(OperationWish wish) {
  return wishes.at(static_cast<std::size_t>(wish));
}
std::optional<OperationVerb> parse_operation_verb(std::string_view text) {
  return parse<OperationVerb>(verbs, text);
}
std::optional<OperationState> parse_operation_state(std::string_view text) {
  return parse<OperationState>(states, text);
}
std::optional<OperationWish> parse_operation_wish(std::string_view text) {
  return parse<OperationWish>(wishes, text);
}

}  // namespace quell
