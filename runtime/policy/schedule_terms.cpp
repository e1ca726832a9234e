#include "runtime/policy/schedule_terms.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/assert.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell {

using nlohmann::json;

namespace {

void put(json& out, const char* name, const std::optional<Instant>& at) {
  if (at) out[name] = at->time_since_epoch().count();
}

std::optional<Instant> time_in(const json& in, const char* name) {
  if (!in.contains(name)) return std::nullopt;
  return Instant{Millis{in[name].get<std::int64_t>()}};
}

}  // namespace

std::string to_json(const ScheduleTerms& terms) {
  const TimesTold& times = terms.times;
  json out{{"zone", times.zone},
           {"misfire", to_string(times.misfire)},
           {"misfire_limit", times.misfire_limit},
           {"overlap", to_string(terms.overlap)},
           {"kind", terms.job.kind},
           {"args", terms.job.args},
           {"queue", terms.job.queue},
           {"priority", terms.job.priority},
           {"options", to_json(terms.job.options)}};
  if (!times.cron.empty()) out["cron"] = times.cron;
  if (times.every > Millis{0}) out["every_ms"] = times.every.count();
  if (times.jitter > Millis{0}) out["jitter_ms"] = times.jitter.count();
  put(out, "at", times.at);
  put(out, "start", times.start);
  put(out, "end", times.end);
  if (terms.job.unique_key) out["unique_key"] = *terms.job.unique_key;
  if (terms.deadline) out["deadline_ms"] = terms.deadline->count();
  return out.dump();
}

ScheduleTerms terms_from_json(const std::string& text) {
  const json in = json_of_ours(text);
  QUELL_ASSERT(in.is_object());
  ScheduleTerms terms;
  TimesTold& times = terms.times;
  times.zone = in.at("zone").get<std::string>();
  times.misfire = parse_misfire(in.at("misfire").get<std::string>()).value_or(Misfire::once);
  times.misfire_limit = in.at("misfire_limit").get<int>();
  terms.overlap = parse_overlap(in.at("overlap").get<std::string>()).value_or(Overlap::allow);
  times.cron = in.value("cron", std::string());
  times.every = Millis{in.value("every_ms", std::int64_t{0})};
  times.jitter = Millis{in.value("jitter_ms", std::int64_t{0})};
  times.at = time_in(in, "at");
  times.start = time_in(in, "start");
  times.end = time_in(in, "end");
  terms.job.kind = in.at("kind").get<std::string>();
  terms.job.args = in.at("args").get<std::string>();
  terms.job.queue = in.at("queue").get<std::string>();
  terms.job.priority = in.at("priority").get<int>();
  terms.job.options = options_from_json(in.at("options").get<std::string>());
  if (in.contains("unique_key")) terms.job.unique_key = in["unique_key"].get<std::string>();
  if (in.contains("deadline_ms")) terms.deadline = Millis{in["deadline_ms"].get<std::int64_t>()};
  return terms;
}

NewJob job_of_fire(const ScheduleTerms& terms, const Uuid& task, const std::string& project,
                   std::optional<Instant> due, Instant now, const Uuid& id_by_hand) {
  NewJob job = terms.job;
  job.id = due ? fire_id(task, *due) : id_by_hand;
  job.project = project;
  job.options.schedule = task.text();
  if (terms.deadline) job.options.deadline = now + *terms.deadline;
  if (due && !job.unique_key) job.unique_key = fire_key(task, *due);
  return job;
}

}  // namespace quell
