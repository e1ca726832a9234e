// What the server is, what it takes, and the law it keeps, for clients that want to know instead of
// guess.
#include "actors/deletes/freeze.hpp"
#include "http/api/api_server.hpp"
#include "http/api/fields.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/job_request.hpp"
#include "http/api/views/json_text.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "http/server/version.hpp"
#include "runtime/law/delete_protocol.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/settings/settings.hpp"

namespace quell::http::handlers {

namespace {

void append_limits(std::string& out, const ApiSettings& settings) {
  ObjectWriter limits(out);
  limits.number("body_bytes", static_cast<std::int64_t>(settings.body_max));
  limits.number("bulk_body_bytes", static_cast<std::int64_t>(settings.bulk_body_max));
  limits.number("header_bytes", static_cast<std::int64_t>(settings.header_max));
  limits.number("uri_bytes", 4 * 1024);
  limits.number("json_depth", json_depth_limit);
  limits.number("args_bytes", static_cast<std::int64_t>(max_args_bytes));
  limits.number("delete_ids", settings.ids_max);
  limits.number("submit_jobs", static_cast<std::int64_t>(max_bulk_jobs));
  limits.number("tags", static_cast<std::int64_t>(max_tags));
}

// Who froze them, why and since when; of a node's own setting nobody is known.
void append_freeze(ObjectWriter& deletions, const std::optional<storage::Doc>& doc) {
  FreezeOrder order;
  order.frozen = false;
  if (doc) order = Freeze::order_of(*doc);
  deletions.text_or_null("frozen_by", order.frozen ? order.who : "");
  deletions.text_or_null("frozen_reason", order.frozen ? order.reason : "");
  deletions.time("frozen_since", order.frozen ? std::optional(order.at) : std::nullopt);
}

void append_system(std::string& out, ApiServer& api, const storage::StoreStats& stats,
                   const std::optional<storage::Doc>& freeze) {
  Node& node = api.node();
  ObjectWriter view(out);
  view.text("version", version);
  view.text("node_id", node.self().node.text());
  view.number("life", node.self().life);
  view.text("public_key", node.public_key_pem());
  {
    ObjectWriter store(view.key("store"));
    store.text("url", without_password(node.settings().store));
    store.number("bytes", stats.bytes);
    store.number("schema", stats.schema);
    store.flag("replicated", stats.replicated);
  }
  append_list(view.key("kinds"), node.registry().names(),
              [&node](std::string& to, const std::string& name) {
                const Kind* kind = node.registry().find(name);
                ObjectWriter one(to);
                one.text("name", name);
                one.text("scope", kind->scope);
                one.text_or_null("sentence", kind->sentence);
              });
  append_limits(view.key("limits"), api.settings());
  const DeletionRules rules = node.deletion_rules();
  ObjectWriter deletions(view.key("deletions"));
  deletions.flag("confirm", rules.require_confirm);
  deletions.flag("dry_run", rules.dry_run);
  deletions.flag("frozen", rules.frozen);
  append_freeze(deletions, freeze);
  deletions.flag("spike_hold", rules.spike_hold);
}

void append_machine(ObjectWriter& spec) {
  std::string& states = spec.key("states");
  states += '[';
#define JOB_STATE(name, kind, meaning)       \
  {                                          \
    if (states.back() != '[') states += ','; \
    ObjectWriter one(states);                \
    one.text("name", #name);                 \
    one.text("kind", #kind);                 \
    one.text("meaning", meaning);            \
  }
#include "runtime/spec/job_machine.def"
#undef JOB_STATE
  states += ']';
  append_list(spec.key("moves"), moves(), [](std::string& to, const Move& move) {
    ObjectWriter one(to);
    one.text("event", to_string(move.event));
    one.text("from", to_string(move.from));
    one.text("to", to_string(move.to));
    one.text("by", to_string(move.by));
  });
}

void append_protocol(ObjectWriter& spec) {
  std::string& steps = spec.key("delete_steps");
  steps += '[';
#define DELETE_STEP(name, durable, by, sentence) \
  {                                              \
    if (steps.back() != '[') steps += ',';       \
    ObjectWriter one(steps);                     \
    one.text("name", #name);                     \
    one.flag("durable", #durable[0] == 'd');     \
    one.text("by", #by);                         \
    one.text("sentence", sentence);              \
  }
#include "runtime/spec/delete_protocol.def"
#undef DELETE_STEP
  steps += ']';
  std::string& verdicts = spec.key("verdicts");
  verdicts += '[';
#define DELETE_VERDICT(name, proof, sentence)    \
  {                                              \
    if (verdicts.back() != '[') verdicts += ','; \
    ObjectWriter one(verdicts);                  \
    one.text("name", #name);                     \
    one.text("proof", #proof);                   \
    one.text("sentence", sentence);              \
  }
#include "runtime/spec/delete_protocol.def"
#undef DELETE_VERDICT
  verdicts += ']';
}

void append_errors(std::string& out) {
  out += '[';
#define QUELL_ERROR(name, wire, http_status, exit, is_retryable, sentence) \
  {                                                                        \
    if (out.back() != '[') out += ',';                                     \
    ObjectWriter one(out);                                                 \
    one.text("code", wire);                                                \
    one.number("status", http_status);                                     \
    one.number("exit", exit);                                              \
    one.flag("retryable", is_retryable);                                   \
    one.text("sentence", sentence);                                        \
  }
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
  out += ']';
}

}  // namespace

// Of the whole fleet: nobody who belongs to one project may decide it.
void freeze_deletions(RequestPtr call) {
  if (!call->allow_only({})) return;
  const std::optional<JsonValue> body = call->body();
  if (!body || !call->is_of_all_projects("Freezing deletions is")) return;
  std::vector<FieldFault> faults;
  FreezeOrder order;
  Fields fields(*body, "", faults);
  fields.require("frozen");
  fields.require("reason");
  fields.flag("frozen", order.frozen);
  if (fields.text("reason", order.reason) && order.reason.empty())
    fields.wrong("reason", "must say why");
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  order.who = call->principal.who();
  order.at = call->api.now();
  const auto written = [call, frozen = order.frozen](const Result<void>& done) {
    if (!done) return call->fail(done.error());
    call->reply(200, frozen ? "{\"frozen\":true}" : "{\"frozen\":false}");
  };
  call->api.node().freeze_deletions(order, call->on_loop<void>(written));
}

void get_system(RequestPtr call) {
  if (!call->allow_only({})) return;
  call->read([call](storage::Reader& reader) {
    const Result<storage::StoreStats> stats = reader.stats();
    if (!stats) return call->fail(stats.error());
    std::string out;
    const auto freeze = Freeze::read(reader);
    if (!freeze) return call->fail(freeze.error());
    append_system(out, call->api, stats.value(), *freeze);
    call->reply(200, std::move(out));
  });
}

void get_spec(RequestPtr call) {
  if (!call->allow_only({})) return;
  std::string out;
  {
    ObjectWriter spec(out);
    append_machine(spec);
    append_protocol(spec);
    append_errors(spec.key("errors"));
    append_list(spec.key("routes"), routes(), [](std::string& to, const Route& route) {
      ObjectWriter one(to);
      one.text("name", route.name);
      one.text("method", route.method);
      one.text("path", route.path);
      one.text("scope", route.need.name());
      one.text("sentence", route.sentence);
    });
  }
  call->reply(200, std::move(out));
}

}  // namespace quell::http::handlers
