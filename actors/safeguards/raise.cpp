#include "actors/safeguards/raise.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "actors/send.hpp"
#include "actors/webhooks/endpoint_registry.hpp"

namespace quell {

std::string detail_of(const Alert& alert) {
  nlohmann::ordered_json detail{{"cause", cause_of(alert)},
                                {"count", count_of(alert)},
                                {"limit", limit_of(alert)},
                                {"who", alert.who},
                                {"holds", alert.holds}};
  if (alert.anomaly) detail["sentence"] = sentence_of(alert);
  return detail.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

NodeEvent event_of(const Alert& alert) {
  NodeEvent event;
  event.type = alert_event;
  event.data = "{\"alert_id\":\"" + alert.id.text() + "\"," + detail_of(alert).substr(1);
  event.at = alert.at;
  return event;
}

void add_notices(const SubscriptionSet& listeners, const Alert& alert, storage::Batch& ops) {
  const std::string project = alert.project.empty() ? "default" : alert.project;
  const std::string sentence = alert.anomaly ? sentence_of(alert) : "";
  storage::NoticeOp notice;
  for (const std::string& one : listeners.endpoints(project, alert_event))
    notice.deliveries.push_back(
        {notice_id(one, alert_event, alert.id, alert.id), one, std::string(alert_event),
         alert_body(alert.at, {alert.id, cause_of(alert), alert.who, alert.path, count_of(alert),
                               limit_of(alert), alert.holds, sentence}),
         alert.at});
  if (!notice.deliveries.empty()) ops.notices.push_back(std::move(notice));
}

namespace {

void say_raised(NodeContext& context, const Alert& alert) {
  (alert.anomaly ? context.metrics->anomalies : context.metrics->alerts) += 1;
  if (context.settings->log)
    context.settings->log(
        LogLevel::warning,
        (alert.anomaly ? "anomaly: " : "spike of deletions: ") + sentence_of(alert),
        "\"alert_id\":\"" + alert.id.text() + "\"");
  context.events->tell(event_of(alert));
  auto audit = std::make_shared<storage::Batch>();
  audit->audits.push_back(
      {context.clock->now(), alert.who, "alert.raised", alert.id.text(), detail_of(alert)});
  tell(context.clerk, WriteOps{std::move(audit), {}});
}

}  // namespace

void raise_alerts(const std::shared_ptr<NodeContext>& context, std::vector<Alert> alerts,
                  const std::shared_ptr<storage::Batch>& ops,
                  std::function<void(const Result<storage::Outcome>&)> written) {
  const std::size_t first = ops->docs.size();
  for (const Alert& alert : alerts) {
    ops->docs.push_back(alert_doc(alert, 0));  // another node may have raised it
    if (context->endpoints) add_notices(*context->endpoints->subscriptions(), alert, *ops);
  }
  tell(context->clerk,
       WriteOps{ops, [context, first, alerts = std::move(alerts),
                      written = std::move(written)](const Result<storage::Outcome>& outcome) {
                  for (std::size_t i = 0; outcome && i < alerts.size(); ++i)
                    if (outcome->docs[first + i].written) say_raised(*context, alerts[i]);
                  if (written) written(outcome);
                }});
}

}  // namespace quell
