// Client verbs about who may what, and what was done: tokens, secrets, audit, workers, events.
#include <fmt/format.h>

#include <csignal>
#include <iostream>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/calls.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

namespace quell::cli {

namespace {

// `audit_head` of a receipt's payload; null when nothing was sealed yet.
Result<Json> head_in_receipt(const std::string& file) {
  const auto text = read_text_argument("@" + file);
  if (!text) return Error{ErrorCode::usage, file + " cannot be read"};
  const Json envelope = ordered_json_from_outside(*text);
  const auto payload = envelope.is_object() && envelope.contains("payload")
                           ? from_base64(envelope["payload"].get<std::string>())
                           : std::nullopt;
  const Json receipt =
      payload ? ordered_json_from_outside(std::string(payload->begin(), payload->end()))
              : Json(nullptr);
  if (!receipt.is_object() || !receipt.contains("audit_head"))
    return Error{ErrorCode::usage, file + " is no receipt that carries the audit log's head"};
  return receipt["audit_head"];
}

}  // namespace

int token_create(const Arguments& args) {
  Json body{{"name", args.words.at(0)}};
  if (args.has("role")) body["role"] = args.get("role");
  const auto scopes = args.options.find("scope");
  if (scopes != args.options.end()) body["scopes"] = scopes->second;
  if (args.has("project")) body["project"] = args.get("project");
  if (args.has("expires")) {
    body["expires_s"] = ordered_json_from_outside(args.get("expires"));
    if (!body["expires_s"].is_number())
      return fail_with(ErrorCode::usage, "--expires wants seconds");
  }
  return show_call(args, "POST", "/api/v1/tokens", "token", body.dump());
}

int token_list(const Arguments& args) {
  return list_call(args, "/api/v1/tokens", "tokens",
                   {"token_id", "name", "role", "project", "expires_at", "last_used_at"});
}

int token_revoke(const Arguments& args) {
  return show_call(args, "DELETE", "/api/v1/tokens/" + escape_query(args.words.at(0)), "token_id");
}

int secret_set(const Arguments& args) {
  // Never as an argument: ps and the shell's history would show it.
  const auto value = read_text_argument(args.get("from", "-"));
  if (!value) return fail_with(ErrorCode::usage, "--from cannot be read");
  std::string text = *value;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto hosts = args.options.find("host");
  if (hosts == args.options.end()) return fail_with(ErrorCode::usage, "--host is needed");
  Json body{{"value", text}, {"hosts", hosts->second}};
  if (args.has("project")) body["project"] = args.get("project");
  return show_call(args, "PUT", "/api/v1/secrets/" + escape_query(args.words.at(0)), "name",
                   body.dump());
}

int secret_list(const Arguments& args) {
  return list_call(args, "/api/v1/secrets", "secrets", {"name", "project", "hosts"});
}

int secret_remove(const Arguments& args) {
  std::string path = "/api/v1/secrets/" + escape_query(args.words.at(0));
  if (args.has("project")) path += "?project=" + escape_query(args.get("project"));
  return show_call(args, "DELETE", path, "name");
}

int audit_list(const Arguments& args) {
  return list_call(
      args,
      fmt::format("/api/v1/audit?after={}&limit={}", escape_query(args.get("after", "0")),
                  escape_query(args.get("limit", "100"))),
      "entries", {"no", "at", "who", "what", "ref", "detail"});
}

int audit_verify(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  std::string path = "/api/v1/audit/verify";
  if (args.has("receipt")) {
    const auto head = head_in_receipt(args.get("receipt"));
    if (!head) return fail_with(ErrorCode::usage, head.error().detail);
    if (head->is_object())
      path += fmt::format("?known_no={}&known_hash={}", (*head)["no"].get<std::int64_t>(),
                          (*head)["hash"].get<std::string>());
  }
  const auto answer = session->want("GET", path);
  if (!answer) return session->exit_code();
  session->say(fmt::format("sealed up to no. {}", answer->body.value("head", 0)));
  session->show(answer->body, "head");
  return answer->body.value("holds", false) ? 0 : 1;
}

int worker_list(const Arguments& args) {
  return list_call(
      args, "/api/v1/workers", "workers",
      {"worker_id", "name", "state", "host", "pid", "version", "beat_age_ms", "running"});
}

namespace {

int worker_order(const Arguments& args, const char* order) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::string path =
      fmt::format("/api/v1/workers/{}/{}", escape_query(args.words.at(0)), order);
  const auto answer = session->want("POST", path);
  if (!answer) return session->exit_code();
  session->show(answer->body, "worker_id");
  return 0;
}

}  // namespace

int worker_drain(const Arguments& args) {
  return worker_order(args, "drain");
}
int worker_stop(const Arguments& args) {
  return worker_order(args, "stop");
}

// Each event's data on a line of its own, until interrupted.
int follow_events(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  std::string target = "/api/v1/events?";
  for (const auto& [option, name] :
       {std::pair{"types", "types"}, std::pair{"queue", "queue"}, std::pair{"job", "job_id"}})
    if (args.has(option)) target += fmt::format("{}={}&", name, escape_query(args.get(option)));
  std::string pending;
  const auto reply = session->client().follow(target, {}, [&pending](std::string_view piece) {
    pending += piece;
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const std::string line = pending.substr(0, end);
      pending.erase(0, end + 1);
      if (line.rfind("data: ", 0) == 0) std::cout << line.substr(6) << std::endl;
    }
    return std::cout.good();
  });
  if (!reply) return fail_with(reply.error().code, reply.error().detail);
  if (reply.value().status == 200) return 0;
  Answer answer;
  answer.status = reply.value().status;
  answer.body = ordered_json_of_ours(reply.value().body);
  session->tell_problem(answer);
  return session->exit_code();
}

}  // namespace quell::cli
