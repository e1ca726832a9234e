// What the Deleter keeps and decides: the delete calls that are open, which of their jobs are still
// waited for, and when each is answered. It knows no actor, so that a test can be the rest of the
// node.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "actors/deletes/awaited_jobs.hpp"
#include "actors/deletes/delete_call.hpp"
#include "actors/deletes/delete_ports.hpp"
#include "actors/node_context.hpp"

namespace quell {

class DeleteSupervisor {
 public:
  DeleteSupervisor(std::shared_ptr<NodeContext> context, DeletePorts& ports);
  void close();  // nobody is reminded of anything any more

  // Each is what a message asks for.
  void begin(EraseJobs erase);
  void marked(const SliceMarked& slice);
  void verdict(const JobVerdict& message);
  void mark_again(const MarkAgain& again);
  void run_stuck(JobId job);
  void wait_over(DeletePorts::CallNumber serial);
  void mark_overdue(DeletePorts::CallNumber serial);
  void read_fenced(const ReadFenced& read);
  void states_read(const StatesRead& read);
  void look_at_store(bool hinted);
  // By a person, of a delete that is pending (retry_and_force.cpp).
  void retry(RetryDelete retry);
  void force(ForceDelete force);
  void tickets_read(TicketsRead& read);
  void tickets_forced(TicketsForced& forced);

 private:
  using CallNumber = DeletePorts::CallNumber;
  using CallPtr = std::shared_ptr<DeleteCall>;

  void mark_slice(CallNumber serial, const DeleteCall& call, const std::vector<JobId>& jobs,
                  std::size_t first, WriteOps beside);
  void note_step(const char* step, DeleteCall& call);
  void note_steps(const JobVerdict& message, DeleteCall& call);
  void give_up_marking(CallNumber serial, DeleteCall& call);
  void wait_for(JobId job, CallNumber serial);
  void after_change(CallNumber serial, DeleteCall& call);
  void settle(CallNumber serial, DeleteCall& call);
  void note_protected(const DeleteRequest& request, const DeleteReport& report);
  void arm(CallNumber serial, DeleteCall& call, Millis wait);
  void cancel_timer(DeleteCall& call);
  void look_later(Millis delay);
  void stored_verdicts(const Result<std::vector<storage::Found>>& found);
  void fence(std::vector<storage::Tombstone> tombs);
  void conclude(const std::vector<storage::Tombstone>& tombs, storage::Durability durability);
  void try_again(CallNumber serial, DeleteCall& call, const RetryDelete& retry,
                 const std::vector<storage::TicketView>& tickets);
  void give_up(CallNumber serial, const ForceRequest& force,
               const std::vector<storage::TicketView>& tickets);

  static constexpr Millis look_first{50};

  std::shared_ptr<NodeContext> context_;
  DeletePorts& ports_;
  std::map<CallNumber, CallPtr> calls_;
  AwaitedJobs awaited_;
  std::map<CallNumber, std::vector<storage::ForceOp>> forced_;
  std::map<std::pair<CallNumber, std::size_t>, SliceMarked> unsure_;  // by call, first
  std::set<JobId> stuck_;
  CallNumber last_ = 0;
  bool looking_ = false;
  bool fencing_ = false;  // a fence is on its way
  Millis look_wait_ = look_first;
};

}  // namespace quell
