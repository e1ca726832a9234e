// From a schedule's row to what is written when it is due: nothing here waits or remembers but the
// terms that were parsed.
#pragma once

#include <map>
#include <optional>

#include "runtime/policy/schedule_terms.hpp"
#include "storage/batch.hpp"

namespace quell {

// What a schedule looks like to who decides: its terms, and its due times.
struct KnownSchedule {
  std::int64_t version = 0;
  ScheduleTerms terms;
  std::optional<ScheduleTimes> times;  // nothing: this system knows its zone no more
};

class KnownSchedules {
 public:
  const KnownSchedule& find(const storage::ScheduleRow& row);

 private:
  std::map<Uuid, KnownSchedule> known_;
};

struct FireRules {
  Instant now;
  Millis grace, poll;
  bool queue_is_closed = false;  // what would be born is missed instead
};

// Of a row that is due, or is to be planned anew. When nothing of it changes, there is nothing.
std::optional<storage::FireOp> fire_of(const storage::ScheduleRow& row, const KnownSchedule& known,
                                       const FireRules& rules);
// By a person, at once.
storage::FireOp fire_by_hand(const storage::ScheduleRow& row, Instant now, const Uuid& job);

}  // namespace quell
