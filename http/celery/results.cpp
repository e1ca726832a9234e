// What a task came to, as Celery's result backend keeps it. The record of a task lies with its job
// and goes with it; what is written for a task that is not born, or for a group, is a value of its
// own with an end.
#include <charconv>
#include <nlohmann/json.hpp>

#include "http/celery/desk.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/celery/message.hpp"
#include "runtime/celery/result_meta.hpp"

namespace quell::http::celery {

namespace resp = quell::celery::resp;
namespace step = quell::celery::step;

namespace {

constexpr Millis default_ttl{std::chrono::hours{24}};
constexpr Millis longest_ttl{std::chrono::hours{24 * 366}};
constexpr const char* value_kind = "celery-value";
constexpr std::string_view not_a_cache =
    "ERR quell's door for Celery keeps the results of tasks and groups only; give the app another "
    "Redis for its own keys.";

Millis ttl_of(const std::string& seconds) {
  std::int64_t value = 0;
  const auto [stop, wrong] =
      std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  if (wrong != std::errc{} || value <= 0) return default_ttl;
  return Millis{std::min<std::int64_t>(value, longest_ttl.count() / 1000) * 1000};
}

bool is_result_key(std::string_view key) {
  return key.starts_with(task_key) || key.starts_with(group_key);
}

using Value = std::optional<std::string>;

Value value_at(storage::Reader& reader, const std::string& project, const std::string& key) {
  const auto doc = reader.doc(value_kind, stored_name(project, key));
  if (!doc || !doc.value()) return std::nullopt;
  return (*doc.value()).body;
}

}  // namespace

// One key, on a reader's thread. A task's own process may hear of ends that are not told outside
// yet: it joins the results of a chord whose parts are still being reaped.
static Value read_key(storage::Reader& reader, const Result<Known>& known, const Caller& caller,
                      const std::string& key) {
  if (!key.starts_with(task_key)) return value_at(reader, caller.project, key);
  if (!known || known->alias.is_forgotten) return std::nullopt;
  if (!known->job) {
    if (known->has_tomb) return std::nullopt;
    return value_at(reader, caller.project, key);
  }
  if (caller.attempt && known->meta) return known->meta;
  return quell::celery::told_of(*known->job, known->alias.id, known->meta,
                                quell::system_clock().now());
}

void Desk::get_many(const TurnPtr& turn, const Words& words, Done done) {
  for (std::size_t i = 1; i < words.size(); ++i)
    if (!is_result_key(words[i])) return done(resp::error(not_a_cache));
  read<std::vector<Value>>(
      [words, caller = turn->caller](storage::Reader& reader) {
        std::vector<Value> values;
        for (std::size_t i = 1; i < words.size(); ++i) {
          Result<Known> known = Known{};
          if (words[i].starts_with(task_key))
            known = look(reader, caller.project, words[i].substr(task_key.size()), true);
          values.push_back(read_key(reader, known, caller, words[i]));
        }
        return values;
      },
      [turn, is_one = words.front() == "GET", done = std::move(done)](std::vector<Value> values) {
        std::string wire = is_one ? std::string() : resp::array_of(values.size());
        for (const Value& value : values)
          wire += value ? resp::bulk(*value) : resp::nothing(turn->protocol);
        done(std::move(wire));
      });
}

void Desk::get(const TurnPtr& turn, const Words& words, Done done) {
  get_many(turn, words, std::move(done));
}

void Desk::set(const TurnPtr& turn, const Words& words, Done done) {
  if (words[1] == "unacked_mutex") return done(resp::simple("OK"));
  if (words[1] == "quell-acks-late" && turn->caller.attempt) {
    // The task's own process says, before it begins, that it is run again when it is lost.
    const Attempt& attempt = *turn->caller.attempt;
    storage::FlushOp op{.job = attempt.job, .epoch = attempt.epoch, .now = now()};
    op.steps.push_back({step::run, "late"});
    return flush(std::move(op), std::move(done));
  }
  keep(turn, words[1], words[2], default_ttl, std::move(done));
}

void Desk::set_for(const TurnPtr& turn, const Words& words, Done done) {
  keep(turn, words[1], words[3], ttl_of(words[2]), std::move(done));
}

void Desk::flush(storage::FlushOp op, Done done) {
  storage::Batch batch;
  batch.flushes.push_back(std::move(op));
  write(std::move(batch), [done = std::move(done)](Result<storage::Outcome> outcome) {
    if (!outcome) return done(refusal(outcome.error()));
    done(outcome->flushes.front() ? resp::simple("OK")
                                  : resp::error("ERR the task was deleted or has ended."));
  });
}

void Desk::keep(const TurnPtr& turn, const std::string& key, const std::string& value, Millis ttl,
                Done done) {
  if (!is_result_key(key)) return done(resp::error(not_a_cache));
  const Caller& caller = turn->caller;
  storage::Batch batch;
  const bool is_own = caller.attempt && key == std::string(task_key) + caller.attempt->id;
  if (is_own) {
    storage::FlushOp op{.job = caller.attempt->job, .epoch = caller.attempt->epoch, .now = now()};
    op.steps.push_back({step::meta, value});
    if (const auto seen = quell::celery::progress_in(value)) {
      op.progress = seen->fraction;
      op.phase = seen->phase;
    }
    return flush(std::move(op), std::move(done));
  } else if (!caller.attempt && !caller.scopes.has(Scope::jobs_write)) {
    return done(resp::error("NOPERM the token lacks the scope 'jobs:write'."));
  } else {
    batch.docs.push_back(
        {value_kind, stored_name(caller.project, key), caller.project, value, {}, now() + ttl});
  }
  write(std::move(batch), [done = std::move(done)](Result<storage::Outcome> outcome) {
    if (!outcome) return done(refusal(outcome.error()));
    done(resp::simple("OK"));
  });
}

void Desk::remove(const TurnPtr& turn, const Words& words, Done done) {
  const std::string& key = words[1];
  if (key.starts_with(task_key)) return forget(turn, key.substr(task_key.size()), std::move(done));
  if (key.ends_with(reply_key)) {
    const bool there = lists_.erase({turn->caller.project, key}) > 0;
    return done(resp::number(there ? 1 : 0));
  }
  if (!key.starts_with(group_key)) {
    if (key.find(priority_mark) != std::string::npos) return done(resp::number(0));
    return purge(turn, queue_of(key), std::move(done));
  }
  storage::Batch batch;
  for (std::size_t i = 1; i < words.size(); ++i)
    for (const char* kind : {value_kind, "celery-chord"})
      batch.docs.push_back(
          {kind, stored_name(turn->caller.project, words[i]), turn->caller.project, {}, {}, {}});
  write(std::move(batch), [done = std::move(done)](Result<storage::Outcome> outcome) {
    if (!outcome) return done(refusal(outcome.error()));
    std::int64_t removed = 0;
    for (const storage::DocResult& result : outcome->docs) removed += result.written ? 1 : 0;
    done(resp::number(removed));
  });
}

// AsyncResult.forget: the result is told no more. The job stays on record until it is deleted.
void Desk::forget(const TurnPtr& turn, const std::string& id, Done done) {
  look_up(turn->caller.project, id, false,
          [this, turn, id, done = std::move(done)](Result<Known> known) {
            if (!known) return done(refusal(known.error()));
            storage::Batch batch;
            Alias alias = known->alias;
            const bool has_job = alias.version != 0;
            alias.is_forgotten = true;
            if (has_job) batch.docs.push_back(alias_doc(alias, turn->caller.project));
            batch.docs.push_back({value_kind,
                                  stored_name(turn->caller.project, std::string(task_key) + id),
                                  turn->caller.project,
                                  {},
                                  {},
                                  {}});
            write(std::move(batch), [has_job, done](Result<storage::Outcome> outcome) {
              if (!outcome) return done(refusal(outcome.error()));
              done(resp::number(has_job || outcome->docs.back().written ? 1 : 0));
            });
          });
}

void Desk::publish(const TurnPtr& turn, const Words& words, Done done) {
  const std::string& channel = words[1];
  if (channel.starts_with("/") && channel.ends_with(".celery.pidbox"))
    return control(turn, words[2], std::move(done));
  if (channel.starts_with("/") && channel.find(".celeryev") != std::string::npos)
    return done(resp::number(0));  // events of tasks: nobody here listens to them
  if (channel.starts_with("/"))
    return done(resp::error(
        "ERR broadcast queues are not taken: send the task to each queue by its name."));
  // The end of a task is told when its process has been reaped, not when it says so.
  const bool is_early = channel.starts_with(task_key) && quell::celery::is_end(words[2]) &&
                        turn->caller.attempt &&
                        channel == std::string(task_key) + turn->caller.attempt->id;
  if (!is_early) tell(turn->caller.project, channel, words[2]);
  done(resp::number(0));
}

}  // namespace quell::http::celery
