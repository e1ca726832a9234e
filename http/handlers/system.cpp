// What the server is, what it takes, and the law it keeps, for clients that want to know instead of
// guess.
#include "http/door.hpp"
#include "http/handlers/handlers.hpp"
#include "http/job_request.hpp"
#include "http/json_text.hpp"
#include "http/json_writer.hpp"
#include "http/version.hpp"
#include "http/views.hpp"
#include "runtime/delete_protocol.hpp"
#include "runtime/job_machine.hpp"
#include "runtime/settings.hpp"

namespace quell::http::handlers {

namespace {

void append_limits(std::string& out, const DoorSettings& settings) {
  ObjectWriter limits(out);
  limits.number("body_bytes", 1 << 20);
  limits.number("bulk_body_bytes", 16 << 20);
  limits.number("header_bytes", 8 * 1024);
  limits.number("uri_bytes", 4 * 1024);
  limits.number("json_depth", json_depth_limit);
  limits.number("args_bytes", static_cast<std::int64_t>(max_args_bytes));
  limits.number("delete_ids", static_cast<std::int64_t>(settings.max_ids));
  limits.number("submit_jobs", static_cast<std::int64_t>(max_bulk_jobs));
  limits.number("tags", static_cast<std::int64_t>(max_tags));
}

void append_system(std::string& out, Door& door, const storage::StoreStats& stats) {
  Node& node = door.node();
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
  append_limits(view.key("limits"), door.settings());
  ObjectWriter deletions(view.key("deletions"));
  deletions.flag("confirm", door.settings().confirm_deletes);
  deletions.flag("dry_run", door.settings().dry_run);
  deletions.flag("frozen", door.settings().frozen);
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

void get_system(CallPtr call) {
  if (!call->only({})) return;
  call->read([call](storage::Reader& reader) {
    const Result<storage::StoreStats> stats = reader.stats();
    if (!stats) return call->fail(stats.error());
    std::string out;
    append_system(out, call->door, stats.value());
    call->reply(200, std::move(out));
  });
}

void get_spec(CallPtr call) {
  if (!call->only({})) return;
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
