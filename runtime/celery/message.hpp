// A message of Celery's protocol 2, as far as this house must understand it. What the task is
// called with stays closed: only the task's own process opens it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/base/id.hpp"
#include "runtime/base/result.hpp"

namespace quell::celery {

struct Message {
  std::string id, task, content_type;
  std::optional<Instant> eta, expires;
  int priority = 0;                 // 0 goes first
  std::string group, parent, root;  // ids of Celery, or ""
};

Result<Message> read_message(std::string_view envelope);

// The args of the job that a message becomes, and back.
std::string job_args(const Message& message, std::string_view envelope);
// What a schedule fires has no id of its own: it is called by its job's.
std::optional<std::string> envelope_of(const std::string& args, const JobId& job = {});
inline constexpr const char* id_of_job = "@job";

// Celery writes times as ISO 8601, with or without a zone; without one they are UTC.
std::optional<Instant> time_of(std::string_view text);

// The longest id that is kept; Celery's own have 36 characters.
inline constexpr std::size_t id_max = 200;
bool is_id(std::string_view text);

}  // namespace quell::celery
