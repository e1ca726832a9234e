// The nodes that share the store.
#include <algorithm>

#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/json_writer.hpp"
#include "http/views.hpp"

namespace quell::http::handlers {

namespace {

void append_worker(std::string& out, const storage::NodeView& node, const NodeId& own) {
  ObjectWriter view(out);
  view.text("worker_id", node.owner.node.text());
  view.number("life", node.owner.life);
  view.number("beat", node.beat);
  view.text("state", node.gone ? "gone" : "up");
  view.flag("this", node.owner.node == own);
  view.json("info", node.info);
}

}  // namespace

void list_workers(CallPtr call) {
  if (!call->only({})) return;
  call->read([call](storage::Reader& reader) {
    const Result<std::vector<storage::NodeView>> nodes = reader.nodes();
    if (!nodes) return call->fail(nodes.error());
    const NodeId own = call->door.node().self().node;
    std::string out = "{\"workers\":";
    append_list(out, nodes.value(), [&own](std::string& to, const storage::NodeView& node) {
      append_worker(to, node, own);
    });
    call->reply(200, out + '}');
  });
}

void get_worker(CallPtr call) {
  if (!call->only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id) return;
  call->read([call, id = *id](storage::Reader& reader) {
    const Result<std::vector<storage::NodeView>> nodes = reader.nodes();
    if (!nodes) return call->fail(nodes.error());
    const auto found =
        std::find_if(nodes.value().begin(), nodes.value().end(),
                     [&id](const storage::NodeView& node) { return node.owner.node == id; });
    if (found == nodes.value().end()) return call->fail({ErrorCode::resource_not_found});
    std::string out;
    append_worker(out, *found, call->door.node().self().node);
    call->reply(200, std::move(out));
  });
}

}  // namespace quell::http::handlers
