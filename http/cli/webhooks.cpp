// Client verbs about webhooks.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/calls.hpp"

namespace quell::cli {

namespace {

const std::vector<std::string> delivery_columns{"delivery_id", "event",    "job_id",
                                                "tries",       "next_try", "last_reply"};

std::string path_of(const Arguments& args, const std::string& tail = {}) {
  return "/api/v1/webhooks/" + escape_query(args.words.at(0)) + tail;
}

int webhook_call(const Arguments& args, const std::string& method, const std::string& path,
                 const std::string& body = {}, const char* id = "webhook_id") {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want(method, path, body);
  if (!answer) return session->exit_code();
  if (answer->body.is_object() && answer->body.contains("secret"))
    session->say("The secret is shown once; keep it where the receiver can read it.");
  session->show(answer->body, id);
  return 0;
}

void add_fields(const Arguments& args, Json& body) {
  const auto events = args.options.find("event");
  if (events != args.options.end()) body["events"] = events->second;
  for (const char* name : {"description", "project"})
    if (args.has(name)) body[name] = args.get(name);
  if (args.has("to")) body["url"] = args.get("to");
}

// The delivery as it stands, if it is among the newest of its endpoint.
Json find_delivery(const Json& deliveries, const std::string& id) {
  for (const Json& one : deliveries)
    if (one["delivery_id"] == id) return one;
  return nullptr;
}

}  // namespace

int webhook_list(const Arguments& args) {
  return list_call(args, "/api/v1/webhooks", "webhooks",
                   {"webhook_id", "url", "project", "events", "enabled", "failing_since"});
}

int webhook_create(const Arguments& args) {
  Json body{{"url", args.words.at(0)}};
  add_fields(args, body);
  return webhook_call(args, "POST", "/api/v1/webhooks", body.dump());
}

int webhook_show(const Arguments& args) {
  return webhook_call(args, "GET", path_of(args));
}

int webhook_update(const Arguments& args) {
  Json body = Json::object();
  add_fields(args, body);
  if (args.has("enable") && args.has("disable"))
    return fail_with(ErrorCode::usage, "give either --enable or --disable");
  if (args.has("enable") || args.has("disable")) body["enabled"] = args.has("enable");
  if (body.empty()) return fail_with(ErrorCode::usage, "nothing to change was given");
  return webhook_call(args, "PATCH", path_of(args), body.dump());
}

int webhook_delete(const Arguments& args) {
  return webhook_call(args, "DELETE", path_of(args));
}

int webhook_rotate(const Arguments& args) {
  return webhook_call(args, "POST", path_of(args, "/rotate-secret"));
}

// Waits until the receiver has answered: that is what the person wants to know.
int webhook_test(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto sent = session->want("POST", path_of(args, "/test"));
  if (!sent) return session->exit_code();
  const std::string id = sent->body["delivery_id"];
  for (int look = 0; look < 300; ++look) {
    const auto answer = session->want("GET", path_of(args, "/deliveries?limit=200"));
    if (!answer) return session->exit_code();
    const Json one = find_delivery(answer->body["deliveries"], id);
    if (one.is_object() && one.value("tries", 0) > 0) {
      session->show(one, "delivery_id");
      const Json& reply = one["last_reply"];
      const int status =
          reply.is_object() && reply["status"].is_number() ? reply["status"].get<int>() : 0;
      return status >= 200 && status < 300 ? 0 : 1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return fail_with(ErrorCode::outbound_failed, "the message was not sent within 30 s");
}

int webhook_deliveries(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  std::string query = "/deliveries?limit=" + escape_query(args.get("limit", "50"));
  if (args.has("before")) query += "&before=" + escape_query(args.get("before"));
  const auto answer = session->want("GET", path_of(args, query));
  if (!answer) return session->exit_code();
  session->show_rows(answer->body["deliveries"], delivery_columns, "delivery_id");
  return 0;
}

int webhook_redeliver(const Arguments& args) {
  return webhook_call(args, "POST",
                      "/api/v1/deliveries/" + escape_query(args.words.at(0)) + "/redeliver", {},
                      "delivery_id");
}

int webhook_job_secret(const Arguments& args) {
  std::string path = "/api/v1/webhooks/job-secret";
  if (args.has("project")) path += "?project=" + escape_query(args.get("project"));
  return webhook_call(args, "GET", path, {}, "secret");
}

}  // namespace quell::cli
