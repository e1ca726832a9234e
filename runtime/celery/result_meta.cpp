#include "runtime/celery/result_meta.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"

namespace quell::celery {

namespace {

using Json = nlohmann::json;

std::string iso(Instant at) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}000", std::chrono::floor<std::chrono::seconds>(at),
                     (at.time_since_epoch() % std::chrono::seconds{1}).count());
}

std::string record(const char* status, const char* type, const char* module, const Json& argument,
                   const std::string& id, Instant at) {
  const Json meta{
      {"status", status},
      {"result",
       {{"exc_type", type}, {"exc_message", Json::array({argument})}, {"exc_module", module}}},
      {"traceback", nullptr},
      {"children", Json::array()},
      {"date_done", iso(at)},
      {"task_id", id}};
  return meta.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What a client or a task wrote: any JSON at all.
std::string status_in(const Json& meta) {
  const auto found = meta.find("status");
  return found != meta.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "TimeLimitExceeded(1.5)": whole seconds are a whole number, as Celery has them.
Json seconds_in(const std::string& detail) {
  const std::size_t at = detail.find('(');
  const double seconds =
      at == std::string::npos ? 0 : std::strtod(detail.c_str() + at + 1, nullptr);
  const auto whole = static_cast<std::int64_t>(seconds);
  return static_cast<double>(whole) == seconds ? Json(whole) : Json(seconds);
}

std::string failed(const JobView& job, const std::string& id, Instant at) {
  const Json error = json_of_ours(job.error);
  const std::string code = error.is_object() ? error.value("code", "") : "";
  const std::string detail = error.is_object() ? error.value("detail", "") : "";
  if (code == fault::expired)
    return record("REVOKED", "TaskRevokedError", "celery.exceptions", "expired", id, at);
  if (code == fault::time_limit)
    return record("FAILURE", "TimeLimitExceeded", "billiard.exceptions", seconds_in(detail), id,
                  at);
  return record("FAILURE", "WorkerLostError", "billiard.exceptions",
                detail.empty() ? "The task's process was lost." : detail, id, at);
}

bool is_own_failure(const JobView& job) {
  const Json error = json_of_ours(job.error);
  return error.is_object() && error.value("code", "") == fault::failure;
}

}  // namespace

bool is_end(const std::string& meta) {
  const Json json = json_of_ours(meta);
  // Written by a serializer that is not JSON: then only the job says what it is.
  if (!json.is_object()) return true;
  const std::string status = status_in(json);
  return status == "SUCCESS" || status == "FAILURE" || status == "REVOKED" || status == "IGNORED";
}

std::optional<Progress> progress_in(const std::string& meta) {
  constexpr std::size_t phase_max = 200;
  const Json json = json_of_ours(meta);
  if (!json.is_object() || is_end(meta)) return std::nullopt;
  Progress seen;
  seen.phase = status_in(json);
  const Json& said = json.contains("result") ? json["result"] : Json();
  const auto number = [&said](const char* name) {
    return said.is_object() && said.contains(name) && said[name].is_number()
               ? said[name].get<double>()
               : -1.0;
  };
  if (number("total") > 0 && number("current") >= 0)
    seen.fraction = std::min(number("current") / number("total"), 1.0);
  else if (number("progress") >= 0 && number("progress") <= 1)
    seen.fraction = number("progress");
  if (!said.is_null()) seen.phase += " " + said.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (seen.phase.size() > phase_max) seen.phase.resize(phase_max);
  return seen;
}

std::optional<std::string> told_of(const JobView& job, const std::string& id,
                                   const std::optional<std::string>& meta, Instant now) {
  const Instant at = job.finished.value_or(now);
  switch (job.state) {
    case JobState::succeeded:
      return meta && is_end(*meta) ? meta : std::nullopt;
    case JobState::failed:
      if (is_own_failure(job)) return meta && is_end(*meta) ? meta : std::nullopt;
      return failed(job, id, at);
    case JobState::cancelled:
      return revoked_meta(id, job.started ? "terminated" : "revoked", at);
    case JobState::pending_delete:
    case JobState::delete_failed:
      return std::nullopt;
    default:
      return meta && !is_end(*meta) ? meta : std::nullopt;
  }
}

std::string revoked_meta(const std::string& id, const std::string& why, Instant now) {
  return record("REVOKED", "TaskRevokedError", "celery.exceptions", why, id, now);
}

}  // namespace quell::celery
