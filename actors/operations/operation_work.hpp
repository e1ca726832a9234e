// An operation in the hands of the runner: the record, and what only this process knows of it.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "actors/deletes/delete_report.hpp"
#include "actors/operations/operation.hpp"
#include "actors/timers.hpp"

namespace quell {

struct OperationWork {
  Operation operation;
  std::int64_t version = 0;  // of its document
  bool busy = false;         // an answer is awaited
  bool has_open = true;      // what it marked may be held; looked at when it settles
  OperationWish wish = OperationWish::none;
  std::int64_t wish_version = 0;
  std::vector<JobId> forbidden;       // of the slice: the caller may not run them
  Uuid page = {};                     // of the outcomes of the slice that is steered
  Millis rest{0};                     // before the next slice, behind the note of this one
  std::vector<storage::DocOp> pages;  // outcomes, written with the next note
  // The jobs behind the slice in hand, read while it is worked on.
  std::optional<storage::MatchPage> ahead;
  bool reads_ahead = false, waits_for_ahead = false;
  // Of the slice the first so many are with the Deleter; what is behind them was noted meanwhile.
  std::size_t in_hand = 0;
  std::uint64_t turn = 0;  // of the last asking: an answer to an older one counts nothing
  bool is_noting = false;
  std::optional<Result<DeleteReport>> erased;  // known before the note is written
  std::optional<Timers::Id> timer;             // then it goes on
  std::chrono::steady_clock::time_point slice_from = {};
  DeleteCounts open = {};  // of what was pending, at the end
};

// Each slice costs a look, and a commit that notes it; what it asks of the Deleter is cut again
// there, so that others get their turn in between.
inline constexpr std::int64_t operation_slice_max = 2'000;
// Of jobs that are read whole, to see whether the caller may run them.
inline constexpr std::int64_t retry_slice_max = 50;

// How many jobs the slice behind the one in hand may have; 0: that were as many as were confirmed.
inline std::int64_t slice_size(const Operation& operation) {
  const std::int64_t most =
      operation.verb == OperationVerb::retry ? retry_slice_max : operation_slice_max;
  const auto taken = operation.handled + static_cast<std::int64_t>(operation.slice.size());
  std::int64_t size = std::min(most, operation.expected - taken);
  if (operation.per_second_max > 0) size = std::min(size, operation.per_second_max);
  return std::max<std::int64_t>(size, 0);
}

// How long it waits behind a slice of `jobs` that took `took`.
inline Millis pause_after(const Operation& operation, std::size_t jobs, Millis took) {
  if (operation.per_second_max <= 0) return Millis{0};
  const Millis due{static_cast<std::int64_t>(jobs) * 1000 / operation.per_second_max};
  return std::max(due - took, Millis{0});
}

// Whether the next slice, which is known, may be noted while the one in hand is with the Deleter.
inline bool may_go_ahead(const OperationWork& work) {
  const Operation& operation = work.operation;
  const bool is_one_in_hand = work.in_hand > 0 && work.in_hand == operation.slice.size() &&
                              work.in_hand <= static_cast<std::size_t>(operation_slice_max);
  return is_one_in_hand && work.ahead && !work.ahead->jobs.empty() && !work.is_noting &&
         !operation.is_stopping && operation.per_second_max == 0;
}

inline OperationView view_of(const OperationWork& work, bool is_barred) {
  const Operation& operation = work.operation;
  const bool deletes = operation.verb == OperationVerb::erase;
  return {.state = operation.state,
          .wish = work.wish_version > operation.obeyed ? work.wish : OperationWish::none,
          .is_barred = deletes && is_barred,
          .is_stopping = operation.is_stopping,
          .has_slice = !operation.slice.empty(),
          .is_listed = operation.is_listed,
          .has_open = deletes && work.has_open};
}

}  // namespace quell
