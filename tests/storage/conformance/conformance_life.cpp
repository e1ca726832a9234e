// Births and moves: what the law allows happens, what it does not allow is refused, in every state.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Life);

TEST_P(Life, ASubmittedJobIsQueuedAtEpochZero) {
  const EnqueueResult result = enqueue(job());
  EXPECT_EQ(result.answer, EnqueueAnswer::stored);
  EXPECT_EQ(result.state, JobState::queued);
  const JobId id = submit();
  const JobView seen = view(id);
  EXPECT_EQ(seen.state, JobState::queued);
  EXPECT_EQ(seen.epoch, 0);
  EXPECT_EQ(seen.attempt, 0);
  EXPECT_EQ(seen.lost, 0);
  EXPECT_FALSE(seen.due || seen.started || seen.finished || seen.expires || seen.progress);
  EXPECT_FALSE(seen.node || seen.cancel_requested || seen.delete_id || seen.unique_key);
}

TEST_P(Life, EverythingSaidAtSubmitComesBack) {
  NewJob wanted = job("mails");
  wanted.kind = "http";
  wanted.args = R"({"url":"http://example.org"})";
  wanted.project = "blue";
  wanted.priority = 9;
  wanted.unique_key = "only one";
  wanted.options.max_attempts = 7;
  wanted.options.timeout = Millis{1'234};
  wanted.options.deadline = in(99);
  wanted.options.backoff = Millis{5};
  wanted.options.backoff_max = Millis{50};
  wanted.options.tags = {"a", "b c"};
  wanted.options.webhook = "http://example.org/hook";
  wanted.options.traceparent = "00-1-2-3";
  wanted.options.schedule = "nightly";
  submit(wanted);
  const JobView seen = view(wanted.id);
  EXPECT_EQ(seen.id, wanted.id);
  EXPECT_EQ(seen.queue, "mails");
  EXPECT_EQ(seen.kind, "http");
  EXPECT_EQ(seen.args, wanted.args);
  EXPECT_EQ(seen.project, "blue");
  EXPECT_EQ(seen.priority, 9);
  EXPECT_EQ(seen.unique_key, "only one");
  EXPECT_EQ(seen.options, wanted.options);
}

TEST_P(Life, AFutureTimeMeansScheduled) {
  NewJob wanted = job();
  wanted.run_at = in(10);
  EXPECT_EQ(enqueue(wanted).state, JobState::scheduled);
  EXPECT_EQ(view(wanted.id).state, JobState::scheduled);
  EXPECT_EQ(view(wanted.id).due, in(10));
}

TEST_P(Life, ATimeThatHasComeMeansQueued) {
  for (const int seconds : {0, -10}) {
    NewJob wanted = job();
    wanted.run_at = in(seconds);
    EXPECT_EQ(enqueue(wanted).state, JobState::queued);
    EXPECT_FALSE(view(wanted.id).due.has_value());
  }
}

TEST_P(Life, AFiredJobIsQueuedWhateverItsTime) {
  NewJob wanted = job();
  wanted.run_at = in(10);
  EXPECT_EQ(enqueue(wanted, JobEvent::fire).state, JobState::queued);
  EXPECT_EQ(state(wanted.id), JobState::queued);
}

TEST_P(Life, AnIdInUseIsRefusedInEveryState) {
  std::vector<JobState> states = all_states();
  states.push_back(JobState::gone);
  for (const JobState at : states) {
    NewJob again = job();
    again.id = in_state(at);
    EXPECT_EQ(enqueue(again).answer, EnqueueAnswer::id_taken) << to_string(at);
    EXPECT_EQ(state(again.id), at) << to_string(at);
  }
}

TEST_P(Life, AnUnknownJobIsNeitherFoundNorGone) {
  const Found nothing = found(new_id());
  EXPECT_FALSE(nothing.job.has_value());
  EXPECT_FALSE(nothing.tomb.has_value());
}

TEST_P(Life, GetAnswersInTheOrderOfTheQuestionAndAnswersTwice) {
  const auto made = submit_many(3);
  const auto got = reader().get({made[2], new_id(), made[0], made[2]}, false);
  ASSERT_TRUE(got.ok());
  ASSERT_EQ(got->size(), 4u);
  EXPECT_EQ(got->at(0).job->id, made[2]);
  EXPECT_FALSE(got->at(1).job.has_value());
  EXPECT_EQ(got->at(2).job->id, made[0]);
  EXPECT_EQ(got->at(3).job->id, made[2]);
}

TEST_P(Life, SteeringObeysTheLawInEveryState) {
  for (const JobState from : all_states())
    for (const JobEvent event : {JobEvent::cancel, JobEvent::revive, JobEvent::run_now}) {
      const JobId id = in_state(from);
      const int epoch = view(id).epoch;
      const SteerResult result = steer(id, event);
      const auto to = decide(from, event);
      const auto what = std::string(to_string(from)) + " " + std::string(to_string(event));
      SteerAnswer expected = to ? SteerAnswer::moved : SteerAnswer::refused;
      if (is_leaving(from)) expected = SteerAnswer::leaving;
      if (from == JobState::running && event == JobEvent::cancel) expected = SteerAnswer::requested;
      EXPECT_EQ(result.answer, expected) << what;
      EXPECT_EQ(result.state, to.value_or(from)) << what;
      EXPECT_EQ(state(id), to.value_or(from)) << what;
      EXPECT_EQ(view(id).epoch, epoch) << what;
    }
}

TEST_P(Life, SteeringTakesNoOtherEvent) {
  for (const JobEvent event : {JobEvent::claim, JobEvent::succeed, JobEvent::mark, JobEvent::lose,
                               JobEvent::due, JobEvent::erase, JobEvent::force})
    for (const JobState from : {JobState::queued, JobState::running, JobState::scheduled}) {
      const JobId id = in_state(from);
      EXPECT_EQ(steer(id, event).answer, SteerAnswer::refused) << to_string(event);
      EXPECT_EQ(state(id), from) << to_string(event);
    }
}

TEST_P(Life, OnlyARunningJobCanBeFinished) {
  for (const JobState from : all_states())
    for (const JobEvent event : {JobEvent::succeed, JobEvent::retry, JobEvent::exhaust,
                                 JobEvent::stopped, JobEvent::hand_over}) {
      const JobId id = in_state(from);
      ClaimedJob run;
      run.job = id;
      run.epoch = view(id).epoch;
      const FinishResult result = finish(run, event);
      EXPECT_EQ(result.written, from == JobState::running) << to_string(from);
      EXPECT_EQ(state(id), decide(from, event).value_or(from)) << to_string(from);
    }
}

TEST_P(Life, AFinishTakesNoOtherEvent) {
  for (const JobEvent event : {JobEvent::mark, JobEvent::cancel, JobEvent::claim, JobEvent::lose,
                               JobEvent::give_up, JobEvent::revive, JobEvent::erase}) {
    const ClaimedJob run = start();
    EXPECT_FALSE(finish(run, event).written) << to_string(event);
    EXPECT_EQ(state(run.job), JobState::running) << to_string(event);
  }
}

TEST_P(Life, OnlyAQueuedJobIsClaimed) {
  for (const JobState from : all_states()) {
    const JobId id = in_state(from);
    const auto claimed = claim(10, view(id).queue);
    EXPECT_EQ(claimed.size(), from == JobState::queued ? 1u : 0u) << to_string(from);
    EXPECT_EQ(state(id), from == JobState::queued ? JobState::running : from) << to_string(from);
  }
}

TEST_P(Life, OnlyAScheduledJobBecomesDue) {
  std::vector<JobId> jobs;
  for (const JobState from : all_states()) jobs.push_back(in_state(from));
  pass(100'000);
  EXPECT_EQ(due().moved, 1);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const JobState from = all_states()[i];
    EXPECT_EQ(state(jobs[i]), from == JobState::scheduled ? JobState::queued : from);
  }
}

TEST_P(Life, EveryStateThatStaysCanBeMarked) {
  for (const JobState from : all_states()) {
    const JobId id = in_state(from);
    const int epoch = view(id).epoch;
    const MarkedJob marked = mark(id);
    if (is_leaving(from)) {
      EXPECT_EQ(marked.answer, MarkAnswer::joined) << to_string(from);
      EXPECT_EQ(state(id), from);
      EXPECT_EQ(view(id).epoch, epoch);
      continue;
    }
    EXPECT_EQ(marked.was, from);
    EXPECT_EQ(marked.epoch, epoch + 1) << to_string(from);
    const bool is_held = from == JobState::running;
    EXPECT_EQ(marked.answer, is_held ? MarkAnswer::held : MarkAnswer::erased) << to_string(from);
    EXPECT_EQ(state(id), is_held ? JobState::pending_delete : JobState::gone) << to_string(from);
  }
}

TEST_P(Life, TicketEventsMoveOnlyWhatIsLeaving) {
  for (const JobState from : all_states())
    for (const JobEvent event : {JobEvent::fail_delete, JobEvent::retry_delete, JobEvent::erase,
                                 JobEvent::force, JobEvent::claim}) {
      const JobId id = in_state(from);
      const bool is_ticket_event =
          event == JobEvent::fail_delete || event == JobEvent::retry_delete;
      const auto to = is_ticket_event ? decide(from, event) : std::nullopt;
      EXPECT_EQ(ticket(id, event), to.has_value()) << to_string(from) << to_string(event);
      EXPECT_EQ(state(id), to.value_or(from)) << to_string(from) << to_string(event);
    }
}

TEST_P(Life, OnlyALeavingJobCanBeForced) {
  for (const JobState from : all_states()) {
    const JobId id = in_state(from);
    EXPECT_EQ(force(id).erased, is_leaving(from)) << to_string(from);
    EXPECT_EQ(state(id), is_leaving(from) ? JobState::gone : from) << to_string(from);
  }
}

TEST_P(Life, ARecoveryTakesOnlyTheRunning) {
  std::vector<JobId> jobs;
  for (const JobState from : all_states())
    if (!is_leaving(from)) jobs.push_back(in_state(from));
  const RecoverResult declared_dead = recover();
  EXPECT_EQ(declared_dead.requeued, 1);
  EXPECT_EQ(declared_dead.failed + declared_dead.cancelled, 0);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const JobState from = all_states()[i];
    EXPECT_EQ(state(jobs[i]), from == JobState::running ? JobState::queued : from);
  }
}

TEST_P(Life, AWholeLifeLeavesItsTimes) {
  const JobId id = submit_later(10);
  pass(20);
  EXPECT_EQ(due().moved, 1);
  pass(1);
  const auto run = claim(1).at(0);
  EXPECT_EQ(view(id).started, now());
  EXPECT_EQ(view(id).node, node_.node);
  const Instant started = now();
  pass(5);
  FinishOp op = finish_op(run, JobEvent::succeed);
  op.expires = in(500);
  EXPECT_TRUE(finish(op).written);
  const JobView seen = view(id);
  EXPECT_EQ(seen.state, JobState::succeeded);
  EXPECT_EQ(seen.started, started);
  EXPECT_EQ(seen.finished, now());
  EXPECT_EQ(seen.expires, in(500));
  EXPECT_EQ(seen.attempt, 1);
  EXPECT_FALSE(seen.due || seen.node);
}

}  // namespace
}  // namespace quell::storage
