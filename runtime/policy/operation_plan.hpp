// What an operation does next: a delete, cancel or retry of all jobs that a filter finds, done in
// slices that outlive whoever works on them. Decided from values alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quell {

enum class OperationVerb : std::uint8_t { erase, cancel, retry };

enum class OperationState : std::uint8_t {
  running,
  paused,    // by a person, or by a freeze of deletions; goes on when a person says so
  settling,  // every slice is done, and some runs are not down yet
  done,
  stopped  // by a person, before its end
};
constexpr bool is_over(OperationState state) {
  return state == OperationState::done || state == OperationState::stopped;
}

enum class OperationWish : std::uint8_t { none, pause, resume, stop };

enum class OperationStep : std::uint8_t {
  list,   // the next slice
  act,    // on the slice that is noted: again, when it is not known whether it was done
  await,  // look later whether what is held is down
  end,
  rest  // until a person has another wish
};

struct OperationView {
  OperationState state = OperationState::running;
  OperationWish wish = OperationWish::none;  // that was not heard before
  bool is_barred = false;                    // it deletes, and deletions are frozen
  bool is_stopping = false;
  bool has_slice = false;  // noted, and not settled
  bool is_listed = false;  // there is no further slice
  bool has_open = false;   // something that it marked is held
};

struct OperationMove {
  OperationState state = OperationState::running;
  OperationStep step = OperationStep::rest;
  bool is_stopping = false;
  bool by_freeze = false;  // why it pauses
  bool operator==(const OperationMove&) const = default;
};

OperationMove next_of(const OperationView& view);

// Whether a person may have this wish of an operation in this state.
bool may_wish(OperationState state, OperationWish wish);

std::string_view to_string(OperationVerb verb);  // delete, cancel, retry
std::string_view to_string(OperationState state);
std::string_view to_string(OperationWish wish);
std::optional<OperationVerb> parse_operation_verb(std::string_view text);
std::optional<OperationState> parse_operation_state(std::string_view text);
std::optional<OperationWish> parse_operation_wish(std::string_view text);

}  // namespace quell
