#include "actors/node_life.hpp"

#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

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
  const json info{{"host", host},   {"pid", ::getpid()},  {"version", settings.version},
                  {"state", state}, {"running", running}, {"pools", std::move(slots)}};
  return info.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<BegunLife> begin_life(storage::Writer& writer, NodeId node, const NodeSettings& settings,
                             std::shared_ptr<const SubscriptionSet> listeners, IdSource& ids,
                             Instant now) {
  storage::Batch start;
  start.starts.push_back({node, node_info(settings, {}, "up"), now});
  auto started = writer.apply(start);
  if (!started) return started.error();
  BegunLife life;
  life.self = started->starts.front();

  storage::Batch bury;
  bury.listeners = std::move(listeners);
  bury.news_id = ids.next();
  bury.burials.push_back({.node = node,
                          .below_life = life.self.life,
                          .verdict = Verdict::process_died,
                          .now = now,
                          .max_lost = settings.max_lost,
                          .failed_expires = now + settings.keep_failed});
  auto buried = writer.apply(bury);
  if (!buried) return buried.error();
  life.recovered = std::move(buried->burials.front());
  return life;
}

storage::DocOp node_order(const storage::NodeLife& node, bool stop) {
  return {.kind = "worker",
          .id = node.node.text(),
          .body = json{{"order", stop ? "stop" : "drain"}, {"life", node.life}}.dump()};
}

NodeOrder order_in(const storage::Doc& doc, const storage::NodeLife& self) {
  const json body = json::parse(doc.body, nullptr, false);
  if (!body.is_object() || body.value("life", std::int64_t{0}) != self.life) return NodeOrder::none;
  return body.value("order", "") == "stop" ? NodeOrder::stop : NodeOrder::drain;
}

}  // namespace quell
