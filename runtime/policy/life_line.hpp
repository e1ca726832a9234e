// "Where did it go?" From what is still known of an id to its life line: what became of it, in one
// sentence, what happened when, and what nobody can tell any more. Pure: the rows come from the
// store, the words from here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/id.hpp"
#include "runtime/law/delete_protocol.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/policy/tomb_story.hpp"

namespace quell {

enum class Fate : std::uint8_t {
  alive,            // it is there: waits, runs or has ended
  restored,         // it is there again, after a delete
  leaving,          // being deleted, not gone yet
  deleted,          // gone, and no copy is kept
  archived,         // gone, and a copy can still be restored
  expired,          // gone by its age, as the retention says
  purged,           // gone with the schedule that fired it
  never_seen,       // not here, and what was here so long ago would still be known
  older_than_kept,  // not here, and older than what is remembered: nobody can tell
};
std::string_view to_string(Fate fate);

struct AuditFact {
  std::int64_t no = 0;
  Instant at;
  std::string who, what, ref, detail;
};
struct DeliveryFact {
  std::string endpoint, event;  // endpoint "": the job's own URL
  int tries = 0;
  bool in_flight = false;
  std::optional<Instant> due;  // waits until then
};

struct LifeFacts {
  Uuid id;
  // As it is, or was when it went; nothing: no row and no tombstone.
  std::optional<JobState> state;
  bool is_there = false;
  std::string project, queue, kind, schedule, submitted_by;
  std::optional<Instant> due, started, finished, expires;
  int attempt = 0, lost = 0;
  std::string runs_on, ran_on;  // node ids
  bool cancel_requested = false;
  std::vector<ToldAttempt> attempts;
  std::int64_t attempts_left_out = 0;
  std::vector<HostEffects> effects;
  std::int64_t hosts_left_out = 0;
  std::vector<DeliveryFact> deliveries;              // of a job that is there
  std::int64_t deliveries_were = 0, tries_were = 0;  // of one that is gone

  struct Leaving {
    DeleteId delete_id;
    std::string who, why, error;
    Instant at;
    int tries = 0, holders = 0;
    bool forced = false;
  };
  std::optional<Leaving> leaving;
  struct Deleted {
    DeleteId delete_id;
    std::string who, why, path;  // of the call; "" when none is kept
    Instant at, until;           // until: remembered
    Verdict verdict = Verdict::not_running;
    bool tells_life = true;  // false: a tombstone of an earlier version
  };
  std::optional<Deleted> deleted;
  std::optional<Instant> copy_until;
  bool restored = false;
  std::vector<AuditFact> audit;
  std::optional<Instant> forgotten;  // deletions until then may not be remembered
};

struct LifeEvent {
  std::optional<Instant> at;  // none: known to have been, not when
  std::string what;           // one word
  std::string text;
};

struct LifeLine {
  Fate fate = Fate::never_seen;
  std::string sentence;
  std::vector<LifeEvent> events;      // by time; what has none last
  std::vector<std::string> not_kept;  // what was once known and is not any more
};

// What has no time last; what is equal stays as it was, which is the audit's order.
void order_by_time(std::vector<LifeEvent>& events);

LifeLine life_line(const LifeFacts& facts);

// Whether an id that is nowhere may have been here: its time is that of its birth.
Fate fate_of_unknown(const Uuid& id, const std::optional<Instant>& forgotten);

}  // namespace quell
