// The nodes that share the store.
#include <nlohmann/json.hpp>

#include "actors/node/node_life.hpp"
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell::http::handlers {

namespace {

using nlohmann::json;

// A node's beat carries what it says of itself; an older one may not have said all of it. A node
// whose store nobody shares beats once a minute: of itself it knows better.
void append_worker(std::string& out, const storage::NodeView& node, Node& here) {
  json info = json_of_ours(node.info);
  if (!info.is_object()) info = json::object();
  if (node.owner == here.self() && !node.gone)
    info = json_of_ours(node_info(here.settings(), here.pools(), info.value("state", "up")));
  ObjectWriter view(out);
  view.text("worker_id", node.owner.node.text());
  view.number("life", node.owner.life);
  view.number("beat", node.beat);
  view.text("state", node.gone ? "gone" : info.value("state", "up"));
  view.flag("this", node.owner.node == here.self().node);
  for (const FleetNode& seen : here.fleet())
    if (seen.view.owner == node.owner && !node.gone)
      view.number("beat_age_ms", seen.beat_age.count());
  view.text("name", info.value("name", info.value("host", "")));
  view.text_or_null("host", info.value("host", ""));
  view.json("pid", info.contains("pid") ? info.at("pid").dump() : "");
  view.text_or_null("version", info.value("version", ""));
  view.number("running", node.gone ? 0 : info.value("running", 0));
  view.json("pools", node.gone || !info.contains("pools") ? "[]" : info.at("pools").dump());
}

// The node of the path, or nothing: then the call is answered.
std::optional<storage::NodeView> named(RequestContext& call, storage::Reader& reader,
                                       const NodeId& id) {
  const Result<std::vector<storage::NodeView>> nodes = reader.nodes();
  if (!nodes) {
    call.fail(nodes.error());
    return std::nullopt;
  }
  for (const storage::NodeView& node : nodes.value())
    if (node.owner.node == id) return node;
  call.fail({ErrorCode::resource_not_found});
  return std::nullopt;
}

void order(const RequestPtr& call, bool stop) {
  if (!call->allow_only({}) || !call->has_empty_body()) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id || !call->is_of_all_projects("Ordering nodes is")) return;
  call->read([call, stop, id = *id](storage::Reader& reader) {
    const auto node = named(*call, reader, id);
    if (!node) return;
    if (node->gone) return call->fail(Error{ErrorCode::state_conflict, "the node is gone"});
    const auto done = call->on_loop<void>([call, id, stop](Result<void> told) {
      if (!told) return call->fail(told.error());
      std::string out;
      {
        ObjectWriter view(out);
        view.text("worker_id", id.text());
        view.text("order", stop ? "stop" : "drain");
      }
      call->reply(202, std::move(out));
    });
    call->api.node().order_node(node->owner, stop, done);
  });
}

}  // namespace

void list_workers(RequestPtr call) {
  if (!call->allow_only({})) return;
  call->read([call](storage::Reader& reader) {
    const Result<std::vector<storage::NodeView>> nodes = reader.nodes();
    if (!nodes) return call->fail(nodes.error());
    std::string out = "{\"workers\":";
    append_list(out, nodes.value(), [&call](std::string& to, const storage::NodeView& node) {
      append_worker(to, node, call->api.node());
    });
    call->reply(200, out + '}');
  });
}

void drain_worker(RequestPtr call) {
  order(call, false);
}

void stop_worker(RequestPtr call) {
  order(call, true);
}

void get_worker(RequestPtr call) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  call->read([call, id = *id](storage::Reader& reader) {
    const auto node = named(*call, reader, id);
    if (!node) return;
    std::string out;
    append_worker(out, *node, call->api.node());
    call->reply(200, std::move(out));
  });
}

}  // namespace quell::http::handlers
