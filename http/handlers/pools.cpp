// Pools: how many jobs run at a time.
#include <algorithm>

#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/views.hpp"

namespace quell::http::handlers {

namespace {

std::optional<PoolView> pool_named(Node& node, const std::string& name) {
  const std::vector<PoolView> pools = node.pools();
  const auto found = std::find_if(pools.begin(), pools.end(),
                                  [&name](const PoolView& pool) { return pool.name == name; });
  return found == pools.end() ? std::nullopt : std::optional<PoolView>{*found};
}

void answer_pool(Call& call, const PoolView& pool) {
  std::string out;
  append_pool(out, pool);
  call.reply(200, std::move(out));
}

}  // namespace

void list_pools(CallPtr call) {
  if (!call->only({})) return;
  std::string out = "{\"pools\":";
  append_list(out, call->door.node().pools(), append_pool);
  call->reply(200, out + '}');
}

void get_pool(CallPtr call) {
  if (!call->only({})) return;
  const auto pool = pool_named(call->door.node(), call->params.at(0));
  if (!pool) return call->fail({ErrorCode::resource_not_found});
  answer_pool(*call, *pool);
}

void patch_pool(CallPtr call) {
  if (!call->only({})) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  std::int64_t capacity = 0;
  Fields fields(*body, "", faults);
  fields.require("capacity");
  fields.integer("capacity", capacity, 0, 1'000'000);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  const std::string name = call->params.at(0);
  if (!pool_named(call->door.node(), name)) return call->fail({ErrorCode::resource_not_found});
  call->door.node().set_pool(name, static_cast<int>(capacity),
                             call->on_loop<void>([call, name](Result<void> done) {
                               if (!done) return call->fail(done.error());
                               const auto pool = pool_named(call->door.node(), name);
                               if (!pool) return call->fail({ErrorCode::resource_not_found});
                               answer_pool(*call, *pool);
                             }));
}

}  // namespace quell::http::handlers
