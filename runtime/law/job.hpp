// A job as people hand it in and as they see it. JSON stays text here: it is parsed only by whoever
// looks inside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/settings/setting_types.hpp"

namespace quell {

inline constexpr int default_priority = 5;  // 0-9, higher first

// What is said once at submit and read when an attempt starts or ends. All defaults means "not
// stored".
struct JobOptions {
  int max_attempts = setting_default::max_attempts;
  Millis timeout = setting_default::attempt_timeout;  // one attempt
  std::optional<Instant> deadline = {};               // all attempts
  Millis backoff = setting_default::backoff_first;    // before the first retry; doubles, jittered
  Millis backoff_max = setting_default::backoff_max;
  std::vector<std::string> tags = {};
  std::string webhook = {};  // the job's own URL; hears nothing after a mark
  std::string traceparent = {};
  std::string schedule = {};  // id of the schedule that fired it
  bool is_protected = false;  // refuses deletion until lifted
  // Jobs of one queue with one key share what the queue's limits give a key; "": none.
  std::string limit_key = {};
  // Who handed it in, for whoever asks later. Noted only where a row of options is written anyway.
  std::string submitted_by = {};
  bool operator==(const JobOptions&) const = default;
};

std::string to_json(const JobOptions& options);  // "" when all defaults
JobOptions options_from_json(
    const std::string& text);  // of our own writing: asserts on anything else

struct NewJob {
  JobId id;
  std::string kind;
  std::string args = {};  // JSON object text; "" means {}
  std::string project = "default";
  std::string queue = "default";
  int priority = default_priority;
  std::optional<Instant> run_at = {};  // in the future: scheduled
  std::optional<std::string> unique_key = {};
  JobOptions options = {};
};

// One attempt's end, kept per job.
struct AttemptRecord {
  int n = 0;
  std::optional<Instant> started;
  Instant ended;
  std::string outcome;     // succeeded, failed, timeout, stopped, handed_over, lost
  std::string error = {};  // JSON problem, or ""
  std::string node = {};
};

// A job as `GET /jobs/{id}` shows it.
struct JobView {
  JobId id;
  std::string project, queue, kind;
  int priority = default_priority;
  JobState state = JobState::queued;
  int epoch = 0;
  int attempt = 0;  // the running or last one
  int lost = 0;
  std::optional<Instant> due, started, finished, expires;
  std::optional<Instant> result_expires;  // when the result goes before its record
  std::optional<double> progress;
  std::string phase;
  std::string args, result, error, usage;  // JSON texts, "" when there is none
  JobOptions options;
  std::optional<std::string> unique_key;
  std::optional<NodeId> node;    // who runs it
  std::optional<NodeId> ran_on;  // who ran it when it came to rest
  bool cancel_requested = false;
  std::optional<DeleteId> delete_id;  // when leaving
};

}  // namespace quell
