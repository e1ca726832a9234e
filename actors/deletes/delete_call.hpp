// One call's way to its report: what was asked, what became of each job, who waits. Plain state, no
// actor.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "actors/messages.hpp"
#include "actors/timers.hpp"
#include "runtime/policy/webhook_outbox.hpp"
#include "runtime/settings/settings.hpp"

namespace quell {

class DeleteCall {
 public:
  using Answer = std::function<void(Result<DeleteReport>)>;

  // `needs_replica`: what is erased is pending until a standby is known to have it.
  DeleteCall(DeleteId id, DeleteRequest request, Answer answer, Instant at,
             bool needs_replica = false);

  // What the store said of the slice that began at `first`; the jobs that somebody still holds are
  // returned.
  std::vector<JobId> marked(const SliceMarked& slice);
  // The job's rows are gone. False if this call does not wait for it.
  // `down` is null when nobody knows what the run had in hand.
  bool erased(JobId job, const storage::VerdictResult& result, const RunDown* down, Instant at,
              storage::Durability durability);
  void run_down(JobId job, const RunDown& down);  // a holder is left
  void delivery_aborted(JobId job);               // in flight at the mark: it may have arrived
  void erased_here_only(JobId job);               // it is gone from one server: not enough
  void stuck(JobId job);
  void would_delete(const std::vector<storage::Found>& found, const ProtectionPtr& protection);
  void adopt(const storage::TicketView& ticket);  // a pending job of an earlier call

  bool settled() const { return unmarked_ == 0 && waiting_ == 0; }
  bool is_marked() const { return unmarked_ == 0; }
  bool only_stuck_left() const { return unmarked_ == 0 && waiting_ > 0 && waiting_ == stuck_; }
  // So many jobs that whoever listens gets one message instead of one for each.
  bool in_summary() const {
    return request.in_summary || outcomes_.size() > deleted_one_by_one_max;
  }
  bool answered() const { return answer_ == nullptr; }
  void answer(Result<DeleteReport> report);
  DeleteReport report() const;
  std::vector<JobId> jobs() const;
  std::vector<JobId> waiting_jobs() const;

  const DeleteId id;
  const DeleteRequest request;
  std::optional<Timers::Id> timer;
  std::chrono::steady_clock::time_point step_from = std::chrono::steady_clock::now();
  Instant marked_at = {};   // the last slice, by the clock that verdicts carry
  bool is_overdue = false;  // the caller's time is up, and the store has not answered the mark yet

 private:
  JobOutcome& of(JobId job);
  void settle_marked(const storage::MarkedJob& job, JobOutcome& outcome, std::vector<JobId>& held,
                     storage::Durability durability);
  bool enough(storage::Durability durability) const {
    return !needs_replica_ || durability == storage::Durability::replicated;
  }
  void rests_on(storage::Durability durability) {
    durability_ = std::min(durability_.value_or(durability), durability);
  }

  std::vector<JobOutcome> outcomes_;
  std::unordered_map<JobId, std::size_t> index_;
  std::size_t unmarked_ = 0, waiting_ = 0, stuck_ = 0;
  Answer answer_;
  Instant at_;
  bool needs_replica_;
  std::optional<storage::Durability> durability_;  // the weakest of what was concluded from
  std::unordered_set<JobId> gone_before_;          // by another call, and not safely yet
};

// Until when a copy is kept, as the call says or else the node; nothing: there is no copy.
storage::UntilByQueue copy_until(const DeleteRequest& request, const SettingValues& settings,
                                 Instant now);

// What a tombstone tells of its job's last holder, for who waits.
JobVerdict verdict_of(const storage::Tombstone& tomb, storage::Durability durability);

}  // namespace quell
