#include "runtime/webhook_outbox.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
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

namespace {

std::vector<Notice> one_by_one(const SubscriptionSet& set, const DeleteCallNews& call,
                               const std::vector<DeletedJob>& jobs) {
  std::vector<Notice> notices;
  for (const DeletedJob& one : jobs)
    for (std::string& receiver : set.endpoints(one.project, "job.deleted")) {
      const Uuid id = notice_id(receiver, "job.deleted", one.job, one.delete_id);
      notices.push_back(
          {id, std::move(receiver), "job.deleted",
           deleted_body(call.at, {one.delete_id, one.job, one.was, one.verdict, one.project})});
    }
  return notices;
}

std::vector<Notice> in_summary(const SubscriptionSet& set, const DeleteCallNews& call,
                               const std::vector<DeletedJob>& jobs) {
  std::map<std::string_view, DeletedSummary> projects;
  for (const DeletedJob& one : jobs) {
    DeletedSummary& sum = projects[one.project];
    sum.deleted += 1;
    sum.unproven += proof_of(one.verdict) == Proof::unproven ? 1 : 0;
  }
  std::vector<Notice> notices;
  for (auto& [project, sum] : projects) {
    sum.delete_id = call.delete_id;
    sum.project = project;
    sum.who = call.who;
    sum.reason = call.reason;
    std::set<std::string> receivers;
    for (const char* event : {"job.deleted", "jobs.deleted"})
      for (std::string& receiver : set.endpoints(project, event))
        receivers.insert(std::move(receiver));
    for (const std::string& receiver : receivers)
      notices.push_back({notice_id(receiver, "jobs.deleted", call.delete_id, call.delete_id),
                         receiver, "jobs.deleted", deleted_summary_body(call.at, sum)});
  }
  return notices;
}

}  // namespace

std::vector<Notice> deletion_notices(const SubscriptionSet& set, const DeleteCallNews& call,
                                     const std::vector<DeletedJob>& jobs) {
  if (set.empty()) return {};
  return jobs.size() > deleted_one_by_one_max ? in_summary(set, call, jobs)
                                              : one_by_one(set, call, jobs);
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
