#include "http/api/refusals.hpp"

#include <fmt/format.h>

#include <optional>

#include "http/api/api_server.hpp"
#include "http/api/views/json_writer.hpp"
#include "runtime/base/metrics_text.hpp"

namespace quell::http {

namespace {

enum Why : std::size_t { login, unauthenticated, forbidden, too_many };
constexpr std::array<std::string_view, 4> names{"login", "unauthenticated", "forbidden",
                                                "too_many"};

std::optional<Why> why_refused(const RequestContext& call, int status) {
  if (call.route != nullptr && call.route->name == "login" && status == 401) return login;
  if (status == 401) return unauthenticated;
  if (status == 403) return forbidden;
  if (status == 429) return too_many;
  return std::nullopt;
}

bool would_delete(const RequestContext& call) {
  return call.route != nullptr &&
         (call.route->need.scope == Scope::jobs_delete ||
          call.route->need.scope == Scope::jobs_delete_force) &&
         !call.route->need.is_open;
}

std::string told(const RequestContext& call, int status) {
  std::string out;
  {
    ObjectWriter object(out);
    object.text("request_id", call.request_id);
    object.text("remote", call.request.remote);
    object.text("method", call.request.method);
    object.text("path", call.request.path);
    object.number("status", status);
  }
  return out;
}

}  // namespace

void Refusals::note(const RequestContext& call, int status) {
  const std::optional<Why> why = why_refused(call, status);
  if (!why) return;
  counts_[*why].fetch_add(1, std::memory_order_relaxed);
  const std::string who = call.principal.token_id.empty() ? "stranger" : call.principal.who();
  const std::string& key = call.principal.token_id;  // "": all strangers together
  if (would_delete(call) && rows_.take(RatePolicy::read, key, call.began).allowed)
    audit(call, status, who);
  if (!log_) return;
  if (!lines_.take(RatePolicy::read, key, call.began).allowed) {
    unlogged_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  std::string line = told(call, status);
  line.pop_back();
  log_(line + ",\"why\":" + json_string(names[*why]) + ",\"who\":" + json_string(who) + "}");
}

void Refusals::audit(const RequestContext& call, int status, const std::string& who) {
  storage::Batch batch;
  const std::string ref = call.params.empty() ? std::string{} : call.params.front().substr(0, 64);
  batch.audits.push_back({call.api.now(), who, "delete.refused", ref, told(call, status)});
  call.api.node().write(std::move(batch), [](Result<storage::Outcome>) {});
}

std::string Refusals::text() const {
  MetricsText out;
  out.metric("quell_http_refused_total", "counter", "Calls that were refused for who made them.");
  for (std::size_t i = 0; i < names.size(); ++i)
    out.value(counts_[i].load(std::memory_order_relaxed), {{"why", names[i]}});
  out.metric("quell_http_refused_unlogged_total", "counter",
             "Refused calls beyond what the log takes.")
      .value(unlogged_.load(std::memory_order_relaxed));
  return std::move(out).text();
}

}  // namespace quell::http
