// The law of a job's life against an oracle written by hand, so that a slip in the table shows as a
// difference.
#include "runtime/law/job_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace quell {
namespace {

constexpr JobState all_states[] = {
    JobState::scheduled,      JobState::queued,        JobState::running,
    JobState::succeeded,      JobState::failed,        JobState::cancelled,
    JobState::pending_delete, JobState::delete_failed, JobState::gone};

const auto all_events = job_events();

using Outcome = std::optional<JobState>;

Outcome oracle_waiting(JobState state, JobEvent event) {
  const bool queued = state == JobState::queued;
  switch (event) {
    case JobEvent::due:
    case JobEvent::run_now:
      return queued ? Outcome() : JobState::queued;
    case JobEvent::claim:
      return queued ? JobState::running : Outcome();
    case JobEvent::cancel:
      return JobState::cancelled;
    case JobEvent::mark:
      return JobState::pending_delete;
    default:
      return std::nullopt;
  }
}

Outcome oracle_running(JobEvent event) {
  switch (event) {
    case JobEvent::succeed:
      return JobState::succeeded;
    case JobEvent::retry:
      return JobState::scheduled;
    case JobEvent::exhaust:
    case JobEvent::give_up:
      return JobState::failed;
    case JobEvent::stopped:
      return JobState::cancelled;
    case JobEvent::hand_over:
    case JobEvent::lose:
      return JobState::queued;
    case JobEvent::mark:
      return JobState::pending_delete;
    default:
      return std::nullopt;
  }
}

Outcome oracle_final(JobState state, JobEvent event) {
  if (event == JobEvent::mark) return JobState::pending_delete;
  if (event == JobEvent::revive && state != JobState::succeeded) return JobState::queued;
  return std::nullopt;
}

Outcome oracle_leaving(JobState state, JobEvent event) {
  const bool failed = state == JobState::delete_failed;
  if (event == JobEvent::force) return JobState::gone;
  if (event == JobEvent::erase && !failed) return JobState::gone;
  if (event == JobEvent::fail_delete && !failed) return JobState::delete_failed;
  if (event == JobEvent::retry_delete && failed) return JobState::pending_delete;
  return std::nullopt;
}

Outcome oracle(JobState state, JobEvent event) {
  switch (state) {
    case JobState::scheduled:
    case JobState::queued:
      return oracle_waiting(state, event);
    case JobState::running:
      return oracle_running(event);
    case JobState::succeeded:
    case JobState::failed:
    case JobState::cancelled:
      return oracle_final(state, event);
    case JobState::pending_delete:
    case JobState::delete_failed:
      return oracle_leaving(state, event);
    case JobState::gone:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string show(Outcome outcome) {
  return outcome ? std::string(to_string(*outcome)) : std::string("refused");
}

TEST(JobMachine, DecidesEveryStateAndEventAsTheOracleDoes) {
  int allowed = 0;
  for (const JobState state : all_states)
    for (const JobEvent event : all_events) {
      EXPECT_EQ(show(decide(state, event)), show(oracle(state, event)))
          << to_string(state) << " + " << to_string(event);
      allowed += decide(state, event) ? 1 : 0;
    }
  EXPECT_EQ(allowed, 25);
  EXPECT_EQ(moves().size(), 25u);
}

TEST(JobMachine, NamesTheOneWhoMayMakeEachMove) {
  for (const Move& move : moves()) {
    Who expected = Who::node;
    switch (move.event) {
      case JobEvent::due:
        expected = Who::clock;
        break;
      case JobEvent::lose:
      case JobEvent::give_up:
      case JobEvent::fail_delete:
      case JobEvent::retry_delete:
        expected = Who::janitor;
        break;
      case JobEvent::erase:
        expected = Who::store;
        break;
      case JobEvent::run_now:
      case JobEvent::cancel:
      case JobEvent::revive:
      case JobEvent::mark:
      case JobEvent::force:
        expected = Who::person;
        break;
      default:
        break;
    }
    EXPECT_EQ(to_string(move.by), to_string(expected)) << to_string(move.event);
  }
}

TEST(JobMachine, BearsJobsOnlyWhereTheLawSays) {
  std::set<std::string> born;
  for (const Birth& birth : births())
    born.insert(std::string(to_string(birth.event)) + " " + std::string(to_string(birth.state)) +
                " " + std::string(to_string(birth.by)));
  const std::set<std::string> expected{"submit queued client",  "submit scheduled client",
                                       "fire queued clock",     "restore scheduled person",
                                       "restore queued person", "restore succeeded person",
                                       "restore failed person", "restore cancelled person"};
  EXPECT_EQ(born, expected);
  EXPECT_EQ(births().size(), expected.size());
}

TEST(JobMachine, LeadsEveryJobFromBirthToEveryStateAndFromEveryStateToGone) {
  const auto reachable = [](std::set<JobState> found) {
    for (bool grew = true; grew;) {
      grew = false;
      for (const Move& move : moves())
        if (found.contains(move.from)) grew = found.insert(move.to).second || grew;
    }
    return found;
  };
  EXPECT_EQ(reachable({JobState::queued}).size(), std::size(all_states));
  for (const JobState state : all_states)
    EXPECT_TRUE(reachable({state}).contains(JobState::gone)) << to_string(state);
}

TEST(JobMachine, NeverBringsAMarkedJobBackOnAnyWalk) {
  std::mt19937 random(20'240'607);
  std::uniform_int_distribution<std::size_t> pick(0, std::size(all_events) - 1);
  int gone = 0;
  for (int walk = 0; walk < 2'000; ++walk) {
    JobState state = births()[static_cast<std::size_t>(walk) % births().size()].state;
    bool marked = false;
    for (int step = 0; step < 200; ++step) {
      const JobEvent event = all_events[pick(random)];
      const Outcome next = decide(state, event);
      if (!next) continue;
      marked = marked || event == JobEvent::mark;
      state = *next;
      ASSERT_EQ(marked, is_leaving(state) || state == JobState::gone) << to_string(event);
    }
    gone += state == JobState::gone ? 1 : 0;
  }
  EXPECT_GT(gone, 1'900);  // the walks did reach the end, so the claim above was tried
}

TEST(JobMachine, SortsEachStateIntoOneKind) {
  const auto kinds = [](StateKind kind) {
    std::vector<JobState> found;
    std::copy_if(std::begin(all_states), std::end(all_states), std::back_inserter(found),
                 [kind](JobState state) { return kind_of(state) == kind; });
    return found;
  };
  using States = std::vector<JobState>;
  EXPECT_EQ(kinds(StateKind::waiting), (States{JobState::scheduled, JobState::queued}));
  EXPECT_EQ(kinds(StateKind::active), (States{JobState::running}));
  EXPECT_EQ(kinds(StateKind::final),
            (States{JobState::succeeded, JobState::failed, JobState::cancelled}));
  EXPECT_EQ(kinds(StateKind::leaving), (States{JobState::pending_delete, JobState::delete_failed}));
  EXPECT_EQ(kinds(StateKind::absent), (States{JobState::gone}));
}

TEST(JobMachine, ParsesEveryStoredNameAndNothingElse) {
  for (const JobState state : all_states) {
    const Outcome expected = state == JobState::gone ? Outcome() : state;
    EXPECT_EQ(parse_state(to_string(state)), expected) << to_string(state);
    EXPECT_FALSE(meaning(state).empty());
  }
  for (const char* text : {"", "Queued", "queued ", "deleting", "0"})
    EXPECT_EQ(parse_state(text), std::nullopt) << text;
}

// The names of persons are a second list beside the table; this holds the two together.
TEST(JobMachine, SpellsEventsAndPersonsAsTheTableDoes) {
#define JOB_BIRTH(event, state, by)              \
  EXPECT_EQ(to_string(JobEvent::event), #event); \
  EXPECT_EQ(to_string(Who::by), #by);
#define JOB_MOVE(event, from, to, by) JOB_BIRTH(event, from, by)
#include "runtime/spec/job_machine.def"
#undef JOB_MOVE
#undef JOB_BIRTH
  std::set<std::string_view> names;
  for (const JobEvent event : all_events) names.insert(to_string(event));
  EXPECT_EQ(names.size(), std::size(all_events));
}

TEST(JobMachine, EndsARunOnlyByWhatItsNodeMayWrite) {
  for (const JobEvent event : all_events)
    for (const bool cancel : {false, true}) {
      const auto by_node = std::find_if(moves().begin(), moves().end(), [event](const Move& move) {
        return move.event == event && move.from == JobState::running && move.by == Who::node;
      });
      const auto end = end_of_run(event, cancel);
      EXPECT_EQ(end.has_value(), by_node != moves().end()) << to_string(event);
      if (!end) continue;
      const bool waits = !is_final(*decide(JobState::running, event));
      EXPECT_EQ(*end, cancel && waits ? JobEvent::stopped : event) << to_string(event);
    }
}

TEST(JobMachine, TellsWatchersOfEveryStateThatARunLeavesBehind) {
  EXPECT_EQ(end_told_to_watchers(JobState::succeeded), "job.succeeded");
  EXPECT_EQ(end_told_to_watchers(JobState::failed), "job.failed");
  EXPECT_EQ(end_told_to_watchers(JobState::cancelled), "job.cancelled");
  EXPECT_EQ(end_told_to_watchers(JobState::scheduled), "job.retrying");
  EXPECT_EQ(end_told_to_watchers(JobState::queued), "job.retrying");
}

TEST(JobMachine, UsesEveryEventSomewhere) {
  for (const JobEvent event : all_events) {
    const auto moved = std::any_of(moves().begin(), moves().end(),
                                   [event](const Move& move) { return move.event == event; });
    const auto born = std::any_of(births().begin(), births().end(),
                                  [event](const Birth& birth) { return birth.event == event; });
    EXPECT_NE(moved, born) << to_string(event);
  }
}

}  // namespace
}  // namespace quell
