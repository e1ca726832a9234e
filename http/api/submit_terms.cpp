#include "http/api/submit_terms.hpp"

#include "http/api/api_server.hpp"
#include "runtime/outbound/trace_context.hpp"

namespace quell::http {

namespace {

JobOptions defaults_of(const SettingValues& settings) {
  JobOptions options;
  options.max_attempts = settings.max_attempts;
  options.timeout = settings.attempt_timeout;
  options.backoff = settings.backoff_first;
  options.backoff_max = settings.backoff_max;
  return options;
}

}  // namespace

SubmitTerms submit_terms(const RequestContext& call) {
  SubmitTerms terms;
  terms.registry = &call.api.node().registry();
  terms.scopes = call.principal.scopes;
  terms.exec_enabled = call.api.node().settings().exec_enabled;
  terms.project = call.principal.project;
  terms.who = call.principal.who();
  terms.traceparent = traceparent_of(call.request.header("traceparent"));
  terms.defaults = defaults_of(call.api.settings());
  terms.now = call.api.now();
  return terms;
}

}  // namespace quell::http
