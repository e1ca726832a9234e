// Client verbs about schedules.
#include <fmt/format.h>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/calls.hpp"
#include "http/cli/confirm.hpp"
#include "http/cli/exit_codes.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

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

void add_fields(const Arguments& args, Json& body) {
  for (const auto& [option, field] :
       {std::pair{"cron", "cron"}, std::pair{"every", "every"}, std::pair{"at", "at"},
        std::pair{"zone", "zone"}, std::pair{"group", "group"}, std::pair{"project", "project"},
        std::pair{"misfire", "misfire"}, std::pair{"overlap", "overlap"},
        std::pair{"start", "start_at"}, std::pair{"end", "end_at"}, std::pair{"name", "name"}})
    if (args.has(option)) body[field] = args.get(option);
  if (args.has("jitter")) body["jitter_s"] = std::atof(args.get("jitter").c_str());
  if (args.has("misfire-limit"))
    body["misfire_limit"] = std::atoi(args.get("misfire-limit").c_str());
  if (args.has("disabled")) body["status"] = "DISABLED";
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
  add_fields(args, body);
  if (!add_job(args, body))
    return fail_with(ErrorCode::usage, "--job and --args take a JSON object");
  return show_call(args, "POST", "/api/v1/schedules", "task_uuid", body.dump());
}

int schedule_edit(const Arguments& args) {
  Json body = Json::object();
  add_fields(args, body);
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
  const bool is_pending = answer->body.value("status", "") == "PENDING_DELETE";
  if (is_pending) session->say("It never fires again; its jobs are still being removed.");
  return is_pending ? pending_exit : 0;
}

}  // namespace quell::cli
