// What the Foreman keeps and decides: the slots and the runs of a node. It knows no actor, so that
// a test can be the rest of the node.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "actors/node_context.hpp"
#include "actors/runs/lost_ends.hpp"
#include "actors/runs/run_ports.hpp"
#include "actors/runs/run_table.hpp"
#include "runtime/law/trace.hpp"

namespace quell {

class RunSupervisor {
 public:
  RunSupervisor(std::shared_ptr<NodeContext> context, RunPorts& ports);

  // Each is what a message asks for.
  void offer_all();
  void permits_back(const PermitsBack& back);
  void resize(const std::string& pool, int capacity);
  void start(ClaimedJobs& claimed);
  void stop_marked(const StopMarked& marked);
  void cancel(const CancelRun& cancel);
  void force(const ForcedRun& forced);
  void run_ended(RunEnded end);
  void run_down(RunPorts::RunNumber actor);
  void finishes_written(const FinishesWritten& written);
  void verdicts_written(const VerdictsWritten& written);
  void check_deadlines();
  void drain(DrainRuns drain);
  void stop_all(StopCause cause);
  void compare(const RunsCounted& counted);
  void compare(const CensusTaken& census);
  void flush();
  std::vector<JobId> jobs();  // of all that has a slot, or had one and is not down

 private:
  static void note(ProtocolStep step, const SlotKey& key);
  void offer(const std::string& pool);
  void release(const Run& run);
  void recall(const std::string& pool, SlotLedger& ledger);
  void show(const std::string& pool);
  void start_one(const std::string& pool, const std::string& queue, SlotLedger& ledger,
                 storage::ClaimedJob& job);
  static RunEnded ended(const Run& run, AttemptOutcome outcome);
  bool is_answered(const MarkedRun& marked);
  void answer_mark(const MarkedRun& marked);
  void hurry(Run& run);
  void drop_start(Run& run, Verdict verdict);
  void stop(Run& run, StopCause cause);
  void make_stuck(Run& run);
  void finish(Run& run, const RunEnded& end);
  void finish_marked(const Run& run, const RunEnded& end);
  void say(const SlotKey& key, Verdict verdict, RunDown down);
  void set_deadline(Run& run, Millis from_now);
  void arm();
  void finish_drain();
  void flush_soon();

  std::shared_ptr<NodeContext> context_;
  RunPorts& ports_;
  std::map<std::string, SlotLedger> ledgers_;
  std::set<std::string> queues_;  // their names, which the runs share
  RunTable runs_;
  LostEnds lost_ends_;
  std::unordered_map<JobId, std::int64_t>
      fences_;  // marked and not yet erased: no start at or below this epoch
  std::unordered_set<JobId> elsewhere_;  // another node waits for the verdict
  WriteEnds out_;
  std::unordered_multiset<JobId> unwritten_verdicts_;  // said, not yet committed
  std::map<std::string, int> out_permits_;
  std::optional<Millis> armed_for_;
  std::function<void()> drained_;
  std::mt19937_64 random_;
  bool flush_sent_ = false, draining_ = false;
};

}  // namespace quell
