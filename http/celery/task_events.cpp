// Celery's events of tasks (`celery events`, Flower), made of this node's own: what a worker would
// have sent of the tasks that it runs.
#include <fmt/format.h>

#include <array>

#include "http/celery/desk.hpp"
#include "http/celery/json.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/celery/message.hpp"

namespace quell::http::celery {

namespace resp = quell::celery::resp;

namespace {

constexpr Millis beat_period{2'000};
constexpr std::size_t repr_max = 1'000;

struct EventName {
  std::string_view ours, theirs;
};
constexpr std::array names{
    EventName{"job.created", "task-received"},    EventName{"job.started", "task-started"},
    EventName{"job.succeeded", "task-succeeded"}, EventName{"job.failed", "task-failed"},
    EventName{"job.retrying", "task-retried"},    EventName{"job.cancelled", "task-revoked"}};

double seconds_of(Instant at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1000.0;
}

Json header_of(const JobView& job, const char* name) {
  const Json args = json_of_ours(job.args);
  const Json* at = &args;
  for (const char* step : {"message", "headers", name}) {
    if (!at->is_object() || !at->contains(step)) return nullptr;
    at = &(*at)[step];
  }
  return *at;
}

void add_received(Json& event, const JobView& job) {
  event["name"] = header_of(job, "task");
  event["args"] = header_of(job, "argsrepr");
  event["kwargs"] = header_of(job, "kwargsrepr");
  event["root_id"] = header_of(job, "root_id");
  event["parent_id"] = header_of(job, "parent_id");
  event["eta"] = header_of(job, "eta");
  event["expires"] = header_of(job, "expires");
  event["retries"] = header_of(job, "retries");
}

void add_end(Json& event, const JobView& job) {
  if (job.state == JobState::succeeded) {
    event["result"] = job.result.substr(0, repr_max);
    event["runtime"] =
        job.finished && job.started ? seconds_of(*job.finished) - seconds_of(*job.started) : 0.0;
  }
  if (job.state == JobState::failed || job.state == JobState::scheduled) {
    const Json error = json_of_ours(job.error);
    const std::string detail = error.is_object() ? error.value("detail", "") : "";
    event["exception"] = detail.substr(0, detail.find('\n'));
    event["traceback"] = detail;
  }
  if (job.state == JobState::cancelled)
    event.update(
        {{"terminated", job.started.has_value()}, {"signum", nullptr}, {"expired", false}});
}

}  // namespace

void Desk::listen(const std::string& project, const std::string& pattern,
                  const std::shared_ptr<Listener>& listener) {
  const bool is_first = event_listeners_.empty();
  event_listeners_.push_back({project, pattern, listener});
  hears_events_ = true;
  if (is_first) beat();
}

void Desk::unlisten(const Listener* listener, const std::string& pattern) {
  std::erase_if(event_listeners_, [&](const EventListener& one) {
    const auto there = one.listener.lock();
    return !there || (there.get() == listener && one.pattern == pattern);
  });
  hears_events_ = !event_listeners_.empty();
}

void Desk::send_event(const std::string& project, const std::string& type, Json event) {
  const std::string node = "quell@" + node_.settings().node_name;
  std::string key = type;
  key.replace(key.find('-'), 1, ".");
  event.update({{"hostname", node},
                {"utcoffset", 0},
                {"pid", 0},
                {"clock", ++event_clock_},
                {"timestamp", seconds_of(now())},
                {"type", type}});
  const Json message{{"body", base64(dumped(event))},
                     {"content-encoding", "utf-8"},
                     {"content-type", "application/json"},
                     {"headers", {{"hostname", node}}},
                     {"properties",
                      {{"delivery_mode", 1},
                       {"delivery_info", {{"exchange", "celeryev"}, {"routing_key", key}}},
                       {"priority", 0},
                       {"body_encoding", "base64"},
                       {"delivery_tag", node_.ids().next().text()}}}};
  const std::string payload = dumped(message);
  for (const EventListener& one : std::vector<EventListener>(event_listeners_)) {
    const auto listener = one.listener.lock();
    // The pattern is "/DB.celeryev/…", and what it lets through is the listener's affair.
    if (!listener || (!project.empty() && one.project != project)) continue;
    const std::string channel = one.pattern.substr(0, one.pattern.rfind('/') + 1) + key;
    listener->hear_pattern(one.pattern, channel, payload);
  }
}

// As often as a worker's; a monitor that hears none says that the worker is off.
void Desk::beat() {
  if (event_listeners_.empty()) return;
  send_event({}, "worker-heartbeat",
             {{"freq", beat_period.count() / 1000.0},
              {"active", 0},
              {"processed", 0},
              {"loadavg", {0, 0, 0}},
              {"sw_ident", "quell"},
              {"sw_ver", ""},
              {"sw_sys", "Linux"}});
  loop_.after(beat_period, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) beat();
  });
}

void Desk::pass_on(const NodeEvent& event) {
  if (!event.job) return;
  for (const EventName& name : names)
    if (name.ours == event.type)
      loop_.post([this, alive = std::weak_ptr<bool>(alive_), job = *event.job, name] {
        if (!alive.expired()) tell_event(job, std::string(name.theirs));
      });
}

void Desk::tell_event(const JobId& job, const std::string& type) {
  read<std::optional<JobView>>(
      [job](storage::Reader& reader) -> std::optional<JobView> {
        const auto found = reader.get({job}, true);
        if (!found || found->empty() || !found->front().job) return std::nullopt;
        return found->front().job;
      },
      [this, type](const std::optional<JobView>& job) {
        if (!job || job->kind != "celery") return;
        const Json id = header_of(*job, "id");
        Json event{
            {"uuid", id.is_string() && id != quell::celery::id_of_job ? id : Json(job->id.text())}};
        if (type == "task-received")
          add_received(event, *job);
        else
          add_end(event, *job);
        send_event(job->project, type, std::move(event));
      });
}

}  // namespace quell::http::celery
