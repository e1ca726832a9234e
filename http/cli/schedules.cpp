// Client verbs about schedules.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/calls.hpp"
#include "http/cli/confirm.hpp"
#include "http/cli/exit_codes.hpp"
#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/base/id.hpp"

namespace quell::cli {

namespace {

const std::vector<std::string> columns{"task_uuid", "name", "status",    "cron",
                                       "every",     "zone", "next_fire", "last_fire"};

std::string path_of(const Arguments& args, const std::string& tail = {}) {
  return "/api/v1/schedules/" + escape_query(args.words.at(0)) + tail;
}

// False, and told: a number or a text that is none.
bool add_job(const Arguments& args, Json& body) {
  Json job = Json::object();
  if (args.has("job")) {
    const auto text = read_text_argument(args.get("job"));
    job = text ? ordered_json_from_outside(*text) : Json();
    if (!job.is_object()) return false;
  }
  if (args.has("kind")) job["kind"] = args.get("kind");
  if (args.has("queue")) job["queue"] = args.get("queue");
  if (args.has("args")) {
    const auto text = read_text_argument(args.get("args"));
    job["args"] = text ? ordered_json_from_outside(*text) : Json();
    if (!job["args"].is_object()) return false;
  }
  if (!job.empty()) body["job"] = std::move(job);
  return true;
}

// All of it, or nothing.
template <class Number>
std::optional<Number> whole_number(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [last, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || last != end) return std::nullopt;
  if (!std::isfinite(static_cast<double>(number))) return std::nullopt;
  return number;
}

// Empty: all was read; else what is wrong.
std::string add_fields(const Arguments& args, Json& body) {
  for (const auto& [option, field] :
       {std::pair{"cron", "cron"}, std::pair{"every", "every"}, std::pair{"at", "at"},
        std::pair{"zone", "zone"}, std::pair{"group", "group"}, std::pair{"project", "project"},
        std::pair{"misfire", "misfire"}, std::pair{"overlap", "overlap"},
        std::pair{"start", "start_at"}, std::pair{"end", "end_at"}, std::pair{"name", "name"}})
    if (args.has(option)) body[field] = args.get(option);
  if (args.has("jitter")) {
    const auto seconds = whole_number<double>(args.get("jitter"));
    if (!seconds)
      return fmt::format("--jitter takes seconds, and '{}' is no number", args.get("jitter"));
    body["jitter_s"] = *seconds;
  }
  if (args.has("misfire-limit")) {
    const auto limit = whole_number<std::int64_t>(args.get("misfire-limit"));
    if (!limit)
      return fmt::format("--misfire-limit takes a whole number, and '{}' is none",
                         args.get("misfire-limit"));
    body["misfire_limit"] = *limit;
  }
  if (args.has("disabled")) body["status"] = "DISABLED";
  return {};
}

std::string what_goes_on(const std::string& jobs) {
  if (jobs == "keep")
    return "It never fires again; its jobs that have not ended are still being removed.";
  if (jobs == "cancel")
    return "It never fires again; its jobs that have not ended are still being cancelled.";
  return "It never fires again; its jobs are still being removed.";
}

}  // namespace

int schedule_list(const Arguments& args) {
  std::string path = "/api/v1/schedules?page_size=500";
  for (const char* name : {"project", "group", "status"})
    if (args.has(name)) path += fmt::format("&{}={}", name, escape_query(args.get(name)));
  return list_pages(args, path, "schedules", columns, std::string::npos);
}

int schedule_create(const Arguments& args) {
  Json body{{"name", args.words.at(0)}};
  if (const std::string fault = add_fields(args, body); !fault.empty())
    return fail_with(ErrorCode::usage, fault);
  if (!add_job(args, body))
    return fail_with(ErrorCode::usage, "--job and --args take a JSON object");
  return show_call(args, "POST", "/api/v1/schedules", "task_uuid", body.dump());
}

int schedule_edit(const Arguments& args) {
  Json body = Json::object();
  if (const std::string fault = add_fields(args, body); !fault.empty())
    return fail_with(ErrorCode::usage, fault);
  if (!add_job(args, body))
    return fail_with(ErrorCode::usage, "--job and --args take a JSON object");
  if (body.empty()) return fail_with(ErrorCode::usage, "nothing to change was given");
  return show_call(args, "PATCH", path_of(args), "task_uuid", body.dump());
}

int schedule_show(const Arguments& args) {
  return show_call(args, "GET", path_of(args), "task_uuid");
}

int schedule_pause(const Arguments& args) {
  return show_call(args, "POST", path_of(args, "/pause"), "task_uuid");
}

int schedule_resume(const Arguments& args) {
  return show_call(args, "POST", path_of(args, "/resume"), "task_uuid");
}

int schedule_run(const Arguments& args) {
  return show_call(args, "POST", path_of(args, "/run-now"), "job_id");
}

int schedule_next(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer =
      session->want("GET", path_of(args, "/next?count=" + escape_query(args.get("count", "10"))));
  if (!answer) return session->exit_code();
  session->show_rows(answer->body["next"], {"at", "wall"}, "at");
  return 0;
}

int schedule_runs(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want(
      "GET", path_of(args, "/runs?page_size=" + escape_query(args.get("limit", "50"))));
  if (!answer) return session->exit_code();
  session->show_rows(answer->body["runs"],
                     {"job_id", "status", "created_at", "started_at", "finished_at"}, "job_id");
  return 0;
}

int schedule_delete(const Arguments& args) {
  // The server would say of it that it is deleted: nobody can have made such a one.
  if (!Uuid::parse(args.words.at(0)))
    return fail_with(ErrorCode::usage,
                     fmt::format("'{}' is no id of a schedule; `quell schedule list` shows them",
                                 args.words.at(0)));
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  std::string path = path_of(args, "?confirm=true");
  path += "&wait=" + escape_query(args.get("wait", "5"));
  for (const char* name : {"jobs", "reason"})
    if (args.has(name)) path += fmt::format("&{}={}", name, escape_query(args.get(name)));
  const auto answer = session->want("DELETE", path);
  if (!answer) return session->exit_code();
  session->show(answer->body, "task_uuid");
  const std::string status = answer->body.value("status", "");
  if (status == "DELETE_FAILED") {
    session->say(answer->body.value("message", ""));
    return failed_exit;
  }
  const bool is_pending = status == "PENDING_DELETE";
  if (is_pending) session->say(what_goes_on(args.get("jobs", "delete")));
  return is_pending ? pending_exit : 0;
}

}  // namespace quell::cli
