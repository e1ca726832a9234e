// What the Clerk keeps and decides: what waits to be written, what goes into the next transaction,
// and who hears of it in which order. It knows no actor, so that a test can be the rest of the
// node.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node_context.hpp"
#include "actors/writes/commit_ports.hpp"
#include "actors/writes/committed.hpp"
#include "actors/writes/dispatcher.hpp"
#include "actors/writes/pending_batch.hpp"
#include "actors/writes/writer_pool.hpp"
#include "storage/store.hpp"

namespace quell {

struct ClerkParts {
  std::shared_ptr<NodeContext> context;
  std::vector<std::shared_ptr<storage::Writer>> writers;
  std::unique_ptr<storage::Reader> reader;  // for the next due time
  std::vector<QueueSpec> queues;
  std::vector<std::string> ready;  // queues that have work at the start
  bool shared_store = false;       // others write too: look again each second
  // So many rows; below, the way to a write worker and back is a good part of the commit.
  std::size_t worth_a_worker = 32;
};

class GroupCommit {
 public:
  GroupCommit(ClerkParts parts, CommitPorts& ports);
  void begin();  // before the first message

  // Each is what a message asks for.
  void write(WriteOps work);
  void runs_down(WriteEnds down);
  void deliveries_down(DeliveriesDown down);
  void mark(MarkJobs work);
  void set_queue(const SetQueue& set);
  void look_again(const std::string& queue);
  void recall_permits(const RecallPermits& recall);
  void look_at_limits();
  void pass_on(const storage::Orders& orders);
  void want_census();
  void commit();
  void applied_alongside(BatchApplied& back);
  void due();
  void upkeep();

 private:
  void contribute(std::shared_ptr<storage::Batch> ops, WriteAnswer answer, bool steering,
                  bool is_retried_until_taken);
  void flush_soon();
  void tell_marked(SliceMarked marked);
  void watch_limits(bool gave);
  void between_commits(std::function<void()> work);
  bool goes_alone() const;
  std::shared_ptr<Commit> next_commit(bool alone);
  bool is_worth_a_worker(const storage::Batch& ops) const;
  bool claim_comes_first() const;
  void go_on();
  void add_claims(storage::Batch& ops, bool alone);
  void applied(Commit& commit, Result<storage::Outcome>& outcome,
               std::chrono::steady_clock::duration took);
  void count_commit(const storage::Batch& ops, bool ok, std::chrono::steady_clock::duration took);
  void committed(std::vector<Contribution>& parts, JoinedBatch& joined, storage::Outcome& outcome);
  void wake_again(const storage::Batch& ops);
  void refused(std::vector<Contribution>& parts, JoinedBatch& joined, const Error& error);
  void ask_for_orders();
  void look_at_everything();
  void take_census();
  void watch_due(std::optional<Instant> earliest);
  void arm_due();
  void after_due(const storage::Batch& ops, const storage::Outcome& outcome);
  void learn_next_due();
  void keep_store_up();

  static constexpr Millis limits_first{50}, retry_first{100};

  std::shared_ptr<NodeContext> context_;
  CommitPorts& ports_;
  std::unique_ptr<storage::Reader> reader_;
  const bool shared_store_;
  const std::size_t worth_a_worker_;
  WriterPool writers_;
  std::deque<std::function<void()>> between_;  // waits until nothing is on its way
  Dispatcher dispatcher_;
  PendingBatch pending_;
  DownByJob run_downs_;  // of verdicts on their way
  std::optional<Instant> next_due_;
  Millis retry_wait_ = retry_first, limits_wait_ = limits_first;
  bool limits_watched_ = false;
  bool flush_sent_ = false;
  bool take_census_ = false;
  bool in_doubt_ = false;  // the last commit failed, and may have been made all the same
};

}  // namespace quell
