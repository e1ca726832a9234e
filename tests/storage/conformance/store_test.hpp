// What every conformance test has at hand: one fresh store, a clock that it turns itself, and short
// words for the usual batches. After each test the store must be sound.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/erase_digest.hpp"
#include "tests/storage/conformance/manual_clock.hpp"
#include "tests/storage/conformance/store_factories.hpp"

namespace quell::storage {

inline const std::vector<JobState>& all_states() {
  static const std::vector<JobState> states{
      JobState::scheduled, JobState::queued,    JobState::running,        JobState::succeeded,
      JobState::failed,    JobState::cancelled, JobState::pending_delete, JobState::delete_failed};
  return states;
}

class StoreTest : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Writer& writer() { return *writer_; }
  Reader& reader() { return *reader_; }
  TestStore& test_store() { return *store_; }
  void reopen();

  Instant now() const { return clock_.now(); }
  Instant in(int seconds) const { return now() + std::chrono::seconds(seconds); }
  void pass(int seconds) { clock_.ms += std::chrono::seconds(seconds); }
  Uuid new_id() { return ids_.next(); }

  Outcome apply(const Batch& batch);
  template <class Op>
  auto apply_one(std::vector<Op> Batch::*field, const Op& op) {
    Batch batch;
    (batch.*field).push_back(op);
    return apply(batch);
  }

  NewJob job(const std::string& queue = "default");
  EnqueueOp submit_op(const NewJob& job) { return {job, now()}; }
  EnqueueResult enqueue(const NewJob& job, JobEvent birth = JobEvent::submit);
  JobId submit(const NewJob& job);
  JobId submit() { return submit(job()); }
  std::vector<JobId> submit_many(int n);
  JobId submit_later(int seconds);
  ClaimOp claim_op(int limit, const std::string& queue = "default");
  std::vector<ClaimedJob> claim(int limit, const std::string& queue = "default");
  ClaimedJob start(const NewJob& job);
  ClaimedJob start() { return start(job()); }
  FinishOp finish_op(const ClaimedJob& run, JobEvent event);
  FinishResult finish(const FinishOp& op);
  FinishResult finish(const ClaimedJob& run, JobEvent event) {
    return finish(finish_op(run, event));
  }
  JobId finished(JobEvent event);  // a job that ran once and ended so
  bool flush(const FlushOp& op);
  FlushOp flush_op(const ClaimedJob& run);
  SteerResult steer(JobId job, JobEvent event);
  DueResult due(int limit = 500);

  MarkOp mark_op(const std::vector<JobId>& jobs);
  std::vector<MarkedJob> mark(const MarkOp& op);
  MarkedJob mark(JobId job) { return mark(mark_op({job})).at(0); }
  VerdictOp verdict_op(JobId job, const Holder& holder, Verdict verdict);
  VerdictResult verdict(JobId job, const Holder& holder, Verdict verdict);
  TicketOp ticket_op(JobId job, std::optional<JobEvent> event);
  bool ticket(JobId job, JobEvent event);
  ForceResult force(JobId job);
  TicketView ticket_of(JobId job);
  std::optional<TicketView> find_ticket(JobId job);
  MarkedJob held();  // a running job, marked

  NewDelivery delivery(int due_in_seconds = 0);
  std::vector<ClaimedDelivery> claim_deliveries(int limit);
  bool end_delivery(Uuid id, std::optional<Instant> retry_at);
  // A finished job with one delivery in flight.
  std::pair<JobId, Uuid> delivering();

  RecoverOp recover_op(Verdict verdict = Verdict::process_died);
  RecoverResult recover() { return apply_one(&Batch::recoveries, recover_op()).recoveries.at(0); }

  Found found(JobId job);
  JobView view(JobId job);
  JobState state(JobId job);  // `gone` when there is no row
  std::optional<Tombstone> tomb(JobId job) { return found(job).tomb; }
  JobId in_state(JobState state);
  std::vector<JobId> listed(const ListQuery& query);
  std::vector<JobView> all_jobs();
  std::int64_t count(const std::string& queue, JobState state);

  ManualClock clock_;
  IdSource ids_{clock_};
  NodeLife node_;   // the node that claims by default
  NodeLife other_;  // another one
  std::int64_t runs_ = 0;

 private:
  void open();
  std::unique_ptr<TestStore> store_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;
};

inline std::string name_of_store(const testing::TestParamInfo<StoreFactory>& info) {
  return info.param.name;
}

}  // namespace quell::storage

// A group of the suite, run on every store.
#define QUELL_STORE_GROUP(Group)     \
  class Group : public StoreTest {}; \
  INSTANTIATE_TEST_SUITE_P(Conformance, Group, testing::ValuesIn(store_factories()), name_of_store)
