#include "http/cli/by_filter.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/confirm.hpp"
#include "http/cli/exit_codes.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

namespace quell::cli {

namespace {

constexpr std::chrono::milliseconds first_look{50}, last_look{1'000};

std::string path_of(const std::string& verb) {
  return verb == "delete" ? "/api/v1/jobs/delete-by-filter" : "/api/v1/jobs/bulk-" + verb;
}

// "12 jobs: 3 running, 9 queued"
std::string sentence_of(const Json& preview) {
  std::string parts;
  for (const auto& [status, n] : preview["counts"].items())
    if (n.is_number_integer() && n.get<std::int64_t>() > 0)
      parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", n.get<std::int64_t>(), status);
  return fmt::format("{} jobs: {}", preview.value("total", std::int64_t{0}),
                     parts.empty() ? "none" : parts);
}

void show_preview(const ApiClient& session, const Json& preview) {
  session.say(sentence_of(preview));
  for (const Json& group : preview["groups"]) {
    std::string line = fmt::format(
        "  {} of kind {} in queue {} ({} running)", group.value("n", std::int64_t{0}),
        group.value("kind", ""), group.value("queue", ""), group.value("running", std::int64_t{0}));
    if (group["host"].is_string()) line += ", to " + group["host"].get<std::string>();
    if (group["model"].is_string())
      line += fmt::format(", {}: {} + {} tokens so far", group["model"].get<std::string>(),
                          group.value("input_tokens", std::int64_t{0}),
                          group.value("output_tokens", std::int64_t{0}));
    if (group["cost"].is_number())
      line += fmt::format(", cost {:.4f}", group["cost"].get<double>());
    session.say(line);
  }
  if (preview.value("groups_are_cut", false)) session.say("  and more queues and kinds");
}

std::optional<Json> preview_of(ApiClient& session, const std::string& verb,
                               const std::string& filter) {
  auto answer = session.want("POST", "/api/v1/jobs/delete-preview",
                             Json{{"filter", filter}, {"verb", verb}}.dump());
  if (!answer) return std::nullopt;
  return std::move(answer->body);
}

std::string line_of(const Json& operation) {
  std::string line = operation.value("state", "");
  line += fmt::format(" · {} of {}", operation.value("done", std::int64_t{0}),
                      operation.value("total", std::int64_t{0}));
  for (const auto& [name, n] : operation["counts"].items())
    if (n.is_number_integer() && n.get<std::int64_t>() > 0 && name != "requested" &&
        name != "distinct")
      line += fmt::format(" · {} {}", name, n.get<std::int64_t>());
  return line;
}

std::int64_t count_in(const Json& operation, const char* name) {
  return operation["counts"].value(name, std::int64_t{0});
}

// Until it has ended, or is paused: that is a person's to lift.
std::optional<Json> follow(ApiClient& session, Json operation) {
  const std::string path =
      "/api/v1/operations/" + escape_query(operation.value("operation_id", ""));
  auto pause = first_look;
  for (;;) {
    const std::string state = operation.value("state", "");
    if (state == "done" || state == "stopped" || state == "paused") return operation;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, last_look);
    auto answer = session.want("GET", path);
    if (!answer) return std::nullopt;
    operation = std::move(answer->body);
  }
}

int exit_code_of(const Json& operation) {
  const std::string state = operation.value("state", "");
  if (state != "done" && state != "stopped") return pending_exit;
  if (count_in(operation, "pending") > 0) return pending_exit;
  return count_in(operation, "failed") > 0 || state == "stopped" ? failed_exit : 0;
}

int finish(const Arguments& args, const ApiClient& session, const Json& operation) {
  session.show(operation, "operation_id");
  session.say(line_of(operation));
  if (args.has("receipt") && !operation["receipt"].is_null()) {
    std::ofstream file(args.get("receipt"), std::ios::binary);
    if (!(file << operation["receipt"].dump(2) << '\n').flush())
      std::cerr << "quell: the receipt cannot be written to " << args.get("receipt") << '\n';
  }
  return exit_code_of(operation);
}

std::string body_of(const Arguments& args, const std::string& filter, const Json& preview,
                    const std::string& reason) {
  Json body{{"filter", filter},
            {"confirm_token", preview["confirm_token"]},
            {"expected_count", preview["total"]},
            {"reason", reason},
            {"confirm", true}};
  if (args.has("rate")) body["max_per_second"] = ordered_json_from_outside(args.get("rate"));
  return body.dump();
}

}  // namespace

int by_filter(const Arguments& args, const std::string& verb, const std::string& filter) {
  if (!args.words.empty())
    return fail_with(ErrorCode::usage, "give either ids or --filter, not both");
  const bool is_dry = args.has("dry-run");
  if (!is_dry && args.get("reason").empty())
    return fail_with(ErrorCode::usage, "--reason is needed with a filter");
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto preview = preview_of(*session, verb, filter);
  if (!preview) return session->exit_code();
  show_preview(*session, *preview);
  const std::int64_t total = preview->value("total", std::int64_t{0});
  if (is_dry) {
    session->show_rows((*preview)["sample"], {"job_id", "status", "queue", "kind"}, "job_id");
    session->say("dry run: nothing was done");
    return 0;
  }
  if (total == 0) {
    session->say("Nothing matches; nothing was done.");
    return 0;
  }
  if (const int refused = ask_for_matches(args, static_cast<std::size_t>(total), verb);
      refused != 0)
    return refused;
  auto started =
      session->want("POST", path_of(verb), body_of(args, filter, *preview, args.get("reason")));
  if (!started) return session->exit_code();
  if (started->body.value("dry_run", false)) {
    session->say("This server is in dry-run mode: nothing was done.");
    return 0;
  }
  session->say("Operation " + started->body.value("operation_id", "") +
               "; it goes on without this command. Follow it with: quell operations show " +
               started->body.value("operation_id", ""));
  if (args.has("detach")) {
    session->show(started->body, "operation_id");
    return pending_exit;
  }
  const auto ended = follow(*session, std::move(started->body));
  return ended ? finish(args, *session, *ended) : session->exit_code();
}

// As a delete by filter, but the number comes from an earlier look, and nobody is asked.
int purge(const Arguments& args) {
  const std::string& filter = args.words.at(0);
  const Json confirmed = ordered_json_from_outside(args.get("confirm"));
  if (!args.has("dry-run") && !confirmed.is_number_unsigned())
    return fail_with(ErrorCode::usage,
                     "look first with --dry-run, then give the number that matches as --confirm N");
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto preview = preview_of(*session, "delete", filter);
  if (!preview) return session->exit_code();
  const auto total = preview->value("total", std::uint64_t{0});
  if (args.has("dry-run")) {
    Json would{{"would_delete", total}, {"by_status", Json::object()}};
    for (const auto& [status, n] : (*preview)["counts"].items())
      if (n.is_number_integer() && n.get<std::int64_t>() > 0) would["by_status"][status] = n;
    session->show(would, "would_delete");
    session->say(fmt::format("dry run: nothing was deleted; to delete: --confirm {}", total));
    return 0;
  }
  if (total != confirmed.get<std::uint64_t>())
    return fail_with(ErrorCode::preview_stale,
                     fmt::format("{} jobs match, {} were confirmed; nothing was deleted", total,
                                 confirmed.get<std::uint64_t>()));
  const std::string reason = args.get("reason", "purge " + filter);
  auto started = session->want("POST", path_of("delete"), body_of(args, filter, *preview, reason));
  if (!started) return session->exit_code();
  if (started->body.value("dry_run", false)) {
    session->say("This server is in dry-run mode: nothing was deleted.");
    return 0;
  }
  const auto ended = follow(*session, std::move(started->body));
  if (!ended) return session->exit_code();
  Json told{{"operation_id", (*ended)["operation_id"]}};
  for (const char* name : {"deleted", "already_gone", "pending", "failed"})
    told[name] = count_in(*ended, name);
  session->show(told, "operation_id");
  return exit_code_of(*ended);
}

// One command at three in the morning: no new jobs, no new runs, and what is there goes.
int stop_queue(const Arguments& args) {
  const std::string queue = args.get("queue");
  if (queue.empty()) return fail_with(ErrorCode::usage, "--queue is needed");
  if (args.get("reason").empty()) return fail_with(ErrorCode::usage, "--reason is needed");
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  for (const char* act : {"close", "pause"})
    if (!session->want("POST", fmt::format("/api/v1/queues/{}/{}", escape_query(queue), act)))
      return session->exit_code();
  session->say(
      fmt::format("Queue {} is closed and paused; open it with: quell queue open {} and "
                  "quell queue resume {}",
                  queue, queue, queue));
  if (!args.has("delete")) return 0;
  std::string quoted = "\"";
  for (const char c : queue) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return by_filter(args, "delete",
                   "queue=" + quoted + "\" AND " + "status=running,queued,scheduled");
}

}  // namespace quell::cli
