// Client verbs about what the sentinel keeps.
#include <fmt/format.h>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "runtime/base/error.hpp"

namespace quell::cli {

int snapshots_list(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::string limit =
      args.has("limit") ? "?limit=" + escape_query(args.get("limit")) : std::string{};
  const auto answer = session->want("GET", "/api/v1/snapshots" + limit);
  if (!answer) return session->exit_code();
  session->show_rows(answer->body["snapshots"],
                     {"snapshot", "jobs", "added", "removed", "changed", "lost", "store_bytes",
                      "waiting_s", "held_s", "above"},
                     "snapshot");
  return 0;
}

int snapshots_diff(const Arguments& args) {
  if (args.words.size() > 2) return fail_with(ErrorCode::usage, "it takes two snapshots at most");
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  std::string path = "/api/v1/snapshots/diff";
  if (!args.words.empty()) path += "?from=" + escape_query(args.words.at(0));
  if (args.words.size() > 1) path += "&to=" + escape_query(args.words.at(1));
  const auto answer = session->want("GET", path);
  if (!answer) return session->exit_code();
  const Json& diff = answer->body;
  if (session->output() != Output::table) {
    session->show(diff, "to");
    return 0;
  }
  session->say(fmt::format("from {} to {}: {} jobs, then {}; {} went without a tombstone",
                           diff.value("from", ""), diff.value("to", ""),
                           diff.value("jobs_before", 0L), diff.value("jobs_after", 0L),
                           diff.value("lost", 0L)));
  session->show_rows(diff["counts"], {"queue", "status", "before", "after"}, "queue");
  session->show_rows(diff["ranges"],
                     {"from_id", "to_id", "rows_before", "rows_after", "tombstones_before",
                      "tombstones_after", "lost"},
                     "from_id");
  return 0;
}

}  // namespace quell::cli
