#include "tests/storage/conformance/store_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace quell::storage {

namespace {

std::string text(const Uuid& id) {
  return id.text();
}
std::string text(Instant at) {
  return std::to_string(at.time_since_epoch().count());
}
std::string text(const std::string& value) {
  return '"' + value + '"';
}
std::string text(bool value) {
  return value ? "yes" : "no";
}
std::string text(int value) {
  return std::to_string(value);
}
std::string text(std::int64_t value) {
  return std::to_string(value);
}
std::string text(double value) {
  return fmt::format("{:.17g}", value);
}
std::string text(JobState state) {
  return std::string(to_string(state));
}
std::string text(Verdict verdict) {
  return std::string(to_string(verdict));
}
std::string text(const NodeLife& life) {
  return text(life.node) + "/" + text(life.life);
}
std::string text(const Holder& holder) {
  return fmt::format("({} {} {} {})", static_cast<int>(holder.what), text(holder.ref),
                     text(holder.owner), holder.epoch);
}
template <class T>
std::string text(const std::optional<T>& value) {
  return value ? text(*value) : "-";
}
template <class T>
std::string text(const std::vector<T>& values) {
  std::string all = "[";
  for (const T& value : values) all += text(value) + " ";
  return all + "]";
}

template <class... T>
std::string line(const char* what, const T&... values) {
  std::string all = what;
  ((all += " ", all += text(values)), ...);
  return all;
}

std::string line_of(const MarkedJob& one) {
  const int answer = static_cast<int>(one.answer);
  switch (one.answer) {
    case MarkAnswer::not_found:
      return line("mark", one.job, answer);
    case MarkAnswer::already_gone:
      return line("mark", one.job, answer, one.was, one.delete_id, one.deleted_at);
    case MarkAnswer::protected_job:
      return line("mark", one.job, answer, one.was, one.epoch, one.queue);
    default:
      return line("mark", one.job, answer, one.was, one.epoch, one.delete_id, one.open,
                  one.deliveries_removed, one.queue, one.verdict, one.copy_until);
  }
}

std::string line_of(const VerdictResult& one) {
  const int answer = static_cast<int>(one.answer);
  if (one.answer == VerdictAnswer::unknown) return line("verdict", answer, one.delete_id);
  return line("verdict", answer, one.delete_id, one.was, one.verdict, one.copy_until);
}

std::string line_of(const SteerResult& one) {
  const int answer = static_cast<int>(one.answer);
  if (one.answer == SteerAnswer::not_found) return line("steer", answer);
  if (one.answer == SteerAnswer::gone) return line("steer", answer, one.delete_id);
  return line("steer", answer, one.state, one.runner, one.queue, one.delete_id);
}

std::string line_of(const EnqueueResult& one) {
  const int answer = static_cast<int>(one.answer);
  if (one.answer == EnqueueAnswer::stored) return line("enqueue", answer, one.state);
  if (one.answer == EnqueueAnswer::id_taken || one.answer == EnqueueAnswer::sender_ended)
    return line("enqueue", answer);
  return line("enqueue", answer, one.existing, one.existing_state);
}

std::string line_of(const ClaimedJob& one) {
  return line("claimed", one.job, one.epoch, one.attempt, one.lost, one.kind, one.args, one.options,
              one.project, one.has_steps);
}

std::string line_of(const ClaimedDelivery& one) {
  return line("delivers", one.id, one.job, one.endpoint, one.event, one.body, one.tries, one.url);
}

void add_beat(Lines& all, const BeatResult& one) {
  all.push_back(line("beat", one.alive, one.running));
  Lines parts;
  for (const auto& [job, holder] : one.orders) parts.push_back(line("  order", job, holder));
  for (const auto& [job, epoch] : one.cancel_requests) parts.push_back(line("  wish", job, epoch));
  std::sort(parts.begin(), parts.end());
  all.insert(all.end(), parts.begin(), parts.end());
}

void add_orders(Lines& all, const Orders& orders) {
  for (const auto& [job, holder] : orders.holders) all.push_back(line("order", job, holder));
  for (const auto& [job, epoch] : orders.cancel_requests) all.push_back(line("wish", job, epoch));
}

void add_recovery_line(Lines& all, const RecoverResult& one) {
  all.push_back(
      line("bury", one.done, one.requeued, one.failed, one.cancelled, one.deliveries, one.queues));
  Lines parts;
  for (const auto& [job, result] : one.erased)
    parts.push_back(line("  erased", job) + " " + line_of(result));
  for (const auto& [job, state] : one.ended) parts.push_back(line("  ended", job, state));
  std::sort(parts.begin(), parts.end());
  all.insert(all.end(), parts.begin(), parts.end());
}

std::string line_of(const JobView& one) {
  return line("job", one.id, one.project, one.queue, one.kind, one.priority, one.state, one.epoch,
              one.attempt, one.lost, one.due, one.started, one.finished, one.expires,
              one.result_expires, one.progress, one.phase, one.args, one.result, one.error,
              one.usage) +
         line("", to_json(one.options), one.unique_key, one.node, one.ran_on, one.cancel_requested,
              one.delete_id);
}

std::string line_of(const Tombstone& one) {
  return line("tomb", one.job, one.delete_id, one.at, one.until, one.was, one.verdict, one.who,
              one.reason, one.copy_until, one.restored) +
         line("", one.life.project, one.life.queue, one.life.kind, one.life.attempt, one.life.lost,
              one.life.started, one.life.finished, one.life.ran_on, one.life.schedule,
              one.life.story);
}

std::string line_of(const RestoreResult& one) {
  const int answer = static_cast<int>(one.answer);
  if (one.answer == RestoreAnswer::no_copy) return line("restore", answer);
  return line("restore", answer, one.was, one.delete_id, one.queue,
              one.answer == RestoreAnswer::unique_conflict ? text(one.existing) : "") +
         (one.answer == RestoreAnswer::restored ? line("", one.state, one.epoch, one.due) : "");
}

std::string line_of(const CopyHead& one) {
  return line("copy", one.job, one.delete_id, one.project, one.queue, one.kind, one.was, one.at,
              one.until);
}

std::string line_of(const ExpiryFigures& one) {
  return line("", one.due, one.day, one.week, one.later);
}

std::string line_of(const TicketView& one) {
  return line("ticket", one.job, one.delete_id, one.state, one.was, one.who, one.reason, one.error,
              one.at, one.tries, one.next_try, one.open, one.forced);
}

std::string line_of(const CallView& one) {
  return line("call", one.delete_id, one.who, one.reason, one.path, one.counts, one.receipt, one.at,
              one.is_marked, one.joined, one.joined_more);
}

// A read that fails is a line too: the oracle's never does.
template <class T>
T read(Result<T> result, Lines& all) {
  if (result) return std::move(*result);
  all.push_back("error: " + to_string(result.error()));
  return T{};
}

void add_side_rows(Reader& reader, JobId job, Lines& all) {
  for (const AttemptRecord& one : read(reader.attempts(job), all))
    all.push_back(
        line("attempt", job, one.n, one.started, one.ended, one.outcome, one.error, one.node));
  for (const auto& [no, one] : read(reader.logs(job, 0, 1'000), all))
    all.push_back(line("log", job, no, one.at, one.level, one.text));
  for (const auto& [no, one] : read(reader.partials(job, 0, 1'000), all))
    all.push_back(line("partial", job, no, one));
  for (const StepResult& one : read(reader.steps(job), all))
    all.push_back(line("step", job, one.name, one.result));
  Lines deliveries;
  for (const DeliveryView& one : read(reader.deliveries(job), all))
    deliveries.push_back(line("delivery", one.id, one.job, one.endpoint, one.event, one.log,
                              one.tries, one.in_flight, one.due));
  std::sort(deliveries.begin(), deliveries.end());
  all.insert(all.end(), deliveries.begin(), deliveries.end());
}

void add_jobs(Reader& reader, Lines& all) {
  ListQuery query;
  query.limit = 64;
  query.with_payload = true;
  while (true) {
    const JobPage page = read(reader.list(query), all);
    for (const JobView& one : page.jobs) all.push_back(line_of(one));
    if (!page.next) return;
    query.after = page.next;
  }
}

std::string line_of(const ScheduleRow& one) {
  return line("schedule", one.id, one.project, one.group, one.name, static_cast<int>(one.status),
              one.version, one.terms, one.created, one.changed, one.next, one.wake, one.waiting) +
         line("", one.last, one.last_job, one.fired, one.missed, one.overlaps, one.error);
}

std::string line_of(const TaskMessage& one) {
  return line("message", one.task, one.project, one.requested_at, one.request_id, one.who,
              one.reason, static_cast<int>(one.jobs), one.tries, one.next_try, one.error);
}

void add_schedules(Reader& reader, Instant now, Lines& all) {
  ScheduleQuery due, leaving, grouped;
  due.due_by = leaving.leaving_since = now;
  grouped.project = "p1";
  grouped.group = "g1";
  grouped.status = ScheduleStatus::active;
  for (const ScheduleQuery& query : {ScheduleQuery{}, due, leaving, grouped})
    for (const ScheduleRow& one : read(reader.schedules(query), all)) all.push_back(line_of(one));
  all.push_back(line("next wake", read(reader.next_wake(), all)));
  for (const TaskMessage& one : read(reader.task_messages({}, now, 100), all))
    all.push_back(line_of(one));
}

void add_wholes(Reader& reader, Instant now, Lines& all) {
  for (const char* project : {"", "p1"})
    for (const CountRow& one : read(reader.counts(project), all))
      all.push_back(line("count", std::string(project), one.queue, one.state, one.n));
  for (const bool due : {false, true})
    for (const TicketView& one : read(reader.tickets({}, due, now, 1'000), all))
      all.push_back(line_of(one));
  for (const NodeView& one : read(reader.nodes(), all))
    all.push_back(line("node", one.owner, one.beat, one.gone, one.info));
  for (const char* kind : {"kind0", "kind1"})
    for (const Doc& one : read(reader.docs(kind, ""), all))
      all.push_back(line("doc", one.kind, one.id, one.project, one.body, one.version));
  add_schedules(reader, now, all);
  all.push_back(line("next due", read(reader.next_due(), all)));
  all.push_back(line("next delivery", read(reader.next_delivery(), all)));
  all.push_back(line("expired", read(reader.expired(now, 20), all)));
  CopyQuery copies;
  copies.now = now;
  copies.limit = 1'000;
  for (const CopyHead& one : read(reader.copies(copies), all)) {
    all.push_back(line_of(one));
    const auto copy = read(reader.copy(one.job, now), all);
    all.push_back(copy ? line_of(copy->job) : "no copy");
  }
  const ExpiryReport report = read(reader.expiries(now, 10'000), all);
  for (const ExpiryRow& one : report.records)
    all.push_back(line("expiry", one.queue, one.state) + line_of(one.n));
  all.push_back("results" + line_of(report.results) + " copies" + line_of(report.copies));
  for (const char* endpoint : {"e0", "e1", "e2"})
    for (const DeliveryView& one : read(reader.deliveries_of(endpoint, {}, 30), all))
      all.push_back(
          line("to", one.id, one.job, one.event, one.body, one.tries, one.in_flight, one.due));
  for (const std::string& one : read(reader.orphans(), all)) all.push_back("orphan " + one);
}

}  // namespace

Lines lines_of(const Outcome& out) {
  Lines all;
  for (const auto& call : out.marks)
    for (const MarkedJob& one : call) all.push_back(line_of(one));
  for (const VerdictResult& one : out.verdicts) all.push_back(line_of(one));
  for (const bool one : out.tickets) all.push_back(line("ticketed", one));
  for (const ForceResult& one : out.forces)
    all.push_back(line("forced", one.erased, one.delete_id, one.open, one.was, one.copy_until));
  for (const SteerResult& one : out.steers) all.push_back(line_of(one));
  for (const FinishResult& one : out.finishes)
    all.push_back(line("finished", one.written, one.written ? text(one.state) : ""));
  for (const bool one : out.flushes) all.push_back(line("flushed", one));
  for (const bool one : out.delivery_ends) all.push_back(line("delivered", one));
  for (const NodeLife& one : out.starts) all.push_back(line("started", one));
  for (const BeatResult& one : out.beats) add_beat(all, one);
  for (const RecoverResult& one : out.recoveries) add_recovery_line(all, one);
  for (const RoleResult& one : out.roles) all.push_back(line("role", one.holder, one.beat));
  for (const DocResult& one : out.docs) all.push_back(line("wrote", one.written, one.version));
  for (const bool one : out.notices) all.push_back(line("noticed", one));
  for (const bool one : out.redeliveries) all.push_back(line("again", one));
  for (const bool one : out.seals) all.push_back(line("sealed", one));
  for (const DueResult& one : out.dues) all.push_back(line("due", one.moved, one.queues));
  for (const TaskDeleteResult& one : out.task_deletes)
    all.push_back(line("task delete", static_cast<int>(one.answer), one.project, one.name,
                       static_cast<int>(one.jobs)));
  for (const bool one : out.task_words) all.push_back(line("word", one));
  for (const bool one : out.task_erases) all.push_back(line("task erased", one));
  for (const SchedulePutResult& one : out.schedule_puts)
    all.push_back(line("put", one.written, one.version, static_cast<int>(one.status.has_value())));
  for (const FireResult& one : out.fires) {
    all.push_back(
        line("fire", static_cast<int>(one.answer), one.born, one.queues, one.overlaps, one.waits));
    for (const auto& [job, cancelled] : one.cancelled)
      all.push_back(line("in its place", job) + line_of(cancelled));
  }
  for (const ExpireResult& one : out.expiries) all.push_back(line("ended", one.ended, one.more));
  for (const RestoreResult& one : out.restores) all.push_back(line_of(one));
  for (const EnqueueResult& one : out.enqueues) all.push_back(line_of(one));
  for (const auto& claim : out.claims) {
    all.push_back(line("claim", static_cast<int>(claim.size())));
    for (const ClaimedJob& one : claim) all.push_back(line_of(one));
  }
  for (const auto& claim : out.delivery_claims) {
    all.push_back(line("delivery claim", static_cast<int>(claim.size())));
    for (const ClaimedDelivery& one : claim) all.push_back(line_of(one));
  }
  if (out.has_deliveries) all.push_back("told");
  return all;
}

Lines lines_of(Reader& reader, const Interest& interest) {
  Lines all;
  add_jobs(reader, all);
  add_wholes(reader, interest.now, all);
  for (const Found& one : read(reader.get(interest.jobs, false), all))
    if (one.tomb) all.push_back(line_of(*one.tomb));
  for (const JobId& job : interest.jobs) add_side_rows(reader, job, all);
  for (const DeleteId& id : interest.deletes) {
    const std::optional<CallView> call = read(reader.call(id), all);
    if (call) all.push_back(line_of(*call));
    for (const Tombstone& one : read(reader.tombstones(id, {}, 1'000), all))
      all.push_back(line_of(one));
  }
  for (const NodeLife& life : interest.lives) add_orders(all, read(reader.orders(life), all));
  for (const NodeLife& life : interest.lives)
    for (const auto& [job, epoch] : read(reader.running(life), all))
      all.push_back(line("runs", life, job, epoch));
  return all;
}

}  // namespace quell::storage
