// `quell delete`: the one verb whose answer has to be believed, so it tells what is proven and what
// not.
#include <fmt/format.h>

#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "http/api/longest_wait.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/by_filter.hpp"
#include "http/cli/confirm.hpp"
#include "http/cli/exit_codes.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

namespace quell::cli {

namespace {

constexpr std::size_t ids_a_call = 1'000;

struct Totals {
  std::map<std::string, std::int64_t> counts;
  std::string pending_delete_id;
};

std::int64_t count(const Totals& totals, const char* name) {
  const auto found = totals.counts.find(name);
  return found == totals.counts.end() ? 0 : found->second;
}

// One line that says what changed.
std::string line_of(const Totals& totals) {
  std::string line =
      fmt::format("deleted {} · killed {} · dequeued {} · slots freed {}", count(totals, "deleted"),
                  count(totals, "killed"), count(totals, "dequeued"), count(totals, "slots_freed"));
  for (const auto& [name, shown] :
       {std::pair{"finished_first", "finished first"}, std::pair{"at_rest", "at rest"},
        std::pair{"unproven", "unproven"}})
    if (count(totals, name) > 0) line += fmt::format(" · {} {}", shown, count(totals, name));
  line += fmt::format(" · already gone {}", count(totals, "already_gone"));
  if (count(totals, "pending") > 0) line += fmt::format(" · pending {}", count(totals, "pending"));
  return line + fmt::format(" · failed {}", count(totals, "failed"));
}

void on_interrupt(int) {
  // Only what is safe in a signal handler.
  static constexpr char text[] =
      "\nThe delete goes on at the server; follow it with: quell deletions list --pending\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  _exit(interrupted_exit);
}

std::string body_of(const Arguments& args, const std::vector<std::string>& ids, double wait) {
  Json body{{"job_ids", ids}, {"wait", wait}, {"confirm", true}};
  if (args.has("reason")) body["reason"] = args.get("reason");
  if (args.has("dry-run")) body["validate_only"] = true;
  if (args.has("keep-copy"))
    body["archive_days"] = ordered_json_from_outside(args.get("keep-copy"));
  return body.dump();
}

bool add_up(Totals& totals, const Json& reply) {
  if (!reply.is_object() || !reply.contains("counts")) return false;
  for (const auto& [name, n] : reply["counts"].items())
    if (n.is_number_integer()) totals.counts[name] += n.get<std::int64_t>();
  if (reply.contains("operation")) totals.pending_delete_id = reply.value("delete_id", "");
  return true;
}

// A 202 is asked again until it is final or the time is up: the first call's ticket is joined.
std::optional<Answer> ask_to_delete(ApiClient& session, const Arguments& args,
                                    const std::vector<std::string>& ids, double wait) {
  std::optional<Answer> answer;
  double left = wait;
  do {
    const double this_wait = std::min(left, http::longest_wait_s);
    left -= http::longest_wait_s;
    if (!answer) {
      answer = session.want("POST", "/api/v1/jobs/bulk-delete?proof=full",
                            body_of(args, ids, this_wait));
    } else {
      const std::string id = answer->body.value("delete_id", "");
      auto again = session.want("POST", fmt::format("/api/v1/deletions/{}/retry?wait={}", id,
                                                    static_cast<int>(this_wait)));
      if (!again) return answer;
      answer = std::move(again);
    }
  } while (answer && answer->status == 202 && left > 0);
  return answer;
}

void write_receipt(const std::string& path, const Json& receipts) {
  std::ofstream file(path, std::ios::binary);
  const Json& one = receipts.size() == 1 ? receipts[0] : receipts;
  if (!(file << one.dump(2) << '\n').flush())
    std::cerr << "quell: the receipt cannot be written to " << path << '\n';
}

// How to take it back, when that is possible.
std::vector<std::string> undo_hints(const Json& outcomes, const std::vector<std::string>& calls) {
  const auto kept = std::find_if(outcomes.begin(), outcomes.end(),
                                 [](const Json& one) { return one.contains("copy_kept_until"); });
  std::vector<std::string> lines;
  if (kept == outcomes.end()) return lines;
  for (const std::string& call : calls)
    lines.push_back("A copy is kept until " + kept->value("copy_kept_until", "") +
                    "; take it back with: quell undo " + call);
  return lines;
}

int exit_of(const Totals& totals, const Json& outcomes, bool dry_run) {
  if (count(totals, "pending") > 0) return pending_exit;
  if (count(totals, "failed") > 0) return failed_exit;
  if (dry_run) return 0;
  // A single id that nobody ever saw is most likely a mistyped one.
  if (outcomes.size() == 1 && outcomes[0].value("outcome", "") == "not_found")
    return info(ErrorCode::job_not_found).exit_code;
  return 0;
}

}  // namespace

int erase(const Arguments& args) {
  if (args.has("filter")) return by_filter(args, "delete", args.get("filter"));
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const std::vector<std::string> ids = ids_of(args.words);
  if (const int refused = ask_for(args, ids.size(), "delete"); refused != 0) return refused;
  std::signal(SIGINT, &on_interrupt);
  const double wait = args.has("wait") ? std::atof(args.get("wait").c_str()) : 5;
  Totals totals;
  Json outcomes = Json::array();
  Json receipts = Json::array();
  std::vector<std::string> calls;
  for (std::size_t begin = 0; begin < ids.size(); begin += ids_a_call) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last =
        ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), begin + ids_a_call));
    const auto answer = ask_to_delete(*session, args, {first, last}, wait);
    if (!answer || !add_up(totals, answer->body)) return std::max(session->exit_code(), 1);
    for (const Json& outcome : answer->body["outcomes"]) outcomes.push_back(outcome);
    if (!args.has("dry-run")) calls.push_back(answer->body.value("delete_id", ""));
    if (!answer->body["receipt"].is_null()) receipts.push_back(answer->body["receipt"]);
  }
  if (args.has("receipt")) write_receipt(args.get("receipt"), receipts);
  session->show_rows(outcomes, {"job_id", "outcome", "was", "verdict"}, "job_id");
  if (args.has("dry-run"))
    session->say(fmt::format("dry run: {} would be deleted; nothing was", outcomes.size()));
  else
    session->say(line_of(totals));
  for (const std::string& undo : undo_hints(outcomes, calls)) session->say(undo);
  if (!totals.pending_delete_id.empty() && count(totals, "pending") > 0)
    session->say("Still being deleted; follow with: quell deletions show " +
                 totals.pending_delete_id);
  return exit_of(totals, outcomes, args.has("dry-run"));
}

}  // namespace quell::cli
