#include "runtime/policy/webhook_outbox.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/base/assert.hpp"
#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/base/digest.hpp"

namespace quell {

namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::string_view summary_event = "jobs.deleted";  // of a call of many jobs

std::string time_text(Instant at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (at - seconds).count());
}

std::string body(std::string_view event, Instant at, Ordered data) {
  Ordered out{{"type", event}, {"timestamp", time_text(at)}};
  out["data"] = std::move(data);
  return out.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

}  // namespace

const std::vector<std::string_view>& webhook_event_types() {
  static const std::vector<std::string_view> types = [] {
    std::vector<std::string_view> all;
    for (const JobEvent event : job_events())
      if (const std::string_view told = told_by_webhook(event);
          !told.empty() && std::ranges::find(all, told) == all.end())
        all.push_back(told);
    all.insert(all.end(),
               {summary_event, alert_event, task_fired_event, task_deleted_event, "webhook.test"});
    return all;
  }();
  return types;
}

bool is_webhook_event(std::string_view name) {
  const auto& types = webhook_event_types();
  return name == "*" || std::find(types.begin(), types.end(), name) != types.end();
}

std::vector<std::string> SubscriptionSet::endpoints(std::string_view project,
                                                    std::string_view event) const {
  std::vector<std::string> found;
  for (const WebhookSubscription& one : all_) {
    const auto wants = [&](const std::string& wanted) { return wanted == "*" || wanted == event; };
    if (one.project != project) continue;
    if (one.events.empty() || std::any_of(one.events.begin(), one.events.end(), wants))
      found.push_back(one.endpoint);
  }
  return found;
}

std::vector<std::string> SubscriptionSet::of_summaries(std::string_view project) const {
  std::set<std::string> all;
  for (const std::string_view event : {told_by_webhook(JobEvent::erase), summary_event})
    for (std::string& one : endpoints(project, event)) all.insert(std::move(one));
  return {all.begin(), all.end()};
}

std::vector<std::string> SubscriptionSet::of_any_project() const {
  std::vector<std::string> found;
  for (const WebhookSubscription& one : all_) found.push_back(one.endpoint);
  return found;
}

std::vector<std::string> webhook_receivers(const SubscriptionSet& set, std::string_view project,
                                           std::string_view event, bool has_own_url) {
  std::vector<std::string> receivers;
  if (!set.empty()) receivers = set.endpoints(project, event);
  const bool is_deletion = event == told_by_webhook(JobEvent::erase) || event == summary_event;
  if (has_own_url && !is_deletion) receivers.emplace_back();
  return receivers;
}

std::string job_message_body(std::string_view event, Instant at, const JobMessage& message) {
  Ordered data{
      {"job_id", message.job.text()}, {"status", message.status}, {"project", message.project}};
  if (message.attempt) data["attempt"] = *message.attempt;
  if (!message.reason.empty()) data["reason"] = message.reason;
  return body(event, at, std::move(data));
}

std::string deleted_body(Instant at, const DeletedMessage& message) {
  return body(told_by_webhook(JobEvent::erase), at,
              {{"job_id", message.job.text()},
               {"status", "deleted"},
               {"project", message.project},
               {"delete_id", message.delete_id.text()},
               {"was", to_string(message.was)},
               {"verdict", to_string(message.verdict)},
               {"proven", proof_of(message.verdict) == Proof::proven}});
}

std::string deleted_summary_body(Instant at, const DeletedSummary& summary) {
  return body("jobs.deleted", at,
              {{"delete_id", summary.delete_id.text()},
               {"project", summary.project},
               {"deleted", summary.deleted},
               {"unproven", summary.unproven},
               {"who", summary.who},
               {"reason", summary.reason}});
}

std::string add_to_summary(std::string_view text, Instant at, std::size_t deleted,
                           std::size_t unproven) {
  Ordered summary = ordered_json_of_ours(text);
  QUELL_ASSERT(summary.is_object());
  Ordered& data = summary.at("data");
  data["deleted"] = data.at("deleted").get<std::size_t>() + deleted;
  data["unproven"] = data.at("unproven").get<std::size_t>() + unproven;
  return body("jobs.deleted", at, std::move(data));
}

std::size_t deleted_in_summary(std::string_view text) {
  const Ordered summary = ordered_json_of_ours(text);
  QUELL_ASSERT(summary.is_object());
  return summary.at("data").at("deleted").get<std::size_t>();
}

std::string alert_body(Instant at, const AlertMessage& message) {
  Ordered data{{"alert_id", message.alert.text()},
               {"cause", message.cause},
               {"count", message.count},
               {"limit", message.limit},
               {"who", message.who},
               {"path", message.path},
               {"holds", message.holds}};
  if (!message.sentence.empty()) data["sentence"] = message.sentence;
  return body(alert_event, at, std::move(data));
}

std::string task_fired_body(Instant at, const TaskNews& news) {
  Ordered jobs = Ordered::array();
  for (const JobId& job : news.jobs) jobs.push_back(job.text());
  return body(task_fired_event, at,
              {{"task_uuid", news.task.text()},
               {"name", news.name},
               {"project", news.project},
               {"job_ids", std::move(jobs)}});
}

std::string task_deleted_body(Instant at, const TaskNews& news) {
  return body(task_deleted_event, at,
              {{"task_uuid", news.task.text()},
               {"name", news.name},
               {"project", news.project},
               {"who", news.who},
               {"request_id", news.request}});
}

std::string test_body(Instant at, std::string_view endpoint) {
  return body("webhook.test", at, {{"webhook_id", endpoint}});
}

Uuid notice_id(std::string_view endpoint, std::string_view event, const Uuid& about,
               const Uuid& of) {
  const Digest digest =
      sha256(fmt::format("{}\n{}\n{}\n{}", endpoint, event, about.text(), of.text()));
  Uuid id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  std::copy_n(of.bytes.begin(), 6, id.bytes.begin());  // its time: a list by id is a list by age
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x80);  // version 8: our own
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace quell
