#include "tests/storage/conformance/store_test.hpp"

#include <map>

namespace quell::storage {

void StoreTest::SetUp() {
  store_ = GetParam().open_fresh();
  open();
  Batch batch;
  batch.starts = {{new_id(), "{}", now()}, {new_id(), "{}", now()}};
  const Outcome out = apply(batch);
  node_ = out.starts.at(0);
  other_ = out.starts.at(1);
}

void StoreTest::open() {
  auto writer = store_->store().open_writer();
  ASSERT_TRUE(writer.ok()) << to_string(writer.error());
  writer_ = std::move(*writer);
  auto reader = store_->store().open_reader();
  ASSERT_TRUE(reader.ok()) << to_string(reader.error());
  reader_ = std::move(*reader);
}

void StoreTest::reopen() {
  writer_.reset();
  reader_.reset();
  store_->reopen();
  open();
}

void StoreTest::TearDown() {
  const auto orphans = reader().orphans();
  ASSERT_TRUE(orphans.ok()) << to_string(orphans.error());
  EXPECT_EQ(orphans.value(), std::vector<std::string>{});
  std::map<std::pair<std::string, JobState>, std::int64_t> real, told;
  for (const JobView& one : all_jobs()) ++real[{one.queue, one.state}];
  const auto counts = reader().counts("");
  ASSERT_TRUE(counts.ok()) << to_string(counts.error());
  for (const CountRow& row : *counts) told[{row.queue, row.state}] = row.n;
  EXPECT_EQ(told, real) << "the counts differ from the rows";
}

Outcome StoreTest::apply(const Batch& batch) {
  auto out = writer().apply(batch);
  if (!out) {
    ADD_FAILURE() << to_string(out.error());
    throw std::runtime_error("the store refused a batch");
  }
  return std::move(*out);
}

NewJob StoreTest::job(const std::string& queue) {
  NewJob fresh;
  fresh.id = new_id();
  fresh.kind = "noop";
  fresh.queue = queue;
  return fresh;
}

EnqueueResult StoreTest::enqueue(const NewJob& wanted, JobEvent birth) {
  EnqueueOp op{wanted, now()};
  op.birth = birth;
  return apply_one(&Batch::enqueues, op).enqueues.at(0);
}

JobId StoreTest::submit(const NewJob& wanted) {
  EXPECT_EQ(enqueue(wanted).answer, EnqueueAnswer::stored);
  return wanted.id;
}

std::vector<JobId> StoreTest::submit_many(int n) {
  Batch batch;
  std::vector<JobId> made;
  for (int i = 0; i < n; ++i) {
    batch.enqueues.push_back(submit_op(job()));
    made.push_back(batch.enqueues.back().job.id);
  }
  for (const EnqueueResult& one : apply(batch).enqueues)
    EXPECT_EQ(one.answer, EnqueueAnswer::stored);
  return made;
}

JobId StoreTest::submit_later(int seconds) {
  NewJob later = job();
  later.run_at = in(seconds);
  return submit(later);
}

ClaimOp StoreTest::claim_op(int limit, const std::string& queue) {
  return {queue, limit, node_, now()};
}

std::vector<ClaimedJob> StoreTest::claim(int limit, const std::string& queue) {
  return apply_one(&Batch::claims, claim_op(limit, queue)).claims.at(0);
}

ClaimedJob StoreTest::start(const NewJob& wanted) {
  // A queue of its own, so that nothing that waits already is claimed instead.
  NewJob own = wanted;
  own.queue = "run-" + std::to_string(++runs_);
  submit(own);
  return claim(1, own.queue).at(0);
}

FinishOp StoreTest::finish_op(const ClaimedJob& run, JobEvent event) {
  FinishOp op;
  op.job = run.job;
  op.epoch = run.epoch;
  op.event = event;
  op.now = now();
  if (event == JobEvent::retry) op.due = in(60);
  return op;
}

FinishResult StoreTest::finish(const FinishOp& op) {
  return apply_one(&Batch::finishes, op).finishes.at(0);
}

JobId StoreTest::finished(JobEvent event) {
  const ClaimedJob run = start();
  EXPECT_TRUE(finish(run, event).written);
  return run.job;
}

FlushOp StoreTest::flush_op(const ClaimedJob& run) {
  FlushOp op;
  op.job = run.job;
  op.epoch = run.epoch;
  op.now = now();
  return op;
}

bool StoreTest::flush(const FlushOp& op) {
  return apply_one(&Batch::flushes, op).flushes.at(0);
}

SteerResult StoreTest::steer(JobId id, JobEvent event) {
  SteerOp op;
  op.job = id;
  op.event = event;
  op.who = "tester";
  op.now = now();
  return apply_one(&Batch::steers, op).steers.at(0);
}

DueResult StoreTest::due(int limit) {
  return apply_one(&Batch::dues, DueOp{now(), limit}).dues.at(0);
}

MarkOp StoreTest::mark_op(const std::vector<JobId>& jobs) {
  MarkOp op;
  op.delete_id = new_id();
  op.who = "tester";
  op.reason = "because";
  op.path = "api";
  op.now = now();
  op.jobs = jobs;
  op.tomb_until = in(86'400);
  return op;
}

std::vector<MarkedJob> StoreTest::mark(const MarkOp& op) {
  return apply_one(&Batch::marks, op).marks.at(0);
}

VerdictOp StoreTest::verdict_op(JobId id, const Holder& holder, Verdict verdict) {
  return {id, holder.what, holder.ref, holder.owner, holder.epoch, verdict, now()};
}

VerdictResult StoreTest::verdict(JobId id, const Holder& holder, Verdict verdict) {
  return apply_one(&Batch::verdicts, verdict_op(id, holder, verdict)).verdicts.at(0);
}

TicketOp StoreTest::ticket_op(JobId id, std::optional<JobEvent> event) {
  TicketOp op;
  op.job = id;
  op.event = event;
  return op;
}

bool StoreTest::ticket(JobId id, JobEvent event) {
  return apply_one(&Batch::tickets, ticket_op(id, event)).tickets.at(0);
}

ForceResult StoreTest::force(JobId id) {
  return apply_one(&Batch::forces, ForceOp{id, "root", "enough", now()}).forces.at(0);
}

std::optional<TicketView> StoreTest::find_ticket(JobId id) {
  auto all = reader().tickets({}, false, now(), 10'000);
  EXPECT_TRUE(all.ok());
  for (const TicketView& one : *all)
    if (one.job == id) return one;
  return std::nullopt;
}

TicketView StoreTest::ticket_of(JobId id) {
  auto one = find_ticket(id);
  EXPECT_TRUE(one.has_value()) << "no ticket";
  return one.value_or(TicketView{});
}

MarkedJob StoreTest::held() {
  MarkedJob marked = mark(start().job);
  EXPECT_EQ(marked.answer, MarkAnswer::held);
  return marked;
}

NewDelivery StoreTest::delivery(int due_in_seconds) {
  return {new_id(), "endpoint-1", "job.succeeded", R"({"a":1})", in(due_in_seconds)};
}

std::vector<ClaimedDelivery> StoreTest::claim_deliveries(int limit) {
  return apply_one(&Batch::delivery_claims, DeliveryClaimOp{node_, now(), limit})
      .delivery_claims.at(0);
}

bool StoreTest::end_delivery(Uuid id, std::optional<Instant> retry_at) {
  DeliveryEndOp op;
  op.id = id;
  op.owner = node_;
  op.now = now();
  op.retry_at = retry_at;
  op.delivered = !retry_at;
  op.log = R"({"status":200})";
  return apply_one(&Batch::delivery_ends, op).delivery_ends.at(0);
}

std::pair<JobId, Uuid> StoreTest::delivering() {
  FinishOp op = finish_op(start(), JobEvent::succeed);
  op.deliveries = {delivery()};
  EXPECT_TRUE(finish(op).written);
  const auto claimed = claim_deliveries(1);
  EXPECT_EQ(claimed.at(0).id, op.deliveries[0].id);
  return {op.job, claimed.at(0).id};
}

RecoverOp StoreTest::recover_op(Verdict verdict) {
  RecoverOp op;
  op.node = node_.node;
  op.below_life = node_.life + 1;
  op.verdict = verdict;
  op.now = now();
  op.failed_expires = in(1'000);
  op.cancelled_expires = in(500);
  return op;
}

Found StoreTest::found(JobId id) {
  auto got = reader().get({id}, true);
  if (!got) {
    ADD_FAILURE() << to_string(got.error());
    return {};
  }
  EXPECT_EQ(got->size(), 1u);
  return got->at(0);
}

JobView StoreTest::view(JobId id) {
  const Found one = found(id);
  EXPECT_TRUE(one.job.has_value()) << "no such job";
  return one.job.value_or(JobView{});
}

JobState StoreTest::state(JobId id) {
  const Found one = found(id);
  return one.job ? one.job->state : JobState::gone;
}

JobId StoreTest::in_state(JobState wanted) {
  switch (wanted) {
    case JobState::scheduled:
      return submit_later(3'600);
    case JobState::queued:
      return submit(job("waiting"));
    case JobState::running:
      return start().job;
    case JobState::succeeded:
      return finished(JobEvent::succeed);
    case JobState::failed:
      return finished(JobEvent::exhaust);
    case JobState::cancelled:
      return finished(JobEvent::stopped);
    case JobState::pending_delete:
      return held().job;
    case JobState::delete_failed: {
      const JobId id = held().job;
      EXPECT_TRUE(ticket(id, JobEvent::fail_delete));
      return id;
    }
    case JobState::gone:
      break;
  }
  const JobId id = submit();
  EXPECT_EQ(mark(id).answer, MarkAnswer::erased);
  return id;
}

std::vector<JobId> StoreTest::listed(const ListQuery& query) {
  const auto page = reader().list(query);
  EXPECT_TRUE(page.ok());
  std::vector<JobId> found_ids;
  for (const JobView& one : page->jobs) found_ids.push_back(one.id);
  return found_ids;
}

std::vector<JobView> StoreTest::all_jobs() {
  std::vector<JobView> all;
  ListQuery query;
  query.limit = 500;
  while (true) {
    auto page = reader().list(query);
    if (!page) {
      ADD_FAILURE() << to_string(page.error());
      return all;
    }
    all.insert(all.end(), page->jobs.begin(), page->jobs.end());
    if (!page->next) return all;
    query.after = page->next;
  }
}

std::int64_t StoreTest::count(const std::string& queue, JobState wanted) {
  const auto rows = reader().counts("");
  EXPECT_TRUE(rows.ok());
  for (const CountRow& row : *rows)
    if (row.queue == queue && row.state == wanted) return row.n;
  return 0;
}

}  // namespace quell::storage
