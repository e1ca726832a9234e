// Pools: how many jobs run at a time.
#include <map>
#include <nlohmann/json.hpp>

#include "http/api/api_server.hpp"
#include "http/api/doc_version.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell::http::handlers {

namespace {

// A pool is each node's own; the whole of a fleet is their sum, as of their last beats.
struct FleetPool {
  PoolView sum;
  std::vector<std::pair<std::string, PoolView>> nodes;  // by worker id, when there are several
};

void add(FleetPool& pool, const std::string& worker, const PoolView& part) {
  pool.sum.name = part.name;
  pool.sum.capacity += part.capacity;
  pool.sum.used += part.used;
  pool.sum.free += part.free;
  pool.sum.stuck += part.stuck;
  pool.sum.waiting += part.waiting;
  pool.nodes.emplace_back(worker, part);
}

std::vector<PoolView> pools_of(const storage::NodeView& node) {
  const auto info = json_of_ours(node.info);
  std::vector<PoolView> pools;
  if (!info.is_object() || !info.contains("pools")) return pools;
  for (const auto& pool : info.at("pools")) {
    PoolView view;
    view.name = pool.value("name", "");
    view.capacity = pool.value("capacity", 0);
    view.used = pool.value("used", 0);
    view.free = pool.value("free", 0);
    view.stuck = pool.value("stuck", 0);
    pools.push_back(std::move(view));
  }
  return pools;
}

std::map<std::string, FleetPool> pools_of(Node& here) {
  std::map<std::string, FleetPool> pools;
  for (const PoolView& pool : here.pools()) add(pools[pool.name], here.self().node.text(), pool);
  for (const FleetNode& node : here.fleet()) {
    if (node.view.gone || node.view.owner.node == here.self().node) continue;
    for (const PoolView& pool : pools_of(node.view))
      add(pools[pool.name], node.view.owner.node.text(), pool);
  }
  return pools;
}

void append(std::string& out, const FleetPool& pool) {
  append_pool(out, pool.sum);
  if (pool.nodes.size() < 2) return;
  out.back() = ',';  // into the object
  out += "\"nodes\":";
  append_list(out, pool.nodes, [](std::string& to, const auto& node) {
    ObjectWriter view(to);
    view.text("worker_id", node.first);
    view.number("capacity", node.second.capacity);
    view.number("used", node.second.used);
    view.number("free", node.second.free);
    view.number("stuck", node.second.stuck);
  });
  out += '}';
}

void answer_pool(RequestContext& call, const std::string& name, std::int64_t version) {
  const auto pools = pools_of(call.api.node());
  const auto found = pools.find(name);
  if (found == pools.end()) return call.fail({ErrorCode::resource_not_found});
  std::string out;
  append(out, found->second);
  reply_with_version(call, std::move(out), version);
}

}  // namespace

void list_pools(RequestPtr call) {
  if (!call->allow_only({})) return;
  std::string out = "{\"pools\":";
  append_list(out, pools_of(call->api.node()),
              [](std::string& to, const auto& pool) { append(to, pool.second); });
  call->reply(200, out + '}');
}

void get_pool(RequestPtr call) {
  if (!call->allow_only({})) return;
  call->read([call](storage::Reader& reader) {
    const auto version = stored_version(reader, "pool", call->params.at(0));
    if (!version) return call->fail(version.error());
    answer_pool(*call, call->params.at(0), version.value());
  });
}

void patch_pool(RequestPtr call) {
  if (!call->allow_only({})) return;
  const std::optional<JsonValue> body = call->body();
  if (!body || !call->is_of_all_projects("Changing pools is")) return;
  std::vector<FieldFault> faults;
  std::int64_t capacity = 0;
  Fields fields(*body, "", faults);
  fields.require("capacity");
  fields.integer("capacity", capacity, 0, 1'000'000);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  const std::string name = call->params.at(0);
  if (!pools_of(call->api.node()).contains(name))
    return call->fail({ErrorCode::resource_not_found});
  const std::optional<VersionWanted> wanted = version_wanted(*call);
  if (!wanted) return;
  const auto written = [call, name](const Result<storage::DocResult>& doc) {
    if (!doc) return call->fail(doc.error());
    if (!doc->written) return fail_version(*call, doc->version);
    answer_pool(*call, name, doc->version);
  };
  call->api.node().set_pool(name, static_cast<int>(capacity), wanted->version,
                            call->on_loop<storage::DocResult>(written));
}

}  // namespace quell::http::handlers
