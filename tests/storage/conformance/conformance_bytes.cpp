// Hard texts, all-or-nothing, restarts, and readers on other threads.
#include <atomic>
#include <thread>

#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

std::string every_byte() {
  std::string text;
  for (int i = 0; i < 256; ++i) text.push_back(static_cast<char>(i));
  return text;
}

const std::vector<std::string>& hard_texts() {
  static const std::vector<std::string> texts{
      "",
      "'",
      "''; DROP TABLE job; --",
      "\"",
      "\\",
      "\\x00\\'",
      "{\"a\",\"b\"}",
      "{}",
      "NULL",
      "null",
      "a,b",
      "a\nb\r\n\tc",
      "100%_$1?:x@y",
      "\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x92\xa5",
      " lead and trail ",
  };
  return texts;
}

QUELL_STORE_GROUP(Bytes);

TEST_P(Bytes, HardTextsComeBackFromEveryColumn) {
  for (const std::string& text : hard_texts()) {
    NewJob wanted = job("q" + text);
    wanted.kind = text;
    wanted.args = text;
    wanted.project = "p" + text;
    wanted.unique_key = text;
    wanted.options.tags = {text};
    submit(wanted);
    const auto claimed = claim(5, wanted.queue);
    ASSERT_EQ(claimed.size(), 1u) << text;
    EXPECT_EQ(claimed[0].args, text);
    EXPECT_EQ(claimed[0].kind, text);
    FlushOp flushed = flush_op(claimed[0]);
    flushed.phase = text;
    flushed.partials = {text};
    flushed.logs = {{now(), text, text}};
    flushed.steps = {{"n" + text, text}};
    EXPECT_TRUE(flush(flushed));
    FinishOp op = finish_op(claimed[0], JobEvent::succeed);
    op.result = text;
    op.error = text;
    op.attempt = AttemptRecord{1, {}, now(), "succeeded", text, text};
    op.deliveries = {{new_id(), text, "e" + text, text, now()}};
    EXPECT_TRUE(finish(op).written);
    const JobView seen = view(wanted.id);
    EXPECT_EQ(seen.queue, wanted.queue);
    EXPECT_EQ(seen.project, wanted.project);
    EXPECT_EQ(seen.kind, text);
    EXPECT_EQ(seen.args, text);
    EXPECT_EQ(seen.result, text);
    EXPECT_EQ(seen.error, text);
    EXPECT_EQ(seen.phase, text);
    EXPECT_EQ(seen.unique_key, text);
    EXPECT_EQ(seen.options.tags, wanted.options.tags);
    EXPECT_EQ(reader().partials(wanted.id, 0, 9)->at(0).second, text);
    EXPECT_EQ(reader().logs(wanted.id, 0, 9)->at(0).second.text, text);
    EXPECT_EQ(reader().logs(wanted.id, 0, 9)->at(0).second.level, text);
    EXPECT_EQ(reader().steps(wanted.id)->at(0).name, "n" + text);
    EXPECT_EQ(reader().steps(wanted.id)->at(0).result, text);
    EXPECT_EQ(reader().attempts(wanted.id)->at(0).node, text);
    EXPECT_EQ(reader().deliveries(wanted.id)->at(0).event, "e" + text);
    EXPECT_EQ(claim_deliveries(9).at(0).body, text);
    ListQuery query;
    query.filter.project = wanted.project;
    query.filter.queue = wanted.queue;
    query.filter.tag = text;
    EXPECT_EQ(listed(query), std::vector<JobId>{wanted.id}) << text;
  }
}

TEST_P(Bytes, HardTextsComeBackFromDocumentsCallsAndAudit) {
  for (const std::string& text : hard_texts()) {
    const std::string id = "id" + text;
    apply_one(&Batch::docs, DocOp{"k" + text, id, "p" + text, text});
    EXPECT_EQ(reader().doc("k" + text, id)->value().body, text);
    EXPECT_EQ(reader().docs("k" + text, "p" + text)->at(0).id, id);
    MarkOp op = mark_op({submit(), start().job});
    op.who = op.reason = op.path = text;
    mark(op);
    EXPECT_EQ(reader().call(op.delete_id)->value().reason, text);
    EXPECT_EQ(reader().call(op.delete_id)->value().path, text);
    EXPECT_EQ(ticket_of(op.jobs[1]).who, text);
    apply_one(&Batch::calls, CallOp{op.delete_id, text, text});
    EXPECT_EQ(reader().call(op.delete_id)->value().receipt, text);
    const auto before = static_cast<std::int64_t>(reader().audit(0, 10'000)->back().no);
    apply_one(&Batch::audits, AuditOp{now(), text, text, text, text});
    const auto rows = reader().audit(before, 10);
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->at(0).who, text);
    EXPECT_EQ(rows->at(0).detail, text);
  }
}

TEST_P(Bytes, EveryByteComesBackWhereBytesAreAllowed) {
  const std::string bytes = every_byte();
  NewJob wanted = job();
  wanted.args = bytes;
  const ClaimedJob run = start(wanted);
  EXPECT_EQ(run.args, bytes);
  FlushOp flushed = flush_op(run);
  flushed.partials = {bytes, "", bytes};
  flushed.logs = {{now(), "info", bytes}};
  flushed.steps = {{"s", bytes}};
  flush(flushed);
  FinishOp op = finish_op(run, JobEvent::succeed);
  op.result = bytes;
  finish(op);
  EXPECT_EQ(view(run.job).args, bytes);
  EXPECT_EQ(view(run.job).result, bytes);
  EXPECT_EQ(reader().partials(run.job, 0, 9)->at(0).second, bytes);
  EXPECT_EQ(reader().partials(run.job, 0, 9)->at(1).second, "");
  EXPECT_EQ(reader().logs(run.job, 0, 9)->at(0).second.text, bytes);
  EXPECT_EQ(reader().steps(run.job)->at(0).result, bytes);
}

TEST_P(Bytes, AMebibyteOfArgsAndResult) {
  std::string big(1 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); i += 97) big[i] = static_cast<char>(i % 251);
  NewJob wanted = job();
  wanted.args = big;
  const ClaimedJob run = start(wanted);
  EXPECT_EQ(run.args == big, true);
  FinishOp op = finish_op(run, JobEvent::succeed);
  op.result = big;
  finish(op);
  EXPECT_EQ(view(run.job).args == big, true);
  EXPECT_EQ(view(run.job).result == big, true);
  EXPECT_EQ(mark(run.job).answer, MarkAnswer::erased);
}

TEST_P(Bytes, NumbersAtTheirEdges) {
  NewJob wanted = job();
  wanted.options.max_attempts = 2'000'000'000;
  wanted.run_at = Instant{Millis{4'000'000'000'000}};
  submit(wanted);
  EXPECT_EQ(view(wanted.id).due, wanted.run_at);
  EXPECT_EQ(view(wanted.id).options.max_attempts, 2'000'000'000);
  const ClaimedJob run = start();
  FlushOp op = flush_op(run);
  op.progress = 1.0 / 3;
  flush(op);
  EXPECT_EQ(view(run.job).progress, 1.0 / 3);
}

QUELL_STORE_GROUP(Whole);

TEST_P(Whole, ARefusedBatchLeavesNothing) {
  const JobId waits = submit();
  const ClaimedJob run = start();
  Batch batch;
  batch.marks = {mark_op({waits})};
  batch.finishes = {finish_op(run, JobEvent::succeed)};
  batch.enqueues = {submit_op(job())};
  batch.docs = {{"queue", "q", "default", "1"}};
  batch.audits = {{now(), "ann", "act", "r", "{}"}};
  if (!test_store().refuse_writes(true)) return;
  const auto refused = writer().apply(batch);
  test_store().refuse_writes(false);
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(state(waits), JobState::queued);
  EXPECT_EQ(state(run.job), JobState::running);
  EXPECT_EQ(all_jobs().size(), 2u);
  EXPECT_FALSE(reader().doc("queue", "q")->has_value());
  EXPECT_FALSE(reader().call(batch.marks[0].delete_id)->has_value());
  EXPECT_TRUE(reader().audit(0, 10)->empty());
  const Outcome out = apply(batch);
  EXPECT_EQ(out.marks[0][0].answer, MarkAnswer::erased);
  EXPECT_TRUE(out.finishes.at(0).written);
}

TEST_P(Whole, EverythingIsThereAfterARestart) {
  std::vector<JobId> jobs;
  for (const JobState at : all_states()) jobs.push_back(in_state(at));
  const JobId gone = in_state(JobState::gone);
  apply_one(&Batch::docs, DocOp{"queue", "q", "default", "1"});
  const auto before = all_jobs();
  reopen();
  const auto after = all_jobs();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(state(jobs[i]), all_states()[i]);
  EXPECT_TRUE(tomb(gone).has_value());
  EXPECT_EQ(reader().doc("queue", "q")->value().version, 1);
  EXPECT_EQ(reader().tickets({}, false, now(), 10)->size(), 2u);
  EXPECT_EQ(reader().audit(0, 10)->size(), 1u);
  EXPECT_EQ(reader().nodes()->size(), 2u);
  const NodeLife next = apply_one(&Batch::starts, StartNodeOp{node_.node, "{}", now()}).starts[0];
  EXPECT_EQ(next.life, node_.life + 1);
  NewJob again = job();
  again.id = gone;
  EXPECT_EQ(enqueue(again).answer, EnqueueAnswer::id_taken);
}

TEST_P(Whole, AReaderSeesWholeBatchesOnly) {
  constexpr int rounds = 30;
  constexpr std::size_t size = 20;
  auto second = test_store().store().open_reader();
  ASSERT_TRUE(second.ok());
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0, looks = 0;
  std::thread looker([&] {
    ListQuery query;
    query.limit = 10'000;
    while (!done) {
      const auto page = (*second)->list(query);
      if (!page.ok() || page->jobs.size() % size != 0) ++torn;
      ++looks;
    }
  });
  for (int i = 0; i < rounds || looks < 3; ++i) submit_many(static_cast<int>(size));
  done = true;
  looker.join();
  EXPECT_EQ(torn, 0);
}

TEST_P(Whole, TwoReadersAgree) {
  submit_many(10);
  auto second = test_store().store().open_reader();
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)->list(ListQuery{})->jobs.size(), 10u);
  mark(all_jobs().at(0).id);
  EXPECT_EQ((*second)->list(ListQuery{})->jobs.size(), 9u);
}

TEST_P(Whole, TheStoreSaysWhatItIs) {
  Store& store = test_store().store();
  Batch fence;
  fence.fences.emplace_back();
  EXPECT_EQ(apply(fence).durability, store.at_best());
  EXPECT_GE(store.writers_wanted(), 1);
  EXPECT_TRUE(store.open_hints().ok());
}

}  // namespace
}  // namespace quell::storage
