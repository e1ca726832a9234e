// Client verbs about jobs, but for delete.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/by_filter.hpp"
#include "http/cli/calls.hpp"
#include "http/cli/confirm.hpp"
#include "http/cli/exit_codes.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

namespace quell::cli {

namespace {

const std::vector<std::string> job_columns{"job_id", "kind",    "status",
                                           "queue",  "attempt", "created_at"};

std::string job_path(const std::string& id) {
  return "/api/v1/jobs/" + escape_query(id);
}

// The numbers are checked by the server; here they only have to be JSON.
bool put_number(Json& body, const char* field, const std::string& text) {
  const Json value = ordered_json_from_outside(text);
  if (!value.is_number()) return false;
  body[field] = value;
  return true;
}

std::optional<Json> submit_body(const Arguments& args, int& exit_code) {
  Json body{{"kind", args.words.at(0)}};
  if (args.has("args")) {
    const auto text = read_text_argument(args.get("args"));
    Json parsed = text ? ordered_json_from_outside(*text) : Json();
    if (!parsed.is_object()) {
      exit_code = fail_with(ErrorCode::usage, "--args wants a JSON object, @FILE or -");
      return std::nullopt;
    }
    body["args"] = std::move(parsed);
  }
  static constexpr std::pair<const char*, const char*> numbers[] = {
      {"priority", "priority"},
      {"delay", "delay_s"},
      {"max-attempts", "max_attempts"},
      {"job-timeout", "timeout_s"}};
  for (const auto& [option, field] : numbers) {
    if (args.has(option) && !put_number(body, field, args.get(option))) {
      exit_code = fail_with(ErrorCode::usage, fmt::format("--{} wants a number", option));
      return std::nullopt;
    }
  }
  static constexpr std::pair<const char*, const char*> texts[] = {
      {"queue", "queue"},         {"at", "run_at"},       {"unique-key", "unique_key"},
      {"limit-key", "limit_key"}, {"webhook", "webhook"}, {"project", "project"}};
  for (const auto& [option, field] : texts)
    if (args.has(option)) body[field] = args.get(option);
  const auto tags = args.options.find("tag");
  if (tags != args.options.end()) body["tags"] = tags->second;
  return body;
}

// Follows one job to its end; the exit code says how it ended.
int wait_for_one(ApiClient& session, const std::string& id,
                 std::optional<std::chrono::steady_clock::time_point> until, Json& last) {
  for (;;) {
    std::int64_t left = 30;
    if (until)
      left = std::chrono::duration_cast<std::chrono::seconds>(*until -
                                                              std::chrono::steady_clock::now())
                 .count();
    left = std::clamp<std::int64_t>(left, 0, 30);
    const auto answer =
        session.want("GET", fmt::format("{}?wait_for=final&timeout={}", job_path(id), left));
    if (!answer) return session.exit_code();
    last = answer->body;
    const std::string status = last.value("status", "");
    if (status == "succeeded") return 0;
    if (status == "failed" || status == "cancelled") return failed_exit;
    if (until && std::chrono::steady_clock::now() >= *until) return pending_exit;
  }
}

int steer(const Arguments& args, const char* verb, const char* said) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::vector<std::string> ids = ids_of(args.words);
  if (const int refused = ask_for(args, ids.size(), verb); refused != 0) return refused;
  int worst = 0;
  Json rows = Json::array();
  for (const std::string& id : ids) {
    const auto answer = session->want("POST", job_path(id) + "/" + verb);
    if (!answer)
      worst = std::max(worst, session->exit_code());
    else
      rows.push_back(answer->body);
  }
  session->show_rows(rows, {"job_id", "status"}, "job_id");
  session->say(fmt::format("{} {} of {}", said, rows.size(), ids.size()));
  return worst;
}

}  // namespace

int submit(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::optional<Json> body = submit_body(args, code);
  if (!body) return code;
  const auto answer = session->want("POST", "/api/v1/jobs", body->dump());
  if (!answer) return session->exit_code();
  const std::string id = answer->body.value("job_id", "");
  if (session->output() == Output::json || session->output() == Output::jsonl)
    session->show(answer->body, "job_id");
  else
    std::cout << id << std::endl;
  if (!args.has("wait")) return 0;
  Json last;
  const int ended = wait_for_one(*session, id, std::nullopt, last);
  if (!last.is_object()) return ended;
  session->say(fmt::format("{} {}", id, last.value("status", "")));
  const char* shown = ended == 0 ? "result" : "error";
  if (last.contains(shown) && !last[shown].is_null()) std::cout << last[shown].dump(2) << '\n';
  return ended;
}

int list(const Arguments& args) {
  const std::size_t most = rows_wanted(args);
  std::string path = "/api/v1/jobs?page_size=" + std::to_string(std::min<std::size_t>(most, 500));
  if (!args.words.empty()) path += "&filter=" + escape_query(args.words.front());
  for (const char* name : {"status", "queue", "kind", "tag"})
    if (args.has(name)) path += fmt::format("&{}={}", name, escape_query(args.get(name)));
  return list_pages(args, path, "jobs", job_columns, most);
}

int get(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want("GET", job_path(args.words.at(0)));
  if (!answer) return session->exit_code();
  session->show(answer->body, "job_id");
  return 0;
}

int logs(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::string path = job_path(args.words.at(0));
  std::int64_t after = 0;
  for (;;) {
    const auto answer = session->want("GET", fmt::format("{}/logs?after={}", path, after));
    if (!answer) return session->exit_code();
    for (const Json& line : answer->body["logs"]) {
      after = line.value("seq", after);
      std::cout << line.value("at", "") << ' ' << line.value("level", "") << ' '
                << harmless(line.value("text", "")) << '\n';
    }
    std::cout.flush();
    if (!answer->body["logs"].empty()) continue;
    if (!args.has("follow")) return 0;
    const auto job = session->want("GET", path + "?wait_for=final&timeout=1");
    if (!job) return session->exit_code();
    const std::string status = job->body.value("status", "");
    if (status == "succeeded" || status == "failed" || status == "cancelled") {
      const auto rest = session->want("GET", fmt::format("{}/logs?after={}", path, after));
      if (!rest || rest->body["logs"].empty()) return 0;
    }
  }
}

int result(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want("GET", job_path(args.words.at(0)) + "/result");
  if (!answer) return session->exit_code();
  const bool good = answer->body.value("status", "") == "succeeded";
  const Json& shown = good ? answer->body["result"] : answer->body["error"];
  const std::string text = shown.is_string() ? shown.get<std::string>() : shown.dump(2);
  if (args.has("to")) {
    std::ofstream file(args.get("to"), std::ios::binary);
    if (!(file << text).flush())
      return fail_with(ErrorCode::usage, "cannot write " + args.get("to"));
  } else {
    std::cout << text << '\n';
  }
  return good ? 0 : failed_exit;
}

int wait(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  std::optional<std::chrono::steady_clock::time_point> until;
  if (args.has("for"))
    until = std::chrono::steady_clock::now() + std::chrono::milliseconds{static_cast<std::int64_t>(
                                                   std::atof(args.get("for").c_str()) * 1000)};
  int worst = 0;
  Json rows = Json::array();
  for (const std::string& id : ids_of(args.words)) {
    Json last;
    worst = std::max(worst, wait_for_one(*session, id, until, last));
    if (last.is_object()) rows.push_back(last);
  }
  session->show_rows(rows, {"job_id", "status", "finished_at"}, "job_id");
  return worst;
}

int cancel(const Arguments& args) {
  if (args.has("filter")) return by_filter(args, "cancel", args.get("filter"));
  return steer(args, "cancel", "cancelled");
}

int retry(const Arguments& args) {
  if (args.has("filter")) return by_filter(args, "retry", args.get("filter"));
  return steer(args, "retry", "retried");
}

int counts(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want("GET", "/api/v1/jobs/counts?group_by=status");
  if (!answer) return session->exit_code();
  session->show(answer->body["counts"], "");
  return 0;
}

}  // namespace quell::cli
