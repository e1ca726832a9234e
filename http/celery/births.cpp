// A message is a job: committed before the push is answered. Celery's id becomes an alias of the
// job's, written first, so that of two pushes with one id one counts.
#include <nlohmann/json.hpp>

#include "http/celery/desk.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/name.hpp"
#include "runtime/celery/message.hpp"
#include "runtime/celery/result_meta.hpp"

namespace quell::http::celery {

namespace resp = quell::celery::resp;
namespace step = quell::celery::step;
using quell::celery::Message;

namespace {

constexpr std::size_t tag_max = 128;
constexpr int unlimited = 1'000'000;  // Celery counts the attempts itself
constexpr Millis no_limit{std::chrono::hours{24 * 7}};
constexpr Millis slack{std::chrono::hours{24 * 7}};  // for attempts and their waits
constexpr int lowest_priority = 9;
constexpr std::size_t purge_max = 10'000;

void add_tag(std::vector<std::string>& tags, const char* name, const std::string& value) {
  std::string tag = std::string(name) + ":" + value;
  if (!value.empty() && tag.size() <= tag_max) tags.push_back(std::move(tag));
}

// How a person finds it: by its own id, or with all of its group, chain or chord.
std::vector<std::string> tags_of(const Message& message) {
  std::vector<std::string> tags;
  add_tag(tags, "celery", message.id);
  add_tag(tags, "celery-task", message.task);
  add_tag(tags, "celery-group", message.group);
  add_tag(tags, "celery-root", message.root);
  return tags;
}

NewJob job_of(const Message& message, const std::string& envelope, const std::string& queue,
              const std::string& project, JobId id) {
  NewJob job;
  job.id = id;
  job.kind = "celery";
  job.args = quell::celery::job_args(message, envelope);
  job.project = project;
  job.queue = queue;
  job.priority = lowest_priority - message.priority;
  job.run_at = message.eta;
  job.options.max_attempts = unlimited;
  job.options.timeout = no_limit;
  job.options.backoff = job.options.backoff_max = Millis{0};
  job.options.tags = tags_of(message);
  job.options.submitted_by = "celery:" + project;
  return job;
}

bool is_pickled(const Message& message) {
  return message.content_type.find("python-serialize") != std::string::npos ||
         message.content_type.find("pickle") != std::string::npos;
}

}  // namespace

// Kept as long as anything can be left of the job: until its tombstone is forgotten.
storage::DocOp Desk::alias_doc(const Alias& alias, const std::string& project,
                               std::optional<Instant> run_at) const {
  nlohmann::json body = nlohmann::json::object();
  if (alias.job) body["job"] = alias.job->text();
  if (alias.is_forgotten) body["forgotten"] = true;
  const SettingValues& settings = node_.settings();
  const Millis longest = std::max(
      {settings.retention_succeeded, settings.retention_failed, settings.retention_cancelled});
  const bool is_for_ever = std::min({settings.retention_succeeded, settings.retention_failed,
                                     settings.retention_cancelled}) <= Millis{0};
  storage::DocOp doc;
  doc.kind = "celery-task";
  doc.id = stored_name(project, alias.id);
  doc.project = project;
  doc.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  doc.if_version = alias.version;
  if (!is_for_ever)
    doc.until = std::max(now(), run_at.value_or(now())) + longest + settings.tomb_keep + slack;
  return doc;
}

void Desk::push(const TurnPtr& turn, const Words& words, Done done) {
  const std::string& key = words[1];
  if (key.ends_with(reply_key)) {
    reply(turn->caller.project, key, words[2]);
    return done(resp::number(1));
  }
  birth(turn, queue_of(key), words[2], std::move(done));
}

void Desk::birth(const TurnPtr& turn, const std::string& queue, const std::string& envelope,
                 Done done) {
  const Caller& caller = turn->caller;
  auto message = quell::celery::read_message(envelope);
  if (!message) return done(refusal(message.error()));
  if (caller.attempt && caller.attempt->id == message->id)
    return keep_retry(turn, envelope, std::move(done));
  if (!caller.scopes.has(Scope::jobs_write))
    return done(resp::error("NOPERM the token lacks the scope 'jobs:write'."));
  if (is_pickled(*message) && !caller.scopes.has(Scope::jobs_exec))
    return done(
        resp::error("NOPERM a pickled message is code that runs on this machine: use "
                    "task_serializer = 'json', or a token with the scope 'jobs:exec'."));
  if (!is_name(queue))
    return done(
        resp::error("ERR a queue's name has letters, digits, and . _ - only, at most 128."));
  for (const QueueView& view : node_.queues())
    if (view.name == queue && view.closed)
      return done(resp::error("ERR the queue '" + queue + "' takes no new jobs."));
  Alias alias;
  alias.id = message->id;
  alias.job = node_.ids().next();
  NewJob job = job_of(*message, envelope, queue, caller.project, *alias.job);
  storage::Batch batch;
  batch.docs.push_back(alias_doc(alias, caller.project, job.run_at));
  write(std::move(batch), [this, turn, job = std::move(job), id = message->id,
                           done = std::move(done)](Result<storage::Outcome> outcome) mutable {
    if (!outcome) return done(refusal(outcome.error()));
    if (outcome->docs.front().written) return enqueue(turn, std::move(job), id, std::move(done));
    born_before(turn, std::move(job), id, std::move(done));
  });
}

// A task that asks for a retry, or replaces itself, sends its own id again: it is the same job.
void Desk::keep_retry(const TurnPtr& turn, const std::string& envelope, Done done) {
  const Attempt& attempt = *turn->caller.attempt;
  storage::FlushOp op{.job = attempt.job, .epoch = attempt.epoch, .now = now()};
  op.steps.push_back({step::message, envelope});
  op.steps.push_back({step::run, "retried"});
  storage::Batch batch;
  batch.flushes.push_back(std::move(op));
  write(std::move(batch), [done = std::move(done)](Result<storage::Outcome> outcome) {
    if (!outcome) return done(refusal(outcome.error()));
    done(outcome->flushes.front() ? resp::number(1)
                                  : resp::error("ERR the task was deleted or has ended."));
  });
}

// What a task sends is born only while its run is its job's and nobody has marked it: the store
// looks at that in the transaction of the birth.
void Desk::enqueue(const TurnPtr& turn, NewJob job, const std::string& id, Done done) {
  if (channels_.contains({turn->caller.project, std::string(task_key) + id}))
    watch(job.id, turn->caller.project, id);
  storage::EnqueueOp op{std::move(job), now()};
  if (const auto& attempt = turn->caller.attempt)
    op.sender = storage::Sender{attempt->job, attempt->epoch};
  storage::Batch batch;
  batch.enqueues.push_back(std::move(op));
  write(std::move(batch), [done = std::move(done)](Result<storage::Outcome> outcome) {
    if (!outcome) return done(refusal(outcome.error()));
    const storage::EnqueueResult& result = outcome->enqueues.front();
    if (result.answer == storage::EnqueueAnswer::refused)
      return done(resp::error("ERR " + result.refusal));
    if (result.answer == storage::EnqueueAnswer::sender_ended)
      return done(resp::error("ERR the task that sends this was deleted or has ended."));
    done(resp::number(1));
  });
}

// The id is known. What was deleted is not born again; what is there is not doubled; what has ended
// may be run anew.
void Desk::born_before(const TurnPtr& turn, NewJob job, const std::string& id, Done done) {
  look_up(
      turn->caller.project, id, false,
      [this, turn, job = std::move(job), id, done = std::move(done)](Result<Known> known) mutable {
        if (!known) return done(refusal(known.error()));
        if (known->has_tomb)
          return done(turn->caller.attempt ? resp::number(1)
                                           : resp::error("ERR the task " + id + " was deleted."));
        if (!known->job && known->alias.job) {
          job.id = *known->alias.job;  // its birth was cut short
          return enqueue(turn, std::move(job), id, std::move(done));
        }
        if (known->job && !is_final(known->job->state)) return done(resp::number(1));
        Alias alias = known->alias;
        alias.job = job.id;
        alias.is_forgotten = false;
        storage::Batch batch;
        batch.docs.push_back(alias_doc(alias, turn->caller.project, job.run_at));
        write(std::move(batch), [this, turn, job = std::move(job), id,
                                 done = std::move(done)](Result<storage::Outcome> outcome) mutable {
          if (!outcome) return done(refusal(outcome.error()));
          if (!outcome->docs.front().written) return done(resp::number(1));
          enqueue(turn, std::move(job), id, std::move(done));
        });
      });
}

void Desk::length(const TurnPtr& turn, const Words& words, Done done) {
  const std::string& key = words[1];
  if (key.starts_with(group_key)) return count_parts(turn, words, std::move(done));
  if (key.find(priority_mark) != std::string::npos) return done(resp::number(0));
  read<std::int64_t>(
      [project = turn->caller.project, key](storage::Reader& reader) {
        std::int64_t sum = 0;
        if (const auto counts = reader.counts(project))
          for (const storage::CountRow& row : *counts)
            if (row.queue == key && row.state == JobState::queued) sum += row.n;
        return sum;
      },
      [done = std::move(done)](std::int64_t sum) { done(resp::number(sum)); });
}

// `celery purge`: the waiting jobs of the queue are deleted, as every delete is.
void Desk::purge(const TurnPtr& turn, const std::string& queue, Done done) {
  if (!turn->caller.scopes.has(Scope::jobs_delete_filter))
    return done(resp::error("NOPERM the token lacks the scope 'jobs:delete:filter'."));
  read<std::vector<JobId>>(
      [project = turn->caller.project, queue](storage::Reader& reader) {
        std::vector<JobId> ids;
        storage::ListQuery query;
        query.filter.project = project;
        query.filter.queue = queue;
        query.filter.kind = "celery";
        query.filter.states = {JobState::queued};
        query.limit = 1000;
        while (ids.size() < purge_max) {
          const auto page = reader.list(query);
          if (!page) break;
          for (const JobView& job : page->jobs) ids.push_back(job.id);
          if (!page->next) break;
          query.after = page->next;
        }
        return ids;
      },
      [this, turn, done = std::move(done)](std::vector<JobId> ids) {
        if (ids.empty()) return done(resp::number(0));
        DeleteRequest request;
        request.jobs = std::move(ids);
        request.who = turn->caller.who;
        request.reason = "celery purge";
        request.path = "filter";
        request.project = turn->caller.project;
        request.origin = DeletionOrigin::filter;
        node_.erase(std::move(request),
                    [this, done, alive = std::weak_ptr<bool>(alive_)](Result<DeleteReport> report) {
                      if (alive.expired()) return;
                      const std::string wire =
                          report ? resp::number(static_cast<std::int64_t>(report->counts.deleted))
                                 : refusal(report.error());
                      loop_.post([done, wire] { done(wire); });
                    });
      });
}

}  // namespace quell::http::celery
