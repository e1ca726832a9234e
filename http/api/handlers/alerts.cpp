// Alerts of the spike guard and of the sentinel: what was seen, what is held, and who lets it go.
#include <algorithm>

#include "actors/safeguards/alert.hpp"
#include "http/api/api_server.hpp"
#include "http/api/handlers/by_filter.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/delete_views.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/api/views/operation_view.hpp"
#include "http/api/views/schedule_views.hpp"
#include "http/api/views/views.hpp"

namespace quell::http::handlers {

namespace {

constexpr std::size_t alerts_shown = 500;

void append_alert(std::string& out, const Alert& alert) {
  ObjectWriter view(out);
  view.text("alert_id", alert.id.text());
  view.text("state", to_string(alert.state));
  view.text("cause", cause_of(alert));
  view.text("sentence", sentence_of(alert));
  view.number("count", static_cast<std::int64_t>(count_of(alert)));
  view.number("limit", static_cast<std::int64_t>(limit_of(alert)));
  view.flag("holds", alert.holds && alert.state == AlertState::raised);
  view.time("at", alert.at);
  view.text("who", alert.who);
  view.text("path", alert.path);
  view.text_or_null("project", alert.project);
  view.text_or_null("by", alert.by);
  view.time("acted_at", alert.acted);
}

void act(const RequestPtr& call, bool approve) {
  if (!call->allow_only({})) return;
  const auto id = call->id(0, ErrorCode::resource_not_found);
  if (!id || !call->has_empty_body() || !call->is_of_all_projects("Acting on alerts is")) return;
  call->api.node().act_on_alert(
      *id, approve, call->principal.who(),
      call->on_loop<ApprovedDelete>([call, id = *id](const Result<ApprovedDelete>& done) {
        if (!done) return call->fail(done.error());
        if (done->report)
          return call->reply(bulk_delete_response(*done->report, OutcomeDetail::brief));
        if (done->tasks) return call->reply(group_delete_response(*done->tasks));
        if (done->operation) {
          std::string out;
          append_operation(out, *done->operation);
          return call->reply(202, std::move(out));
        }
        call->reply(200, "{\"alert_id\":" + json_string(id.text()) + ",\"state\":\"acked\"}");
      }));
}

}  // namespace

void list_alerts(RequestPtr call) {
  if (!call->allow_only({"state"}) || !call->is_of_all_projects("The list of alerts is")) return;
  const std::optional<std::string> state = call->query("state");
  if (state && *state != "raised" && *state != "acked" && *state != "approved")
    return call->fail({ErrorCode::invalid_field, "'state' takes raised, acked or approved."});
  call->read([call, state](storage::Reader& reader) {
    const Result<std::vector<storage::Doc>> docs = reader.docs(alert_kind, "");
    if (!docs) return call->fail(docs.error());
    std::vector<Alert> alerts;
    for (const storage::Doc& doc : *docs)
      if (auto alert = alert_of(doc); alert && (!state || to_string(alert->state) == *state))
        alerts.push_back(std::move(*alert));
    std::sort(alerts.begin(), alerts.end(),
              [](const Alert& a, const Alert& b) { return b.at < a.at; });
    if (alerts.size() > alerts_shown) alerts.resize(alerts_shown);
    std::string out = "{\"alerts\":";
    append_list(out, alerts, append_alert);
    call->reply(200, out + '}');
  });
}

void ack_alert(RequestPtr call) {
  act(call, false);
}

void approve_alert(RequestPtr call) {
  act(call, true);
}

}  // namespace quell::http::handlers
