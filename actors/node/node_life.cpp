#include "actors/node/node_life.hpp"

#include <unistd.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "actors/writes/kept_until.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell {

using nlohmann::json;

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

}  // namespace

std::string node_info(const NodeSettings& settings, const std::vector<PoolView>& pools,
                      const std::string& state) {
  static const std::string host = host_name();
  int running = 0;
  json slots = json::array();
  for (const PoolView& pool : pools) {
    running += pool.used + pool.stuck;
    slots.push_back({{"name", pool.name},
                     {"capacity", settings.take_work ? pool.capacity : 0},
                     {"used", pool.used},
                     {"free", settings.take_work ? pool.free : 0},
                     {"stuck", pool.stuck}});
  }
  const json info{{"name", settings.node_name.empty() ? host : settings.node_name},
                  {"host", host},
                  {"pid", ::getpid()},
                  {"version", settings.version},
                  {"state", state},
                  {"running", running},
                  {"pools", std::move(slots)}};
  return info.dump(-1, ' ', false, json::error_handler_t::replace);
}

namespace {

Result<storage::RecoverResult> recover(storage::Writer& writer, storage::RecoverOp op,
                                       std::shared_ptr<const SubscriptionSet> listeners,
                                       IdSource& ids, const NodeSettings& settings) {
  op.max_lost = settings.max_lost;
  op.failed_expires = kept_until(settings, JobState::failed, op.now);
  op.cancelled_expires = kept_until(settings, JobState::cancelled, op.now);
  storage::Batch batch;
  batch.listeners = std::move(listeners);
  batch.outbox_id = ids.next();
  batch.recoveries.push_back(op);
  auto recovery = writer.apply(batch);
  if (!recovery) return recovery.error();
  return std::move(recovery->recoveries.front());
}

}  // namespace

Result<BegunLife> begin_life(storage::Writer& writer, NodeId node, const NodeSettings& settings,
                             std::shared_ptr<const SubscriptionSet> listeners, IdSource& ids,
                             Instant now, const Births& births, Verdict of_earlier) {
  storage::Batch start;
  start.starts.push_back(
      {node, node_info(settings, {}, "up"), now, births.current, births.earlier});
  auto started = writer.apply(start);
  if (!started) return started.error();
  BegunLife life;
  life.self = started->starts.front();
  if (life.self.life == 0) return life;
  auto recovery = recover(writer,
                          {.node = node,
                           .below_life = life.self.life,
                           .verdict = of_earlier,
                           .now = now,
                           .failed_expires = {}},
                          std::move(listeners), ids, settings);
  if (!recovery) return recovery.error();
  life.recovered = std::move(recovery).value();
  return life;
}

Result<storage::RecoverResult> recover_unproven(storage::Writer& writer, NodeId node,
                                                const NodeSettings& settings,
                                                std::shared_ptr<const SubscriptionSet> listeners,
                                                IdSource& ids, Instant now) {
  return recover(writer,
                 {.node = node,
                  .below_life = std::numeric_limits<std::int64_t>::max(),
                  .verdict = Verdict::lease_expired,
                  .now = now,
                  .failed_expires = {}},
                 std::move(listeners), ids, settings);
}

storage::DocOp node_order(const storage::NodeLife& node, bool stop) {
  return {.kind = "worker",
          .id = node.node.text(),
          .body = json{{"order", stop ? "stop" : "drain"}, {"life", node.life}}.dump()};
}

NodeOrder order_in(const storage::Doc& doc, const storage::NodeLife& self) {
  const json body = json_of_ours(doc.body);
  if (!body.is_object() || body.value("life", std::int64_t{0}) != self.life) return NodeOrder::none;
  return body.value("order", "") == "stop" ? NodeOrder::stop : NodeOrder::drain;
}

}  // namespace quell
