// What was deleted: its copies, bringing it back, proving that it is gone, and what goes by its
// age.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>

#include "http/api/views/json_writer.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/calls.hpp"
#include "http/cli/confirm.hpp"
#include "http/cli/exit_codes.hpp"
#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/base/clock.hpp"

namespace quell::cli {

namespace {

constexpr std::size_t restored_a_call = 1'000;

Json restore_options(const Arguments& args) {
  return Json{{"rerun", args.has("rerun")}, {"drop_key", args.has("drop-key")}};
}

int tell_restored(const ApiClient& session, const Json& outcomes, std::int64_t restored,
                  std::int64_t failed) {
  session.show_rows(outcomes, {"job_id", "outcome", "was", "status", "epoch"}, "job_id");
  session.say(fmt::format("restored {} · failed {}", restored, failed));
  return failed > 0 ? failed_exit : 0;
}

std::optional<std::uint64_t> whole_number(const std::string& text) {
  const Json value = ordered_json_from_outside(text);
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

int restore_matches(ApiClient& session, const Arguments& args) {
  if (!args.words.empty())
    return fail_with(ErrorCode::usage, "give either ids or --filter, not both");
  Json body{{"filter", args.get("filter")}, {"validate_only", true}};
  const auto seen = session.want("POST", "/api/v1/archive/restore", body.dump());
  if (!seen) return session.exit_code();
  const auto matching = seen->body.value("asked", std::size_t{0});
  if (args.has("dry-run")) {
    session.show(Json{{"would_restore", matching}}, "would_restore");
    session.say(fmt::format("dry run: nothing was restored; to restore: --confirm {}", matching));
    return 0;
  }
  if (matching == 0) {
    session.say("No copy matches; nothing was done.");
    return 0;
  }
  if (const int refused = ask_for_matches(args, matching, "restore"); refused != 0) return refused;
  body = restore_options(args);
  body["filter"] = args.get("filter");
  body["expected_count"] = matching;
  const auto answer = session.want("POST", "/api/v1/archive/restore", body.dump());
  if (!answer) return session.exit_code();
  return tell_restored(session, answer->body["outcomes"], answer->body.value("restored", 0),
                       answer->body.value("failed", 0));
}

}  // namespace

int archive_list(const Arguments& args) {
  const std::size_t most = rows_wanted(args);
  std::string path =
      "/api/v1/archive?page_size=" + std::to_string(std::min<std::size_t>(most, 500));
  if (!args.words.empty()) path += "&filter=" + escape_query(args.words.front());
  if (args.has("delete-id")) path += "&delete_id=" + escape_query(args.get("delete-id"));
  return list_pages(args, path, "copies",
                    {"job_id", "was", "queue", "kind", "deleted_at", "copy_kept_until"}, most);
}

int archive_show(const Arguments& args) {
  return show_call(args, "GET", "/api/v1/archive/" + escape_query(args.words.at(0)), "job_id");
}

int archive_restore(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  if (args.has("filter")) return restore_matches(*session, args);
  const std::vector<std::string> ids = ids_of(args.words);
  if (const int refused = ask_for(args, ids.size(), "restore"); refused != 0) return refused;
  Json outcomes = Json::array();
  std::int64_t restored = 0, failed = 0;
  for (std::size_t begin = 0; begin < ids.size(); begin += restored_a_call) {
    Json body = restore_options(args);
    body["job_ids"] = Json::array();
    for (std::size_t i = begin; i < std::min(ids.size(), begin + restored_a_call); ++i)
      body["job_ids"].push_back(ids[i]);
    const auto answer = session->want("POST", "/api/v1/archive/restore", body.dump());
    if (!answer) return session->exit_code();
    for (const Json& outcome : answer->body["outcomes"]) outcomes.push_back(outcome);
    restored += answer->body.value("restored", 0);
    failed += answer->body.value("failed", 0);
  }
  return tell_restored(*session, outcomes, restored, failed);
}

int undo(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer =
      session->want("POST", "/api/v1/deletions/" + escape_query(args.words.at(0)) + "/undo",
                    restore_options(args).dump());
  if (!answer) return session->exit_code();
  return tell_restored(*session, answer->body["outcomes"], answer->body.value("restored", 0),
                       answer->body.value("failed", 0));
}

int verify(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  Json body = Json::object();
  if (!args.words.empty()) body["job_ids"] = ids_of(args.words);
  if (args.has("deletion")) body["delete_id"] = args.get("deletion");
  if (args.has("receipt")) {
    std::ifstream file(args.get("receipt"), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    body["receipt"] = ordered_json_from_outside(text);
    if (!body["receipt"].is_object())
      return fail_with(ErrorCode::usage, "the file holds no receipt: " + args.get("receipt"));
  }
  if (body.empty())
    return fail_with(ErrorCode::usage, "say which jobs: ids, --deletion ID or --receipt FILE");
  const auto answer = session->want("POST", "/api/v1/verify", body.dump());
  if (!answer) return session->exit_code();
  session->show(answer->body, "holds");
  for (const Json& one : answer->body["left"])
    session->say(fmt::format("left: {} row(s) of {} in {}.{}", one.value("rows", 0),
                             one.value("job_id", ""), one.value("table", ""),
                             one.value("column", "")));
  for (const Json& one : answer->body["runs"])
    session->say(fmt::format("still runs: {} on worker {}", one.value("job_id", ""),
                             one.value("worker_id", "")));
  for (const Json& id : answer->body["workers_silent"])
    session->say("no word from worker " + id.get<std::string>() +
                 ": what it runs is not known; try again, or look with: quell worker list");
  for (const Json& id : answer->body["unknown"])
    session->say("never seen here, or forgotten: " + id.get<std::string>());
  const bool holds = answer->body.value("holds", false);
  session->say(holds ? fmt::format("gone: {} of {}", answer->body.value("checked", 0),
                                   answer->body.value("checked", 0))
                     : "NOT proven gone: see above");
  return holds ? 0 : failed_exit;
}

int retention_report(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want("GET", "/api/v1/retention");
  if (!answer) return session->exit_code();
  if (session->output() == Output::table || session->output() == Output::plain) {
    Json rows = answer->body["records"];
    for (const char* what : {"results", "copies"}) {
      Json row = answer->body[what];
      row["queue"] = "";
      row["status"] = what;
      rows.push_back(std::move(row));
    }
    session->show_rows(rows, {"queue", "status", "due", "within_a_day", "within_a_week", "later"},
                       "queue");
  } else {
    session->show(answer->body, "as_of");
  }
  const Json& sweep = answer->body["sweep"];
  session->say(sweep.value("on", false)
                   ? fmt::format("the sweep is on: each {} s, at most {} jobs",
                                 sweep.value("every_s", 0), sweep.value("most", 0))
                   : "the sweep is off: nothing goes by itself but copies at their end");
  return 0;
}

int retention_run(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  Json body{{"confirm", true}};
  if (args.has("dry-run")) body["validate_only"] = true;
  if (args.has("confirm")) {
    const auto count = whole_number(args.get("confirm"));
    if (!count) return fail_with(ErrorCode::usage, "--confirm wants a number");
    body["confirm_count"] = *count;
  }
  const auto answer = session->want("POST", "/api/v1/retention/run", body.dump());
  if (!answer) return session->exit_code();
  session->show(answer->body, "deleted");
  if (answer->body.value("confirmation_needed", false))
    session->say("More is due than a run takes on its own; take it with --confirm N.");
  if (!answer->body.value("complete", false)) {
    session->say("It goes on at the server.");
    return pending_exit;
  }
  return answer->body.value("failed", 0) > 0 ? failed_exit : 0;
}

}  // namespace quell::cli
