// Who is told of a change, and in which words. Decided before the change is written, because an
// outbox row belongs to the same transaction, and costs nothing where nobody listens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/law/delete_protocol.hpp"
#include "runtime/law/job_machine.hpp"

namespace quell {

// Every event that an endpoint may ask for.
const std::vector<std::string_view>& webhook_event_types();
bool is_webhook_event(std::string_view name);  // one of them, or "*"

struct WebhookSubscription {
  std::string endpoint, project;
  std::vector<std::string> events;  // empty, or with a "*": all
};

// The endpoints that listen now. Never changed, only replaced by a later version.
class SubscriptionSet {
 public:
  SubscriptionSet() = default;
  SubscriptionSet(std::vector<WebhookSubscription> all, std::uint64_t version)
      : all_(std::move(all)), version_(version) {}
  bool empty() const { return all_.empty(); }
  std::uint64_t version() const { return version_; }
  std::vector<std::string> endpoints(std::string_view project, std::string_view event) const;
  // Whoever asked for `job.deleted` gets a summary too, or they would hear nothing of a large call.
  std::vector<std::string> of_summaries(std::string_view project) const;
  std::vector<std::string> of_any_project() const;

 private:
  std::vector<WebhookSubscription> all_;
  std::uint64_t version_ = 0;
};

// The receivers of one change: endpoints, and "" for the job's own URL. That URL hears of no
// deletion: after the mark it never hears again.
std::vector<std::string> webhook_receivers(const SubscriptionSet& set, std::string_view project,
                                           std::string_view event, bool has_own_url);

// Thin bodies: what a receiver needs to ask for the rest.
struct JobMessage {
  JobId job;
  std::string_view status, project;
  std::optional<int> attempt = {};
  std::string_view reason = {};
};
std::string job_message_body(std::string_view event, Instant at, const JobMessage& message);

struct DeletedMessage {
  DeleteId delete_id;
  JobId job;
  JobState was = JobState::queued;
  Verdict verdict = Verdict::not_running;
  std::string_view project;
};
std::string deleted_body(Instant at, const DeletedMessage& message);

// One call may delete 100,000 jobs; its receivers get one message then.
inline constexpr std::size_t deleted_one_by_one_max = 100;
struct DeletedSummary {
  DeleteId delete_id;
  std::size_t deleted = 0, unproven = 0;
  std::string_view project, who, reason;
};
std::string deleted_summary_body(Instant at, const DeletedSummary& summary);
// A summary that has not gone out yet, with more in it.
std::string add_to_summary(std::string_view body, Instant at, std::size_t deleted,
                           std::size_t unproven);
std::size_t deleted_in_summary(std::string_view body);

struct AlertMessage {
  Uuid alert;
  std::string_view cause, who, path;
  std::uint64_t count = 0, limit = 0;
  bool holds = false;              // the delete waits for an approval
  std::string_view sentence = {};  // of the sentinel: what it is, and what to do
};
inline constexpr std::string_view alert_event = "alert.raised";
std::string alert_body(Instant at, const AlertMessage& message);
// Of schedules: one fired, or is gone for good.
inline constexpr std::string_view task_fired_event = "task.fired";
inline constexpr std::string_view task_deleted_event = "task.deleted";
struct TaskNews {
  Uuid task;
  std::string_view project, name;
  std::vector<JobId> jobs = {};             // that were born
  std::string_view who = {}, request = {};  // of a delete
};
std::string task_fired_body(Instant at, const TaskNews& news);
std::string task_deleted_body(Instant at, const TaskNews& news);

std::string test_body(Instant at, std::string_view endpoint);

// The same message has the same id however often it is written: a hash of what it is about, behind
// the time of `of`, which is a version 7 id.
Uuid notice_id(std::string_view endpoint, std::string_view event, const Uuid& about,
               const Uuid& of);

}  // namespace quell
