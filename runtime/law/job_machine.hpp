// The law of a job's life as constexpr tables: what `decide` does not find cannot happen.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace quell {

enum class JobState : std::uint8_t {
#define JOB_STATE(name, kind, meaning) name,
#include "runtime/spec/job_machine.def"
#undef JOB_STATE
  gone  // not stored: the absence of the row
};

enum class StateKind : std::uint8_t { waiting, active, final, leaving, absent };

enum class JobEvent : std::uint8_t {
#define JOB_EVENT(event, kind, webhook, watchers) event,
#include "runtime/spec/job_machine.def"
#undef JOB_EVENT
};

enum class EventKind : std::uint8_t { birth, goes, ends, comes_back, lost, leaves };

enum class Who : std::uint8_t { client, clock, person, node, janitor, store };

struct Birth {
  JobEvent event;
  JobState state;
  Who by;
};

struct Move {
  JobEvent event;
  JobState from;
  JobState to;
  Who by;
};

std::span<const Birth> births();
std::span<const Move> moves();

// Where `event` leads from `state`; nothing if the law does not allow it.
std::optional<JobState> decide(JobState state, JobEvent event);

std::string_view to_string(JobState state);
std::string_view to_string(JobEvent event);
std::string_view to_string(Who who);
std::string_view meaning(JobState state);
std::optional<JobState> parse_state(std::string_view text);
StateKind kind_of(JobState state);
EventKind kind_of(JobEvent event);
std::span<const JobEvent> job_events();

// In which words somebody is told of it; "" when nobody is.
std::string_view told_by_webhook(JobEvent event);
std::string_view told_to_watchers(JobEvent event);
// The event that brought a job that was `running` to this state, in the words for watchers.
std::string_view end_told_to_watchers(JobState now);

// What a run may write of its own end. Nothing: no run ends so. Whoever asked for a cancel must not
// see the job start again, so what would come back is stopped instead.
std::optional<JobEvent> end_of_run(JobEvent wanted, bool cancel_requested);

inline bool is_final(JobState state) {
  return kind_of(state) == StateKind::final;
}
inline bool is_leaving(JobState state) {
  return kind_of(state) == StateKind::leaving;
}

}  // namespace quell
