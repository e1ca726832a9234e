// Client verbs about operations over many jobs, the freeze and the alerts of the spike guard.
#include <fmt/format.h>

#include <iostream>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/calls.hpp"

namespace quell::cli {

namespace {

std::string of_state(const Arguments& args) {
  return args.has("state") ? "?state=" + escape_query(args.get("state")) : "";
}

std::string operation_path(const Arguments& args) {
  return "/api/v1/operations/" + escape_query(args.words.at(0));
}

std::string alert_path(const Arguments& args) {
  return "/api/v1/alerts/" + escape_query(args.words.at(0));
}

int set_freeze(const Arguments& args, bool frozen) {
  if (args.get("reason").empty()) return fail_with(ErrorCode::usage, "--reason is needed");
  return show_call(args, "POST", "/api/v1/system/freeze", "frozen",
                   Json{{"frozen", frozen}, {"reason", args.get("reason")}}.dump());
}

}  // namespace

int operations_list(const Arguments& args) {
  return list_call(args, "/api/v1/operations" + of_state(args), "operations",
                   {"operation_id", "verb", "state", "done", "total", "filter", "who"});
}

int operations_show(const Arguments& args) {
  return show_call(args, "GET", operation_path(args), "operation_id");
}

int operations_pause(const Arguments& args) {
  return show_call(args, "POST", operation_path(args) + "/pause", "operation_id");
}

int operations_resume(const Arguments& args) {
  return show_call(args, "POST", operation_path(args) + "/resume", "operation_id");
}

int operations_stop(const Arguments& args) {
  return show_call(args, "POST", operation_path(args) + "/stop", "operation_id");
}

// Every page, one after the other: there may be a million.
int operations_outcomes(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::string path = operation_path(args) + "/outcomes?page_size=1000";
  const auto show = [&](Json& page) {
    if (!page["outcomes"].empty() || page.value("next_page_token", "").empty())
      session->show_rows(page["outcomes"], {"job_id", "outcome", "was", "verdict"}, "job_id");
    return true;
  };
  if (!each_page(*session, path, show)) return session->exit_code();
  return 0;
}

int freeze(const Arguments& args) {
  return set_freeze(args, true);
}

int unfreeze(const Arguments& args) {
  return set_freeze(args, false);
}

int alerts_list(const Arguments& args) {
  return list_call(args, "/api/v1/alerts" + of_state(args), "alerts",
                   {"alert_id", "state", "holds", "at", "who", "sentence"});
}

int alerts_ack(const Arguments& args) {
  return show_call(args, "POST", alert_path(args) + "/ack", "alert_id");
}

int alerts_approve(const Arguments& args) {
  return show_call(args, "POST", alert_path(args) + "/approve", "delete_id");
}

}  // namespace quell::cli
