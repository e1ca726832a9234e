#include "actors/node/steering.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell {

using nlohmann::json;

Steering::Steering(const NodeSettings& settings) : pools_(settings.pools) {
  for (const QueueSpec& queue : settings.queues) {
    Queue& entry = known(queue.name);
    entry.view.pool = queue.pool;
    entry.weight = static_cast<int>(queue.weight);
  }
  known("default");
}

Steering::Queue& Steering::known(const std::string& name) {
  const auto [at, fresh] = queues_.try_emplace(name);
  if (fresh) {
    at->second.view.name = name;
    at->second.view.pool = "default";
  }
  return at->second;
}

Result<void> Steering::load(storage::Reader& reader) {
  auto queues = reader.docs("queue", "");
  if (!queues) return queues.error();
  auto pools = reader.docs("pool", "");
  if (!pools) return pools.error();
  adopt(*queues, *pools);
  return {};
}

bool Steering::is_unheard(const storage::Doc& doc) {
  std::int64_t& known = versions_[doc.kind + "/" + doc.id];
  if (doc.version <= known) return false;
  known = doc.version;
  return true;
}

void Steering::wrote(const storage::DocOp& doc, std::int64_t version) {
  const std::lock_guard lock(mutex_);
  std::int64_t& known = versions_[doc.kind + "/" + doc.id];
  known = std::max(known, version);
}

Steering::Changes Steering::adopt(const std::vector<storage::Doc>& queues,
                                  const std::vector<storage::Doc>& pools) {
  Changes changes;
  const std::lock_guard lock(mutex_);
  for (const storage::Doc& doc : queues) {
    if (!is_unheard(doc)) continue;
    const json body = json_of_ours(doc.body);
    QUELL_ASSERT(body.is_object());
    Queue& queue = known(doc.id);
    queue.view.paused = body.value("paused", false);
    queue.view.closed = body.value("closed", false);
    queue.view.limits =
        body.contains("limits") ? limits_from_json(body["limits"].dump()) : QueueLimits{};
    changes.queues.push_back(queue.view);
  }
  for (const storage::Doc& doc : pools) {
    if (!is_unheard(doc)) continue;
    const json body = json_of_ours(doc.body);
    QUELL_ASSERT(body.is_object());
    const int capacity = body.value("capacity", 0);
    pools_[doc.id] = capacity;
    changes.pools[doc.id] = capacity;
  }
  return changes;
}

std::vector<QueueView> Steering::queues() const {
  const std::lock_guard lock(mutex_);
  std::vector<QueueView> all;
  for (const auto& [name, queue] : queues_) all.push_back(queue.view);
  return all;
}

bool Steering::closed(const std::string& queue) const {
  const std::lock_guard lock(mutex_);
  const auto at = queues_.find(queue);
  return at != queues_.end() && at->second.view.closed;
}

int Steering::weight(const std::string& queue) const {
  const std::lock_guard lock(mutex_);
  const auto at = queues_.find(queue);
  return at == queues_.end() ? 1 : at->second.weight;
}

QueueView Steering::change(const std::string& name, std::optional<bool> paused,
                           std::optional<bool> closed) {
  const std::lock_guard lock(mutex_);
  QueueView& view = known(name).view;
  view.paused = paused.value_or(view.paused);
  view.closed = closed.value_or(view.closed);
  return view;
}

QueueView Steering::limit(const std::string& name, const QueueLimits& limits) {
  const std::lock_guard lock(mutex_);
  QueueView& view = known(name).view;
  view.limits = limits;
  return view;
}

QueueView Steering::limited(const std::string& name, const QueueLimits& limits) const {
  const std::lock_guard lock(mutex_);
  const auto at = queues_.find(name);
  QueueView view;
  if (at != queues_.end()) view = at->second.view;
  view.name = name;
  view.limits = limits;
  return view;
}

storage::DocOp Steering::queue_doc(const QueueView& queue) {
  json body{{"paused", queue.paused}, {"closed", queue.closed}};
  if (queue.limits.any()) body["limits"] = json_of_ours(to_json(queue.limits));
  return {.kind = "queue", .id = queue.name, .body = body.dump()};
}

storage::DocOp Steering::pool_doc(const std::string& name, int capacity) {
  return {.kind = "pool", .id = name, .body = json{{"capacity", capacity}}.dump()};
}

}  // namespace quell
