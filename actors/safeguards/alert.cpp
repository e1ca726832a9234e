#include "actors/safeguards/alert.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_ordered_json.hpp"

namespace quell {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> states{"raised", "acked", "approved"};

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class Kind>
Kind kind_of(const Json& json, const char* key) {
  for (int i = 0; i < 3; ++i)
    if (json.value(key, "") == to_string(static_cast<Kind>(i))) return static_cast<Kind>(i);
  return static_cast<Kind>(0);
}

Json request_object(const DeleteRequest& request) {
  Json jobs = Json::array();
  for (const JobId& job : request.jobs) jobs.push_back(job.text());
  Json out{{"jobs", std::move(jobs)},         {"who", request.who},
           {"reason", request.reason},        {"path", request.path},
           {"project", request.project},      {"remote", request.remote},
           {"wait_ms", request.wait.count()}, {"bulk", request.origin == DeletionOrigin::bulk}};
  if (request.keep_copy) out["keep_copy_ms"] = request.keep_copy->count();
  return out;
}

DeleteRequest request_of(const Json& json) {
  DeleteRequest request;
  for (const Json& one : json.at("jobs"))
    if (const auto id = Uuid::parse(one.get<std::string>())) request.jobs.push_back(*id);
  request.who = json.value("who", "");
  request.reason = json.value("reason", "");
  request.path = json.value("path", "");
  request.project = json.value("project", "");
  request.remote = json.value("remote", "");
  request.wait = Millis{json.value("wait_ms", std::int64_t{5'000})};
  request.origin = json.value("bulk", false) ? DeletionOrigin::bulk : DeletionOrigin::single;
  if (json.contains("keep_copy_ms"))
    request.keep_copy = Millis{json.value("keep_copy_ms", std::int64_t{0})};
  return request;
}

Json tasks_object(const HeldTasks& held) {
  Json tasks = Json::array();
  for (const Uuid& task : held.tasks) tasks.push_back(task.text());
  const TaskDeleteRequest& asked = held.asked;
  Json out{{"tasks", std::move(tasks)}, {"who", asked.who},
           {"reason", asked.reason},    {"request_id", asked.request_id},
           {"project", asked.project},  {"jobs", to_string(asked.jobs)}};
  if (asked.if_version) out["if_version"] = *asked.if_version;
  return out;
}

HeldTasks tasks_of(const Json& json) {
  HeldTasks held;
  for (const Json& one : json.at("tasks"))
    if (const auto id = Uuid::parse(one.get<std::string>())) held.tasks.push_back(*id);
  held.asked.who = json.value("who", "");
  held.asked.reason = json.value("reason", "");
  held.asked.request_id = json.value("request_id", "");
  held.asked.project = json.value("project", "");
  held.asked.jobs = parse_jobs_of_task(json.value("jobs", "")).value_or(JobsOfTask::keep);
  if (json.contains("if_version"))
    held.asked.if_version = json.at("if_version").get<std::int64_t>();
  return held;
}

}  // namespace

std::string_view to_string(AlertState state) {
  return states.at(static_cast<std::size_t>(state));
}

std::string sentence_of(const SpikeAlert& spike) {
  switch (spike.cause) {
    case SpikeCause::calls:
      return "more than " + std::to_string(spike.limit) + " delete calls in a minute";
    case SpikeCause::bulk:
      return "one delete of " + std::to_string(spike.count) + " jobs, more than " +
             std::to_string(spike.limit);
    case SpikeCause::share:
      return "one delete of " + std::to_string(spike.count) +
             " jobs, more than the share of the unfinished ones that is usual (" +
             std::to_string(spike.limit) + ")";
  }
  return {};
}

std::string sentence_of(const Alert& alert) {
  return alert.anomaly ? sentence_of(*alert.anomaly) : sentence_of(alert.spike);
}
std::string_view cause_of(const Alert& alert) {
  return alert.anomaly ? to_string(alert.anomaly->rule) : to_string(alert.spike.cause);
}
std::uint64_t count_of(const Alert& alert) {
  return alert.anomaly ? alert.anomaly->value : alert.spike.count;
}
std::uint64_t limit_of(const Alert& alert) {
  return alert.anomaly ? alert.anomaly->limit : alert.spike.limit;
}

storage::DocOp alert_doc(const Alert& alert, std::optional<std::int64_t> if_version) {
  Json body{{"cause", cause_of(alert)}, {"count", count_of(alert)},
            {"limit", limit_of(alert)}, {"state", to_string(alert.state)},
            {"holds", alert.holds},     {"at_ms", alert.at.time_since_epoch().count()},
            {"who", alert.who},         {"path", alert.path},
            {"project", alert.project}, {"by", alert.by}};
  if (alert.anomaly) body["subject"] = alert.anomaly->subject;
  if (alert.acted) body["acted_ms"] = alert.acted->time_since_epoch().count();
  return {.kind = alert_kind,
          .id = alert.id.text(),
          .project = alert.project,
          .body = text_of(body),
          .if_version = if_version,
          .until = alert.at + alert_keep};
}

std::optional<Alert> alert_of(const storage::Doc& doc) {
  const Json json = ordered_json_of_ours(doc.body);
  const auto id = Uuid::parse(doc.id);
  if (!id || !json.is_object()) return std::nullopt;
  Alert alert;
  alert.id = *id;
  alert.spike = {kind_of<SpikeCause>(json, "cause"), json.value("count", std::uint64_t{0}),
                 json.value("limit", std::uint64_t{0})};
  if (const auto rule = anomaly_rule(json.value("cause", "")))
    alert.anomaly = Anomaly{*rule, alert.spike.count, alert.spike.limit, json.value("subject", "")};
  alert.state = kind_of<AlertState>(json, "state");
  alert.holds = json.value("holds", false);
  alert.at = Instant{Millis{json.value("at_ms", std::int64_t{0})}};
  alert.who = json.value("who", "");
  alert.path = json.value("path", "");
  alert.project = json.value("project", "");
  alert.by = json.value("by", "");
  if (json.contains("acted_ms"))
    alert.acted = Instant{Millis{json.value("acted_ms", std::int64_t{0})}};
  return alert;
}

storage::DocOp held_doc(const Alert& alert, const HeldDelete& held) {
  Json body = Json::object();
  if (held.request) body["request"] = request_object(*held.request);
  if (held.operation) {
    Operation operation;
    static_cast<OperationOrder&>(operation) = *held.operation;
    body["operation"] = to_json(operation);
  }
  if (held.tasks) body["tasks"] = tasks_object(*held.tasks);
  if (held.approved) body["approved_ms"] = held.approved->time_since_epoch().count();
  return {.kind = held_kind,
          .id = alert.id.text(),
          .project = alert.project,
          .body = text_of(body),
          .until = alert.at + alert_keep};
}

std::optional<HeldDelete> held_of(const storage::Doc& doc) {
  const Json json = ordered_json_of_ours(doc.body);
  if (!json.is_object()) return std::nullopt;
  HeldDelete held;
  try {
    if (json.contains("request")) held.request = request_of(json.at("request"));
    if (json.contains("operation")) {
      auto operation = operation_from_json(json.at("operation").get<std::string>());
      if (!operation) return std::nullopt;
      held.operation = std::move(*operation);
    }
    if (json.contains("tasks")) held.tasks = tasks_of(json.at("tasks"));
    if (json.contains("approved_ms"))
      held.approved = Instant{Millis{json.at("approved_ms").get<std::int64_t>()}};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  return held;
}

}  // namespace quell
