#include "runtime/law/job.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/assert.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell {

using nlohmann::json;

std::string to_json(const JobOptions& options) {
  const JobOptions plain;
  if (options == plain) return {};
  json out = json::object();
  if (options.max_attempts != plain.max_attempts) out["max_attempts"] = options.max_attempts;
  if (options.timeout != plain.timeout) out["timeout_ms"] = options.timeout.count();
  if (options.deadline) out["deadline"] = options.deadline->time_since_epoch().count();
  if (options.backoff != plain.backoff) out["backoff_ms"] = options.backoff.count();
  if (options.backoff_max != plain.backoff_max) out["backoff_max_ms"] = options.backoff_max.count();
  if (!options.tags.empty()) out["tags"] = options.tags;
  if (!options.webhook.empty()) out["webhook"] = options.webhook;
  if (!options.traceparent.empty()) out["traceparent"] = options.traceparent;
  if (!options.schedule.empty()) out["schedule"] = options.schedule;
  if (options.is_protected) out["protected"] = true;
  if (!options.limit_key.empty()) out["limit_key"] = options.limit_key;
  if (!options.submitted_by.empty()) out["by"] = options.submitted_by;
  return out.dump();
}

JobOptions options_from_json(const std::string& text) {
  JobOptions options;
  if (text.empty()) return options;
  const json in = json_of_ours(text);
  QUELL_ASSERT(in.is_object());
  options.max_attempts = in.value("max_attempts", options.max_attempts);
  options.timeout = Millis{in.value("timeout_ms", options.timeout.count())};
  if (in.contains("deadline"))
    options.deadline = Instant{Millis{in["deadline"].get<std::int64_t>()}};
  options.backoff = Millis{in.value("backoff_ms", options.backoff.count())};
  options.backoff_max = Millis{in.value("backoff_max_ms", options.backoff_max.count())};
  options.tags = in.value("tags", options.tags);
  options.webhook = in.value("webhook", options.webhook);
  options.traceparent = in.value("traceparent", options.traceparent);
  options.schedule = in.value("schedule", options.schedule);
  options.is_protected = in.value("protected", false);
  options.limit_key = in.value("limit_key", options.limit_key);
  options.submitted_by = in.value("by", options.submitted_by);
  return options;
}

}  // namespace quell
