#include "actors/runs/run_end.hpp"

namespace quell {

namespace {

RetryRules rules_of(const JobOptions& options, const NodeSettings& settings) {
  RetryRules rules;
  rules.max_attempts = options.max_attempts;
  rules.max_lost = settings.max_lost;
  rules.backoff_first = options.backoff;
  rules.backoff_max = options.backoff_max;
  return rules;
}

// What comes back to wait is cancelled instead if somebody wished so: the store decides.
JobState final_state(JobEvent event) {
  const std::optional<JobState> to = decide(JobState::running, event);
  return to && is_final(*to) ? *to : JobState::cancelled;
}

}  // namespace

storage::FinishOp finish_of(const Run& run, const RunEnded& end, const NodeSettings& settings,
                            const storage::NodeLife& self, Instant now, double random) {
  const JobOptions options = options_from_json(run.options);
  EndedAttempt ended;
  ended.outcome = end.outcome;
  ended.attempt = run.attempt;
  ended.lost = run.lost;
  ended.deadline = options.deadline;
  ended.retry_after = end.retry_after;
  const NextStep next = after_attempt(rules_of(options, settings), ended, now, random);

  storage::FinishOp op{.job = run.key.job,
                       .epoch = static_cast<int>(run.key.epoch),
                       .event = next.event,
                       .now = now};
  if (next.event == JobEvent::retry) op.due = next.due;
  op.result = end.result;
  op.error = end.error;
  op.usage = end.usage;
  const RetentionRules rules = run.queue != nullptr ? RetentionRules::of(settings, *run.queue)
                                                    : RetentionRules::of(settings);
  op.expires = expires_at(rules, final_state(next.event), now);
  if (rules.result > Millis{0})
    op.result_expires = result_expires_at(rules, final_state(next.event), now);
  // The job's row tells of a plain success; only what differs from that costs a row of its own.
  const bool plain = next.event == JobEvent::succeed && run.attempt == 1;
  if (!plain && next.event != JobEvent::hand_over)
    op.attempt = AttemptRecord{.n = run.attempt,
                               .started = run.started,
                               .ended = now,
                               .outcome = std::string(to_string(end.outcome)),
                               .error = end.error,
                               .node = self.node.text()};
  return op;
}

RunEnded crashed(const Run& run) {
  RunEnded end{.job = run.key.job, .epoch = static_cast<int>(run.key.epoch)};
  end.outcome = AttemptOutcome::error;
  end.error = R"({"code":"internal","detail":"the run ended without a word"})";
  return end;
}

}  // namespace quell
