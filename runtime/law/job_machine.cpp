#include "runtime/law/job_machine.hpp"

#include <array>
#include <cstddef>

namespace quell {

namespace {

struct StateRow {
  JobState state;
  StateKind kind;
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array state_rows{
#define JOB_STATE(name, kind, meaning) StateRow{JobState::name, StateKind::kind, #name, meaning},
#include "runtime/spec/job_machine.def"
#undef JOB_STATE
    StateRow{JobState::gone, StateKind::absent, "gone", "no row of it is left in any live table"},
};

constexpr std::array birth_rows{
#define JOB_BIRTH(event, state, by) Birth{JobEvent::event, JobState::state, Who::by},
#include "runtime/spec/job_machine.def"
#undef JOB_BIRTH
};

constexpr std::array move_rows{
#define JOB_MOVE(event, from, to, by) Move{JobEvent::event, JobState::from, JobState::to, Who::by},
#include "runtime/spec/job_machine.def"
#undef JOB_MOVE
};

struct EventRow {
  JobEvent event;
  EventKind kind;
  std::string_view name, webhook, watchers;
};

constexpr std::array event_rows{
#define JOB_EVENT(event, kind, webhook, watchers) \
  EventRow{JobEvent::event, EventKind::kind, #event, webhook, watchers},
#include "runtime/spec/job_machine.def"
#undef JOB_EVENT
};

const EventRow& row_of(JobEvent event) {
  return event_rows.at(static_cast<std::size_t>(event));
}

constexpr std::array who_names{"client", "clock", "person", "node", "janitor", "store"};

constexpr StateKind kind_in_table(JobState state) {
  for (const StateRow& row : state_rows)
    if (row.state == state) return row.kind;
  return StateKind::absent;
}

constexpr bool one_target_each() {
  for (std::size_t i = 0; i < move_rows.size(); ++i)
    for (std::size_t j = i + 1; j < move_rows.size(); ++j)
      if (move_rows[i].event == move_rows[j].event && move_rows[i].from == move_rows[j].from)
        return false;
  return true;
}

constexpr bool nothing_comes_back() {
  for (const Move& move : move_rows)
    if (kind_in_table(move.from) == StateKind::leaving &&
        kind_in_table(move.to) != StateKind::leaving && move.to != JobState::gone)
      return false;
  return true;
}

constexpr bool everything_can_be_marked() {
  for (const StateRow& row : state_rows) {
    if (row.kind == StateKind::leaving || row.kind == StateKind::absent) continue;
    bool found = false;
    for (const Move& move : move_rows)
      found = found || (move.event == JobEvent::mark && move.from == row.state);
    if (!found) return false;
  }
  return true;
}

constexpr bool only_the_delete_ends_in_gone() {
  for (const Move& move : move_rows)
    if (move.to == JobState::gone && kind_in_table(move.from) != StateKind::leaving) return false;
  return true;
}

static_assert(one_target_each(), "an event must lead from one state to one state");
static_assert(nothing_comes_back(), "nothing leaves the delete states except to gone");
static_assert(everything_can_be_marked(), "every state that stays must be deletable");
static_assert(only_the_delete_ends_in_gone(), "there is no second way for a row to vanish");

}  // namespace

std::span<const Birth> births() {
  return birth_rows;
}
std::span<const Move> moves() {
  return move_rows;
}

std::optional<JobState> decide(JobState state, JobEvent event) {
  for (const Move& move : move_rows)
    if (move.from == state && move.event == event) return move.to;
  return std::nullopt;
}

std::string_view to_string(JobState state) {
  return state_rows.at(static_cast<std::size_t>(state)).name;
}
std::string_view to_string(JobEvent event) {
  return row_of(event).name;
}
std::string_view to_string(Who who) {
  return who_names.at(static_cast<std::size_t>(who));
}
std::string_view meaning(JobState state) {
  return state_rows.at(static_cast<std::size_t>(state)).meaning;
}

std::optional<JobState> parse_state(std::string_view text) {
  for (const StateRow& row : state_rows)
    if (row.name == text && row.state != JobState::gone) return row.state;
  return std::nullopt;
}

StateKind kind_of(JobState state) {
  return kind_in_table(state);
}

EventKind kind_of(JobEvent event) {
  return row_of(event).kind;
}

std::span<const JobEvent> job_events() {
  static constexpr auto all = [] {
    std::array<JobEvent, event_rows.size()> events{};
    for (std::size_t i = 0; i < events.size(); ++i) events[i] = event_rows[i].event;
    return events;
  }();
  return all;
}

std::string_view told_by_webhook(JobEvent event) {
  return row_of(event).webhook;
}

std::string_view told_to_watchers(JobEvent event) {
  return row_of(event).watchers;
}

std::string_view end_told_to_watchers(JobState now) {
  for (const Move& move : move_rows)
    if (move.from == JobState::running && move.to == now &&
        (kind_of(move.event) == EventKind::ends || kind_of(move.event) == EventKind::comes_back))
      return told_to_watchers(move.event);
  return {};
}

std::optional<JobEvent> end_of_run(JobEvent wanted, bool cancel_requested) {
  const EventKind kind = kind_of(wanted);
  if (kind == EventKind::comes_back) return cancel_requested ? JobEvent::stopped : wanted;
  return kind == EventKind::ends ? std::optional(wanted) : std::nullopt;
}

}  // namespace quell
