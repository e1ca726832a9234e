#include "runtime/webhook_outbox.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/assert.hpp"
#include "runtime/digest.hpp"

namespace quell {

namespace {

using Json = nlohmann::ordered_json;

std::string time_text(Instant at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (at - seconds).count());
}

std::string body(std::string_view event, Instant at, Json data) {
  Json out{{"type", event}, {"timestamp", time_text(at)}};
  out["data"] = std::move(data);
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

const std::vector<std::string_view>& webhook_event_types() {
  static const std::vector<std::string_view> types{"job.created",   "job.succeeded", "job.failed",
                                                   "job.cancelled", "job.retrying",  "job.deleted",
                                                   "jobs.deleted",  "webhook.test"};
  return types;
}

bool is_webhook_event(std::string_view name) {
  const auto& types = webhook_event_types();
  return name == "*" || std::find(types.begin(), types.end(), name) != types.end();
}

std::optional<std::string_view> webhook_event_of(JobEvent event) {
  switch (event) {
    case JobEvent::succeed:
      return "job.succeeded";
    case JobEvent::exhaust:
      return "job.failed";
    case JobEvent::stopped:
    case JobEvent::cancel:
      return "job.cancelled";
    case JobEvent::retry:
      return "job.retrying";
    default:
      return std::nullopt;
  }
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
  for (const char* event : {"job.deleted", "jobs.deleted"})
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
  const bool is_deletion = event == "job.deleted" || event == "jobs.deleted";
  if (has_own_url && !is_deletion) receivers.emplace_back();
  return receivers;
}

std::string job_news_body(std::string_view event, Instant at, const JobNews& news) {
  Json data{{"job_id", news.job.text()}, {"status", news.status}, {"project", news.project}};
  if (news.attempt) data["attempt"] = *news.attempt;
  if (!news.reason.empty()) data["reason"] = news.reason;
  return body(event, at, std::move(data));
}

std::string deleted_body(Instant at, const DeletedNews& news) {
  return body("job.deleted", at,
              {{"job_id", news.job.text()},
               {"status", "deleted"},
               {"project", news.project},
               {"delete_id", news.delete_id.text()},
               {"was", to_string(news.was)},
               {"verdict", to_string(news.verdict)},
               {"proven", proof_of(news.verdict) == Proof::proven}});
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
  Json summary = Json::parse(text, nullptr, false);
  QUELL_ASSERT(summary.is_object());
  Json& data = summary.at("data");
  data["deleted"] = data.at("deleted").get<std::size_t>() + deleted;
  data["unproven"] = data.at("unproven").get<std::size_t>() + unproven;
  return body("jobs.deleted", at, std::move(data));
}

std::size_t deleted_in_summary(std::string_view text) {
  const Json summary = Json::parse(text, nullptr, false);
  QUELL_ASSERT(summary.is_object());
  return summary.at("data").at("deleted").get<std::size_t>();
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
