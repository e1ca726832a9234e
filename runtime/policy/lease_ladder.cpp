#include "runtime/policy/lease_ladder.hpp"

namespace quell {

namespace {

// Between the end of the stop deadline and the end of the process: the runs' own words come in.
constexpr Millis last_second{1'000};

}  // namespace

Millis down_after(const LeaseTimes& times) {
  return times.self_stop + times.stop_deadline + last_second;
}

std::string_view fault_of(const LeaseTimes& times) {
  if (times.beat <= Millis{0}) return "the beat must be longer than nothing";
  if (times.beat * 2 > times.self_stop)
    return "the beat must be at most half of self_stop: one lost renewal is no reason to stop";
  if (times.lease <= down_after(times))
    return "the lease must be longer than self_stop + stop_deadline + 1 s: a node must be down "
           "before others call it dead";
  return {};
}

Rung rung(const LeaseTimes& times, Millis since_renewal) {
  if (since_renewal < times.self_stop) return Rung::working;
  return since_renewal < down_after(times) ? Rung::stopping : Rung::leaving;
}

Millis next_rung(const LeaseTimes& times, Millis since_renewal) {
  if (since_renewal < times.self_stop) return times.self_stop;
  if (since_renewal < down_after(times)) return down_after(times);
  return Millis::max();
}

}  // namespace quell
