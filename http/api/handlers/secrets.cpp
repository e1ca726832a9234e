// Named secrets for outbound calls: stored, listed by name, removed; never shown again.
#include "http/api/api_server.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/job_request.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/views.hpp"
#include "runtime/base/name.hpp"
#include "runtime/outbound/secret_place.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::size_t max_secret_bytes = 64 * 1024;

void append_secret(std::string& out, const SecretView& secret) {
  ObjectWriter view(out);
  view.text("name", secret.name);
  view.text("project", secret.project);
  append_list(view.key("hosts"), secret.hosts,
              [](std::string& to, const std::string& host) { append_quoted(to, host); });
}

void note(RequestContext& call, const char* what, const std::string& name) {
  storage::Batch batch;
  batch.audits.push_back({call.api.now(), call.principal.who(), what, name, "{}"});
  call.api.node().write(std::move(batch), [](Result<storage::Outcome>) {});
}

}  // namespace

void list_secrets(RequestPtr call) {
  if (!call->allow_only({})) return;
  std::vector<SecretView> all = call->api.node().secrets();
  const std::string& own = call->principal.project;
  std::erase_if(all,
                [&own](const SecretView& secret) { return !own.empty() && secret.project != own; });
  std::string out = "{\"secrets\":";
  append_list(out, all, append_secret);
  call->reply(200, out + '}');
}

void put_secret(RequestPtr call) {
  if (!call->allow_only({}) || !call->expects_json()) return;
  const std::optional<JsonValue> body = call->body();
  if (!body) return;
  std::vector<FieldFault> faults;
  Fields fields(*body, "", faults);
  SecretSetting secret;
  secret.name = call->params.at(0);
  if (!is_name(secret.name)) return call->fail({ErrorCode::resource_not_found});
  fields.require("value");
  fields.require("hosts");
  if (fields.text("value", secret.value, max_secret_bytes) && secret.value.empty())
    fields.wrong("value", "This may not be empty.");
  if (fields.texts("hosts", secret.hosts, 100, 253) && secret.hosts.empty())
    fields.wrong("hosts", "At least one host is needed: nothing is sent to just anyone.");
  for (const std::string& host : secret.hosts)
    if (const auto place = SecretPlace::parse(host); !place)
      fields.wrong("hosts", place.error().detail);
  std::string project;
  fields.text("project", project, 128);
  const std::optional<std::string> placed = call->project_for(project);
  if (!placed)
    fields.wrong("project", "The token belongs to another project.", ErrorCode::forbidden);
  fields.refuse_rest();
  if (!faults.empty()) return call->fail(faults_problem(std::move(faults)));
  secret.project = *placed;
  const SecretView view{secret.name, secret.project, secret.hosts};
  call->api.node().set_secret(std::move(secret),
                              call->on_loop<void>([call, view](Result<void> done) {
                                if (!done) return call->fail(done.error());
                                note(*call, "secret.set", view.name);
                                std::string out;
                                append_secret(out, view);
                                call->reply(200, std::move(out));
                              }));
}

void remove_secret(RequestPtr call) {
  if (!call->allow_only({"project"}) || !call->has_empty_body()) return;
  const std::string name = call->params.at(0);
  const auto project = call->project_for(call->query("project").value_or(""));
  if (!project) return call->fail({ErrorCode::resource_not_found});
  call->api.node().remove_secret(
      *project, name, call->on_loop<bool>([call, name](Result<bool> removed) {
        if (!removed) return call->fail(removed.error());
        if (!*removed) return call->fail({ErrorCode::resource_not_found});
        note(*call, "secret.removed", name);
        call->reply(200, "{\"name\":" + json_string(name) + ",\"removed\":true}");
      }));
}

}  // namespace quell::http::handlers
