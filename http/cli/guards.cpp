// Client verbs about operations over many jobs, the freeze and the alerts of the spike guard.
#include <fmt/format.h>

#include <iostream>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"

namespace quell::cli {

namespace {

int show_call(const Arguments& args, const std::string& method, const std::string& path,
              const std::string& body, const char* id) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want(method, path, body);
  if (!answer) return session->exit_code();
  session->show(answer->body, id);
  return 0;
}

int list_call(const Arguments& args, const std::string& path, const char* member,
              const std::vector<std::string>& columns) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::string state = args.has("state") ? "?state=" + escape_query(args.get("state")) : "";
  const auto answer = session->want("GET", path + state);
  if (!answer) return session->exit_code();
  session->show_rows(answer->body[member], columns, columns.front());
  return 0;
}

std::string operation_path(const Arguments& args) {
  return "/api/v1/operations/" + escape_query(args.words.at(0));
}

std::string alert_path(const Arguments& args) {
  return "/api/v1/alerts/" + escape_query(args.words.at(0));
}

int set_freeze(const Arguments& args, bool frozen) {
  if (args.get("reason").empty()) return fail_with(ErrorCode::usage, "--reason is needed");
  return show_call(args, "POST", "/api/v1/system/freeze",
                   Json{{"frozen", frozen}, {"reason", args.get("reason")}}.dump(), "frozen");
}

}  // namespace

int operations_list(const Arguments& args) {
  return list_call(args, "/api/v1/operations", "operations",
                   {"operation_id", "verb", "state", "done", "total", "filter", "who"});
}

int operations_show(const Arguments& args) {
  return show_call(args, "GET", operation_path(args), {}, "operation_id");
}

int operations_pause(const Arguments& args) {
  return show_call(args, "POST", operation_path(args) + "/pause", {}, "operation_id");
}

int operations_resume(const Arguments& args) {
  return show_call(args, "POST", operation_path(args) + "/resume", {}, "operation_id");
}

int operations_stop(const Arguments& args) {
  return show_call(args, "POST", operation_path(args) + "/stop", {}, "operation_id");
}

// Every page, one after the other: there may be a million.
int operations_outcomes(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::string path = operation_path(args) + "/outcomes?page_size=1000&page_token=";
  std::string token;
  do {
    const auto answer = session->want("GET", path + escape_query(token));
    if (!answer) return session->exit_code();
    token = answer->body.value("next_page_token", "");
    if (!answer->body["outcomes"].empty() || token.empty())
      session->show_rows(answer->body["outcomes"], {"job_id", "outcome", "was", "verdict"},
                         "job_id");
  } while (!token.empty());
  return 0;
}

int freeze(const Arguments& args) {
  return set_freeze(args, true);
}

int unfreeze(const Arguments& args) {
  return set_freeze(args, false);
}

int alerts_list(const Arguments& args) {
  return list_call(args, "/api/v1/alerts", "alerts",
                   {"alert_id", "state", "holds", "at", "who", "sentence"});
}

int alerts_ack(const Arguments& args) {
  return show_call(args, "POST", alert_path(args) + "/ack", {}, "alert_id");
}

int alerts_approve(const Arguments& args) {
  return show_call(args, "POST", alert_path(args) + "/approve", {}, "delete_id");
}

}  // namespace quell::cli
