// Client verbs about deletions, queues and pools, and the raw call.
#include <fmt/format.h>

#include <iostream>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/calls.hpp"
#include "http/cli/confirm.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

namespace quell::cli {

namespace {

int queue_call(const Arguments& args, const char* verb) {
  return show_call(args, "POST",
                   fmt::format("/api/v1/queues/{}/{}", escape_query(args.words.at(0)), verb),
                   "name");
}

std::string deletion_path(const Arguments& args) {
  return "/api/v1/deletions/" + escape_query(args.words.at(0));
}

}  // namespace

int deletions_list(const Arguments& args) {
  const std::string limit = args.has("limit") ? "page_size=" + escape_query(args.get("limit")) : "";
  if (args.has("failed") || args.has("pending"))
    return list_call(args,
                     std::string{"/api/v1/deletions?state="} +
                         (args.has("failed") ? "DELETE_FAILED" : "PENDING_DELETE,DELETE_FAILED"),
                     "deletions", {"delete_id", "job_id", "state", "tries", "last_error"});
  return list_call(args, "/api/v1/deletions?" + limit, "deletions",
                   {"delete_id", "state", "who", "at", "reason"});
}

int deletions_show(const Arguments& args) {
  return show_call(args, "GET", deletion_path(args), "name");
}

int deletions_retry(const Arguments& args) {
  return show_call(args, "POST", deletion_path(args) + "/retry", "name");
}

int deletions_force(const Arguments& args) {
  if (!args.has("reason")) return fail_with(ErrorCode::usage, "--reason is needed");
  if (!args.has("yes") && !is_terminal())
    return fail_with(ErrorCode::usage, "to force without a terminal, give --yes");
  if (!args.has("yes")) {
    std::cerr << "This erases without proof that the runs are down. Go on? [y/N] ";
    std::string typed;
    std::getline(std::cin, typed);
    if (typed != "y" && typed != "yes") return fail_with(ErrorCode::usage, "nothing was done");
  }
  return show_call(args, "POST", deletion_path(args) + "/force", "name",
                   Json{{"reason", args.get("reason")}}.dump());
}

int queue_list(const Arguments& args) {
  return list_call(args, "/api/v1/queues", "queues",
                   {"name", "pool", "paused", "closed", "queued", "scheduled", "running"});
}

int queue_pause(const Arguments& args) {
  return queue_call(args, "pause");
}
int queue_resume(const Arguments& args) {
  return queue_call(args, "resume");
}
int queue_close(const Arguments& args) {
  return queue_call(args, "close");
}
int queue_open(const Arguments& args) {
  return queue_call(args, "open");
}
int queue_drain(const Arguments& args) {
  return queue_call(args, "drain");
}

int queue_limit(const Arguments& args) {
  Json limits = Json::object();
  for (const auto& [option, field] :
       {std::pair{"concurrency", "concurrency"}, {"per-key", "per_key"}}) {
    if (!args.has(option)) continue;
    limits[field] = ordered_json_from_outside(args.get(option));
    if (!limits[field].is_number_unsigned())
      return fail_with(ErrorCode::usage, fmt::format("--{} wants a number", option));
  }
  for (const auto& [option, field] : {std::pair{"rate", "rate"}, {"key-rate", "key_rate"}}) {
    if (!args.has(option)) continue;
    const std::string text = args.get(option);
    const std::size_t slash = text.find('/');
    const Json count = ordered_json_from_outside(text.substr(0, slash));
    const Json per =
        slash == std::string::npos ? Json(1) : ordered_json_from_outside(text.substr(slash + 1));
    if (!count.is_number_unsigned() || !per.is_number_unsigned())
      return fail_with(ErrorCode::usage, fmt::format("--{} wants COUNT/SECONDS", option));
    limits[field] = {{"count", count}, {"per_s", per}};
  }
  return show_call(args, "PATCH", "/api/v1/queues/" + escape_query(args.words.at(0)), "name",
                   Json{{"limits", limits}}.dump());
}

int pool_list(const Arguments& args) {
  return list_call(args, "/api/v1/pools", "pools",
                   {"name", "capacity", "used", "free", "stuck", "waiting"});
}

int pool_set(const Arguments& args) {
  const std::string& text = args.words.at(0);
  const std::size_t equals = text.find('=');
  const Json slots =
      equals == std::string::npos ? Json() : ordered_json_from_outside(text.substr(equals + 1));
  if (!slots.is_number_unsigned()) return fail_with(ErrorCode::usage, "pool set wants NAME=SLOTS");
  return show_call(args, "PATCH", "/api/v1/pools/" + escape_query(text.substr(0, equals)), "name",
                   Json{{"capacity", slots}}.dump());
}

int raw_call(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const bool two = args.words.size() == 2;
  const auto body = read_text_argument(args.get("data"));
  if (!body) return fail_with(ErrorCode::usage, "--data cannot be read");
  const auto answer = session->ask(two ? args.words[0] : "GET", args.words.back(), *body);
  if (!answer) return session->exit_code();
  std::cout << answer->text << '\n';
  if (answer->ok()) return 0;
  session->tell_problem(*answer);
  return session->exit_code();
}

}  // namespace quell::cli
