#include "actors/schedules/fires.hpp"

namespace quell {

namespace {

constexpr std::size_t known_max = 20'000;
// Until a zone that has gone may be known again.
constexpr Millis unknown_zone_wait{3'600'000};

}  // namespace

const KnownSchedule& KnownSchedules::find(const storage::ScheduleRow& row) {
  if (known_.size() > known_max) known_.clear();
  KnownSchedule& one = known_[row.id];
  if (one.version == row.version) return one;
  one.version = row.version;
  one.terms = terms_from_json(row.terms);
  one.times.reset();
  if (auto times = ScheduleTimes::make(one.terms.times, row.created)) one.times = std::move(*times);
  return one;
}

std::optional<storage::FireOp> fire_of(const storage::ScheduleRow& row, const KnownSchedule& known,
                                       const FireRules& rules) {
  storage::FireOp op;
  op.task = row.id;
  op.version = row.version;
  op.now = rules.now;
  op.if_next = op.next = row.next;
  op.if_waiting = row.waiting;
  op.wake = row.wake;
  op.overlap = known.terms.overlap;
  op.look_again = rules.now + rules.poll;
  if (!known.times) {
    op.wake = rules.now + unknown_zone_wait;
    return op;
  }
  const ScheduleTimes& times = *known.times;
  const bool is_due = row.next && times.wake(row.id, *row.next) <= rules.now;
  // What is due and waits for its part of the jitter stays as it is.
  const bool is_kept = row.next && *row.next <= rules.now;
  FirePlan plan{{}, 0, is_kept ? row.next : times.next(rules.now)};
  if (is_due) plan = times.plan(row.id, *row.next, rules.now, rules.grace);
  op.next = plan.next;
  op.wake = plan.next ? std::optional(times.wake(row.id, *plan.next)) : std::nullopt;
  op.missed = plan.missed;
  const auto add = [&](Instant due) {
    op.jobs.push_back({due, job_of_fire(known.terms, row.id, row.project, due, rules.now), {}});
  };
  if (rules.queue_is_closed) {
    op.missed += static_cast<std::int64_t>(plan.fires.size()) + (row.waiting ? 1 : 0);
  } else {
    if (row.waiting) add(*row.waiting);
    for (const Instant due : plan.fires) add(due);
  }
  const bool changes = op.next != row.next || op.wake != row.wake || !op.jobs.empty() ||
                       (row.waiting && rules.queue_is_closed);
  return changes ? std::optional(std::move(op)) : std::nullopt;
}

storage::FireOp fire_by_hand(const storage::ScheduleRow& row, Instant now, const Uuid& job) {
  const ScheduleTerms terms = terms_from_json(row.terms);
  storage::FireOp op;
  op.task = row.id;
  op.now = op.look_again = now;
  op.by_hand = true;
  op.jobs.push_back({now, job_of_fire(terms, row.id, row.project, std::nullopt, now, job), {}});
  return op;
}

}  // namespace quell
