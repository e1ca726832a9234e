#include "storage/archive_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/utf8.hpp"
#include "runtime/policy/restore_policy.hpp"
#include "runtime/policy/retention_policy.hpp"
#include "storage/fault.hpp"

namespace quell::storage {

using nlohmann::json;

namespace {

void put_time(json& out, const char* name, const std::optional<Instant>& time) {
  if (time) out[name] = time->time_since_epoch().count();
}

// Bytes that are no UTF-8 came in as somebody's log or result; a copy that changed them would be no
// copy.
json kept(const std::string& text) {
  return is_utf8(text) ? json(text) : json{{"base64", base64(text)}};
}

void put_text(json& out, const char* name, const std::string& text) {
  if (!text.empty()) out[name] = kept(text);
}

std::optional<Instant> time_in(const json& from, const char* name) {
  const auto at = from.find(name);
  if (at == from.end()) return std::nullopt;
  return Instant{Millis{at->get<std::int64_t>()}};
}

std::string text_of_kept(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  const auto bytes = from_base64(value.at("base64").get<std::string>());
  if (!bytes) throw Fault(Error{ErrorCode::store_corrupt, "a copy has a damaged text"}, false);
  return text_of(*bytes);
}

std::string text_in(const json& from, const char* name) {
  const auto at = from.find(name);
  return at == from.end() ? std::string() : text_of_kept(*at);
}

const json& list_in(const json& from, const char* name) {
  static const json none = json::array();
  const auto at = from.find(name);
  return at == from.end() ? none : *at;
}

JobState state_in(const std::string& name) {
  const std::optional<JobState> state = parse_state(name);
  if (!state || is_leaving(*state) || *state == JobState::gone)
    throw Fault(Error{ErrorCode::store_corrupt, "a copy has no state"}, false);
  return *state;
}

void read_lists(const json& from, ArchiveRecord& record) {
  for (const json& one : list_in(from, "attempts"))
    record.attempts.push_back({.n = one.at("n").get<int>(),
                               .started = time_in(one, "started"),
                               .ended = time_in(one, "ended").value_or(Instant{}),
                               .outcome = text_in(one, "outcome"),
                               .error = text_in(one, "error"),
                               .node = text_in(one, "node")});
  for (const json& one : list_in(from, "steps"))
    record.steps.push_back({text_in(one, "name"), text_in(one, "result")});
  for (const json& one : list_in(from, "partials")) record.partials.push_back(text_of_kept(one));
  for (const json& one : list_in(from, "logs"))
    record.logs.push_back(
        {time_in(one, "at").value_or(Instant{}), text_in(one, "level"), text_in(one, "text")});
}

ArchiveRecord record_in(const json& from) {
  ArchiveRecord record;
  record.id = Uuid::parse(from.at("id").get<std::string>()).value_or(Uuid{});
  record.was = state_in(from.at("state").get<std::string>());
  record.project = text_in(from, "project");
  record.queue = text_in(from, "queue");
  record.kind = text_in(from, "kind");
  record.priority = from.at("priority").get<int>();
  record.epoch = from.at("epoch").get<int>();
  record.attempt = from.at("attempt").get<int>();
  record.lost = from.at("lost").get<int>();
  record.due = time_in(from, "due");
  record.started = time_in(from, "started");
  record.finished = time_in(from, "finished");
  record.expires = time_in(from, "expires");
  record.result_expires = time_in(from, "result_expires");
  if (const auto at = from.find("progress"); at != from.end()) record.progress = at->get<double>();
  record.args = text_in(from, "args");
  record.options = text_in(from, "options");
  if (!record.options.empty() && !json_of_ours(record.options).is_object())
    throw Fault(Error{ErrorCode::store_corrupt, "a copy has damaged options"}, false);
  static_cast<void>(options_from_json(record.options));  // throws when a member is of another type
  if (from.contains("unique_key")) record.unique_key = text_in(from, "unique_key");
  record.result = text_in(from, "result");
  record.error = text_in(from, "error");
  record.usage = text_in(from, "usage");
  record.phase = text_in(from, "phase");
  read_lists(from, record);
  return record;
}

}  // namespace

std::string ArchivePacker::pack(const ArchiveRecord& record) {
  json out{{"id", record.id.text()},
           {"state", to_string(record.was)},
           {"project", kept(record.project)},
           {"queue", kept(record.queue)},
           {"kind", kept(record.kind)},
           {"priority", record.priority},
           {"epoch", record.epoch},
           {"attempt", record.attempt},
           {"lost", record.lost}};
  put_time(out, "due", record.due);
  put_time(out, "started", record.started);
  put_time(out, "finished", record.finished);
  put_time(out, "expires", record.expires);
  put_time(out, "result_expires", record.result_expires);
  if (record.progress) out["progress"] = *record.progress;
  put_text(out, "args", record.args);
  put_text(out, "options", record.options);
  if (record.unique_key) out["unique_key"] = kept(*record.unique_key);
  put_text(out, "result", record.result);
  put_text(out, "error", record.error);
  put_text(out, "usage", record.usage);
  put_text(out, "phase", record.phase);
  for (const AttemptRecord& attempt : record.attempts) {
    json one{{"n", attempt.n},
             {"ended", attempt.ended.time_since_epoch().count()},
             {"outcome", kept(attempt.outcome)}};
    put_time(one, "started", attempt.started);
    put_text(one, "error", attempt.error);
    put_text(one, "node", attempt.node);
    out["attempts"].push_back(std::move(one));
  }
  for (const StepResult& step : record.steps)
    out["steps"].push_back({{"name", kept(step.name)}, {"result", kept(step.result)}});
  for (const std::string& partial : record.partials) out["partials"].push_back(kept(partial));
  for (const LogLine& line : record.logs)
    out["logs"].push_back({{"at", line.at.time_since_epoch().count()},
                           {"level", kept(line.level)},
                           {"text", kept(line.text)}});
  return packer_.pack(out.dump());
}

Result<ArchiveRecord> unpack_record(std::string packed) {
  try {
    const json from = json_of_ours(unpacked(std::move(packed)));
    if (from.is_object()) return record_in(from);
  } catch (const Fault& fault) {
    return fault.error();
  } catch (const json::exception&) {  // a member is missing, or is no such thing
  }
  return Error{ErrorCode::store_corrupt, "the copy of a job cannot be read"};
}

RestoredJob restored_from(const ArchiveRecord& record, int tomb_epoch, Instant deleted,
                          const RestoreOp& op) {
  RestoredJob job;
  job.state = restored_state(record.was, record.due, op.now, op.rerun);
  job.epoch = std::max(record.epoch, tomb_epoch) + 1;
  if (job.state == JobState::scheduled) job.due = record.due;
  if (!is_final(job.state)) return job;
  if (record.was != JobState::running) {
    job.finished = record.finished;
    job.expires = restored_expiry(record.expires, deleted, op.now);
    job.result_expires = restored_expiry(record.result_expires, deleted, op.now);
    return job;
  }
  job.finished = op.now;
  job.expires = op.cancelled_expires.of(record.queue);
  if (job.expires) job.expires = std::max(*job.expires, op.now + restored_life);
  return job;
}

CopyView copy_view(CopyHead head, ArchiveRecord record) {
  CopyView view;
  view.head = std::move(head);
  JobView& job = view.job;
  job.id = record.id;
  job.project = record.project;
  job.queue = record.queue;
  job.kind = record.kind;
  job.priority = record.priority;
  job.state = record.was;
  job.epoch = record.epoch;
  job.attempt = record.attempt + (record.was == JobState::running ? 1 : 0);
  job.lost = record.lost;
  job.due = record.due;
  job.started = record.started;
  job.finished = record.finished;
  job.expires = record.expires;
  job.result_expires = record.result_expires;
  job.progress = record.progress;
  job.phase = record.phase;
  job.args = record.args;
  job.result = record.result;
  job.error = record.error;
  job.usage = record.usage;
  job.options = options_from_json(record.options);
  job.unique_key = record.unique_key;
  view.attempts = std::move(record.attempts);
  view.steps = std::move(record.steps);
  view.partials = std::move(record.partials);
  view.logs = std::move(record.logs);
  return view;
}

}  // namespace quell::storage
