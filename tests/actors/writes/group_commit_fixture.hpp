// The group commit with a list in the place of every actor, on a store in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "actors/fleet/lease.hpp"
#include "actors/writes/group_commit.hpp"
#include "runtime/law/trace.hpp"
#include "storage/memory/memory_store.hpp"
#include "tests/storage/conformance/manual_clock.hpp"

namespace quell {

// Who was told of what, in order.
struct CommitWords final : CommitPorts {
  void tell_foreman(ToForeman word) override {
    constexpr const char* names[] = {"claimed",  "stop",         "cancel",  "forced", "finishes",
                                     "verdicts", "permits back", "counted", "census"};
    order.push_back("foreman: " + std::string(names[word.index()]));
    foreman.push_back(std::move(word));
  }
  void tell_courier(ToCourier) override { order.push_back("courier"); }
  void tell_deleter(ToDeleter word) override {
    order.push_back(word.index() == 0 ? "deleter: marked" : "deleter: verdicts");
    deleter.push_back(std::move(word));
  }
  void look_at_schedules() override { order.push_back("timekeeper"); }
  void look_at_tasks() override { order.push_back("task eraser"); }
  void apply(std::size_t writer, std::shared_ptr<const storage::Batch> batch) override {
    away.emplace_back(writer, std::move(batch));
  }
  void flush_later() override { wants_flush = true; }
  void flush_in(Millis time) override { retries.push_back(time); }
  void look_at_limits_in(Millis time) override { limit_looks.push_back(time); }
  void due_in(Millis time) override { dues.push_back(time); }
  void upkeep_in(Millis) override { ++upkeeps; }

  template <class Word>
  std::vector<Word> of_foreman() const {
    std::vector<Word> all;
    for (const ToForeman& word : foreman)
      if (const auto* one = std::get_if<Word>(&word)) all.push_back(*one);
    return all;
  }

  std::vector<std::string> order;
  std::vector<ToForeman> foreman;
  std::vector<ToDeleter> deleter;
  std::vector<std::pair<std::size_t, std::shared_ptr<const storage::Batch>>> away;
  std::vector<Millis> retries, limit_looks, dues;
  int upkeeps = 0;
  bool wants_flush = false;
};

class GroupCommitTest : public testing::Test {
 protected:
  GroupCommitTest() {
    EXPECT_TRUE(traces::open("").ok());  // steps of a part are not a trace of the whole
    storage::Batch start;
    start.starts.push_back({ids.next(), "{}", clock.now()});
    context->self = writer()->apply(start)->starts.at(0);
    store->on_commit([this](const storage::Batch& batch) {
      batches.push_back(batch);
      return fates.empty() ? storage::CommitFate{} : storage::CommitFate{next_fate(), error()};
    });
    context->settings = &settings;
    context->clock = &clock;
    context->timers = &timers;
    context->metrics = &metrics;
    context->events = &events;
    context->lease = &lease;
    context->ids = &ids;
  }

  static Error error() { return {ErrorCode::store_unavailable, "as the test has it"}; }
  storage::CommitFate::Kind next_fate() {
    const auto kind = fates.front();
    fates.pop_front();
    return kind;
  }
  std::unique_ptr<storage::Writer> writer() { return std::move(store->open_writer()).value(); }

  void begin(int writers = 1, bool shared = false) {
    ClerkParts parts;
    parts.context = context;
    for (int i = 0; i < writers; ++i) parts.writers.push_back(writer());
    parts.reader = std::move(store->open_reader()).value();
    parts.queues = {{.name = "default"}};
    parts.shared_store = shared;
    parts.worth_a_worker = 1;
    commits.emplace(std::move(parts), words);
    commits->begin();
  }
  // All that waits is committed, as far as it may be.
  void settle() {
    while (std::exchange(words.wants_flush, false)) commits->commit();
  }
  void forget_words() {
    words.order.clear();
    words.foreman.clear();
    words.deleter.clear();
    batches.clear();
  }

  JobId submit(std::optional<Millis> in = {}, const std::string& queue = "default") {
    NewJob job;
    job.id = ids.next();
    job.kind = "noop";
    job.queue = queue;
    if (in) job.run_at = clock.now() + *in;
    const JobId id = job.id;
    auto ops = std::make_shared<storage::Batch>();
    ops->enqueues.push_back({.job = std::move(job), .now = clock.now()});
    commits->write({std::move(ops), answer("born")});
    return id;
  }
  WriteAnswer answer(const std::string& what) {
    return [this, what](const Result<storage::Outcome>& outcome) {
      words.order.push_back("asker: " + what + (outcome ? "" : " failed"));
    };
  }
  void permits(int count) {
    WriteEnds ends;
    ends.permits.emplace_back("default", count);
    commits->runs_down(std::move(ends));
  }
  JobId running() {
    permits(1);
    const JobId id = submit();
    settle();
    EXPECT_EQ(words.of_foreman<ClaimedJobs>().size(), 1u);
    forget_words();
    return id;
  }
  void mark(std::vector<JobId> jobs, std::uint64_t call = 1, WriteOps beside = {}) {
    storage::MarkOp op{.delete_id = ids.next(),
                       .who = "tester",
                       .reason = "",
                       .path = "api",
                       .now = clock.now(),
                       .jobs = std::move(jobs)};
    op.tomb_until = clock.now() + Millis{60'000};
    commits->mark({call, 0, std::move(op), std::move(beside)});
  }
  void ended(JobId job, JobEvent event = JobEvent::succeed) {
    WriteEnds ends;
    ends.finishes.push_back({.job = job, .epoch = 1, .event = event, .now = clock.now()});
    commits->runs_down(std::move(ends));
  }
  void write_verdict(JobId job, Verdict verdict, int slots) {
    WriteEnds ends;
    RunDown down;
    down.slots_freed = slots;
    ends.verdicts.emplace_back(storage::VerdictOp{.job = job,
                                                  .ref = job,
                                                  .owner = context->self,
                                                  .epoch = 1,
                                                  .verdict = verdict,
                                                  .now = clock.now()},
                               down);
    commits->runs_down(std::move(ends));
  }
  // A batch that a worker has is written, and its word comes back.
  void come_back(std::size_t which, bool is_refused = false) {
    const auto [number, batch] = words.away.at(which);
    words.away.erase(words.away.begin() + static_cast<std::ptrdiff_t>(which));
    BatchApplied applied{number, error()};
    if (!is_refused) applied.outcome = writer()->apply(*batch);
    commits->applied_alongside(applied);
    settle();
  }
  std::optional<JobState> state(JobId job) {
    const auto found = reader->get({job}, false);
    return found->front().job ? std::optional(found->front().job->state) : std::nullopt;
  }

  storage::ManualClock clock;
  ManualTimers timers;
  Lease lease{clock};
  Metrics metrics;
  EventHub events;
  IdSource ids{clock};
  NodeSettings settings;
  std::unique_ptr<storage::MemoryStore> store =
      std::move(storage::open_memory({.unsafe = true})).value();
  std::unique_ptr<storage::Reader> reader = std::move(store->open_reader()).value();
  std::shared_ptr<NodeContext> context = std::make_shared<NodeContext>();
  std::deque<storage::CommitFate::Kind> fates;  // of the next commits
  std::vector<storage::Batch> batches;          // that the store was given
  CommitWords words;
  std::optional<GroupCommit> commits;
};

}  // namespace quell
