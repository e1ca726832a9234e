// What `app.control` and `celery inspect` ask of workers, answered in their place.
#include <fmt/format.h>

#include "http/celery/desk.hpp"
#include "http/celery/json.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/celery/result_meta.hpp"

namespace quell::http::celery {

namespace resp = quell::celery::resp;

namespace {

constexpr int listed_max = 1000;
constexpr std::size_t ids_max = 1000;

std::string text_in(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string()
             ? object[name].get<std::string>()
             : std::string();
}

bool is_set(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_boolean() &&
         object[name].get<bool>();
}

std::vector<std::string> ids_in(const Json& arguments) {
  std::vector<std::string> ids;
  const Json& named =
      arguments.is_object() && arguments.contains("task_id") ? arguments["task_id"] : Json();
  if (named.is_string()) ids.push_back(named.get<std::string>());
  if (named.is_array())
    for (const Json& id : named)
      if (id.is_string() && ids.size() < ids_max) ids.push_back(id.get<std::string>());
  return ids;
}

bool is_meant(const Json& order, const std::string& node) {
  if (!order.contains("destination") || !order["destination"].is_array()) return true;
  const Json& names = order["destination"];
  return std::find(names.begin(), names.end(), node) != names.end();
}

}  // namespace

void Desk::control(const TurnPtr& turn, const std::string& envelope, Done done) {
  const Json message = json_from_outside(envelope);
  const auto body = from_base64(text_in(message, "body"));
  const Json order = body ? json_from_outside(text_of(*body)) : Json();
  const std::string method = text_in(order, "method");
  const std::string node = "quell@" + node_.settings().node_name;
  if (method.empty()) return done(resp::error("ERR the control message cannot be read."));
  if (!is_meant(order, node)) return done(resp::number(0));
  const Json arguments = order.value("arguments", Json::object());
  done(resp::number(1));
  auto answer = [this, turn, order, node](std::string result) {
    const Json to = order.value("reply_to", Json());
    const std::string key = text_in(to, "routing_key"), exchange = text_in(to, "exchange");
    if (key.empty() || exchange.empty()) return;
    const std::string body = dumped(Json{{node, json_of_ours(result)}});
    Json headers{{"clock", 1}, {"expires", 0}};
    if (order.contains("ticket")) headers["ticket"] = order["ticket"];
    const Json reply{{"body", base64(body)},
                     {"content-encoding", "utf-8"},
                     {"content-type", "application/json"},
                     {"headers", headers},
                     {"properties",
                      {{"delivery_mode", 1},
                       {"delivery_info", {{"exchange", exchange}, {"routing_key", key}}},
                       {"priority", 0},
                       {"body_encoding", "base64"},
                       {"delivery_tag", node_.ids().next().text()}}}};
    this->reply(turn->caller.project, key + "." + exchange, dumped(reply));
  };
  if (method == "ping") return answer(R"({"ok":"pong"})");
  if (method == "revoke" || method == "terminate")
    return revoke(turn, ids_in(arguments), method == "terminate" || is_set(arguments, "terminate"),
                  answer);
  if (method == "active") return list_tasks(turn, JobState::running, answer);
  if (method == "scheduled") return list_tasks(turn, JobState::scheduled, answer);
  if (method == "reserved" || method == "revoked" || method == "registered") return answer("[]");
  if (method == "enable_events" || method == "disable_events")
    return answer(R"({"ok":"events are sent to whoever listens"})");
  if (method == "clock") return answer(R"({"clock":1})");
  if (method == "stats") {
    Json pools = Json::object();
    for (const PoolView& pool : node_.pools())
      pools[pool.name] = {{"max-concurrency", pool.capacity}, {"used", pool.used}};
    return answer(dumped(Json{{"pool", pools}, {"total", Json::object()}}));
  }
  answer(dumped(Json{{"error", "quell does not take the control command '" + method +
                                   "'; see docs/guides/from-celery.md for what stands in its "
                                   "place."}}));
}

// A waiting task is cancelled. A running one is stopped only when the caller says terminate, as in
// Celery. What is revoked stays revoked over any restart, because it is a state of its job.
void Desk::revoke(const TurnPtr& turn, const std::vector<std::string>& ids, bool terminate,
                  std::function<void(std::string)> answer) {
  if (!turn->caller.scopes.has(Scope::jobs_write))
    return answer(R"({"error":"the token lacks the scope 'jobs:write'"})");
  std::string names;
  for (const std::string& id : ids) {
    names += (names.empty() ? "" : ", ") + id;
    look_up(turn->caller.project, id, false,
            [this, turn, id, terminate](const Result<Known>& known) {
              if (!known || !known->job || is_final(known->job->state)) return;
              if (known->job->state == JobState::running && !terminate) return;
              storage::SteerOp op;
              op.job = known->job->id;
              op.event = JobEvent::cancel;
              op.who = turn->caller.who;
              op.now = now();
              op.project = turn->caller.project;
              node_.steer(std::move(op), [](const Result<storage::SteerResult>&) {});
            });
  }
  answer(dumped(Json{{"ok", "tasks " + names + " flagged as revoked"}}));
}

void Desk::list_tasks(const TurnPtr& turn, JobState state,
                      std::function<void(std::string)> answer) {
  read<std::string>(
      [project = turn->caller.project, state](storage::Reader& reader) {
        storage::ListQuery query;
        query.filter.project = project;
        query.filter.kind = "celery";
        query.filter.states = {state};
        query.limit = listed_max;
        const auto page = reader.list(query);
        Json tasks = Json::array();
        if (!page) return dumped(tasks);
        for (const JobView& job : page->jobs) {
          Json task{{"id", job.id.text()}, {"name", ""}, {"args", Json::array()}};
          for (const std::string& tag : job.options.tags) {
            if (tag.starts_with("celery:")) task["id"] = tag.substr(7);
            if (tag.starts_with("celery-task:")) task["name"] = tag.substr(12);
          }
          task["type"] = task["name"];
          task["kwargs"] = Json::object();
          task["hostname"] = "quell";
          tasks.push_back(state == JobState::running ? task : Json{{"request", task}});
        }
        return dumped(tasks);
      },
      std::move(answer));
}

}  // namespace quell::http::celery
