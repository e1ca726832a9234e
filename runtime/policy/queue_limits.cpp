#include "runtime/policy/queue_limits.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/assert.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell {

using nlohmann::json;

std::string to_json(const QueueLimits& limits) {
  json out = json::object();
  const auto put = [&](const char* name, const Rate& rate) {
    if (rate.is_set()) out[name] = {{"count", rate.count}, {"per_s", rate.per_s}};
  };
  if (limits.concurrency > 0) out["concurrency"] = limits.concurrency;
  if (limits.per_key > 0) out["per_key"] = limits.per_key;
  put("rate", limits.rate);
  put("key_rate", limits.key_rate);
  return out.dump();
}

QueueLimits limits_from_json(const std::string& text) {
  QueueLimits limits;
  if (text.empty()) return limits;
  const json in = json_of_ours(text);
  QUELL_ASSERT(in.is_object());
  const auto rate = [&](const char* name) {
    Rate found;
    if (!in.contains(name)) return found;
    found.count = in[name].value("count", found.count);
    found.per_s = in[name].value("per_s", found.per_s);
    return found;
  };
  limits.concurrency = in.value("concurrency", limits.concurrency);
  limits.per_key = in.value("per_key", limits.per_key);
  limits.rate = rate("rate");
  limits.key_rate = rate("key_rate");
  return limits;
}

}  // namespace quell
