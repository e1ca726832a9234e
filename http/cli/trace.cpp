// Where it went: the life of an id, what was deleted in a span of time, and the folder that proves
// it.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "http/api/views/csv.hpp"
#include "http/api/views/json_writer.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/exit_codes.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/clock.hpp"

namespace quell::cli {

namespace {

std::string text_at(const Json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool wants_table(const ApiClient& session, const Arguments& args) {
  return !args.has("json") &&
         (session.output() == Output::table || session.output() == Output::plain);
}

void show_reply(const ApiClient& session, const Arguments& args, const Json& reply,
                const char* id) {
  if (args.has("json"))
    std::cout << reply.dump(2) << '\n';
  else
    session.show(reply, id);
}

// "90s", "15m", "2h", "7d": so long ago; else a time. Nothing when it is neither.
std::optional<std::string> moment(const std::string& text) {
  std::int64_t n = 0;
  const char* end = text.data() + text.size();
  const auto [unit, fault] = std::from_chars(text.data(), end, n);
  if (fault == std::errc{} && unit + 1 == end && n >= 0 && n < 1'000'000'000) {
    const std::int64_t seconds = *unit == 's'   ? 1
                                 : *unit == 'm' ? 60
                                 : *unit == 'h' ? 3'600
                                 : *unit == 'd' ? 86'400
                                                : 0;
    if (seconds > 0)
      return http::time_text(system_clock().now() - std::chrono::seconds{n * seconds});
  }
  return http::parse_time(text) ? std::optional(text) : std::nullopt;
}

// False, and the fault is told, when a time is none.
bool read_span(const Arguments& args, Json& span, int& code) {
  for (const char* name : {"since", "until"}) {
    if (!args.has(name)) continue;
    const auto at = moment(args.get(name));
    if (!at) {
      code = fail_with(ErrorCode::usage,
                       fmt::format("--{} takes 90s, 15m, 2h, 7d or a time (RFC 3339)", name));
      return false;
    }
    span[name] = *at;
  }
  return true;
}

std::string csv_value(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.dump();
}

void print_csv(const std::string& by, const Json& lines, const std::vector<std::string>& columns) {
  for (const std::string& name : columns) std::cout << (name == "key" ? by : "," + name);
  std::cout << "\r\n";
  for (const Json& line : lines) {
    for (const std::string& name : columns) {
      const Json& value = line[name];
      if (name == "key")
        std::cout << http::csv_cell(value.get<std::string>());
      else
        std::cout << ',' << csv_value(value);
    }
    std::cout << "\r\n";
  }
}

void print_life(const Json& traced) {
  std::cout << text_at(traced, "id") << "  " << text_at(traced, "fate") << '\n'
            << text_at(traced, "sentence") << "\n\n";
  for (const Json& one : traced["life"]) {
    const std::string at = text_at(one, "at");
    std::cout << fmt::format("  {:<24}  {:<14}  ", at.empty() ? "-" : at, text_at(one, "what"))
              << text_at(one, "text") << '\n';
  }
  const Json& receipt = traced["receipt"];
  if (text_at(receipt, "state") != "none")
    std::cout << "\nreceipt: " << text_at(receipt, "state") << ", key "
              << text_at(receipt, "key_id") << '\n';
  for (const Json& one : traced["not_kept"])
    std::cout << "not kept: " << one.get<std::string>() << '\n';
  if (const std::string until = text_at(traced, "forgotten_until"); !until.empty())
    std::cout << "deletions until " << until << " may be forgotten\n";
}

// What another server names may not lead out of the folder.
bool is_plain_name(const std::string& name) {
  const bool fits =
      !name.empty() && name.front() != '/' && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ||
               c == '_' || c == '/';
      });
  return fits && name.find("..") == std::string::npos;
}

bool write_file(const std::filesystem::path& folder, const Json& file) {
  const std::string name = text_at(file, "name");
  if (!is_plain_name(name)) return false;
  std::string bytes = text_at(file, "content");
  if (text_at(file, "encoding") == "base64") {
    const auto raw = from_base64(bytes);
    if (!raw) return false;
    bytes = text_of(*raw);
  }
  std::error_code fault;
  std::filesystem::create_directories((folder / name).parent_path(), fault);
  std::ofstream out(folder / name, std::ios::binary);
  out << bytes;
  return out.flush().good();
}

}  // namespace

int trace(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer =
      session->want("GET", "/api/v1/jobs/" + escape_query(args.words.at(0)) + "/trace");
  if (!answer) return session->exit_code();
  if (wants_table(*session, args))
    print_life(answer->body);
  else
    show_reply(*session, args, answer->body, "id");
  return text_at(answer->body, "found_as") == "nothing" ? info(ErrorCode::job_not_found).exit_code
                                                        : 0;
}

int deletions_report(const Arguments& args) {
  int code = 0;
  Json span = Json::object();
  if (!read_span(args, span, code)) return code;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  std::string path = "/api/v1/deletions/report?by=" + escape_query(args.get("by", "who"));
  for (const auto& [name, at] : span.items())
    path += "&" + name + "=" + escape_query(at.get<std::string>());
  const auto answer = session->want("GET", path);
  if (!answer) return session->exit_code();
  const Json& report = answer->body;
  Json lines = report["lines"];
  Json total = report["total"];
  total["key"] = "(all)";
  total["spike"] = report["spike"];
  std::int64_t rows = 0;
  for (const Json& line : lines) rows += line.value("audit_rows", std::int64_t{0});
  total["audit_rows"] = rows;
  lines.push_back(std::move(total));
  const std::vector<std::string> columns{"key",          "calls",          "deleted", "dequeued",
                                         "runs_stopped", "finished_first", "at_rest", "unproven",
                                         "slots_freed",  "pending",        "spike",   "audit_rows"};
  if (args.has("csv")) {
    print_csv(text_at(report, "by"), lines, columns);
    return 0;
  }
  if (!wants_table(*session, args)) {
    show_reply(*session, args, report, "since");
    return 0;
  }
  session->show_rows(lines, columns, "key");
  for (const Json& alert : report["alerts"])
    session->say(fmt::format("spike: {} at {}, by {}", text_at(alert, "sentence"),
                             text_at(alert, "at"), text_at(alert, "who")));
  for (const Json& one : report["unproven_jobs"])
    session->say(fmt::format("unproven: {} ({}), delete {}", text_at(one, "job_id"),
                             text_at(one, "verdict"), text_at(one, "delete_id")));
  if (report.value("is_partial", false))
    session->say("More was deleted than one report counts: take a shorter span.");
  return 0;
}

int evidence(const Arguments& args) {
  int code = 0;
  Json span = Json::object();
  if (!read_span(args, span, code)) return code;
  const std::filesystem::path folder = args.words.at(0);
  std::error_code fault;
  if (std::filesystem::exists(folder, fault) && !std::filesystem::is_empty(folder, fault))
    return fail_with(ErrorCode::usage, "the folder is not empty: " + folder.string());
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want("POST", "/api/v1/evidence", span.dump());
  if (!answer) return session->exit_code();
  for (const Json& file : answer->body["files"])
    if (!write_file(folder, file))
      return fail_with(ErrorCode::internal,
                       "could not write " + text_at(file, "name") + " to " + folder.string());
  const Json& reply = answer->body;
  session->say(fmt::format("{}: {} audit rows, {} receipts; README.txt says how to check them",
                           folder.string(), reply.value("audit_rows", 0),
                           reply.value("receipts", 0)));
  if (reply.value("waiting_for_seal", 0) > 0)
    session->say(fmt::format("{} rows are too young to be sealed and are not in it",
                             reply.value("waiting_for_seal", 0)));
  if (!reply.value("chain_holds", false)) {
    session->say("The chain of the audit log does NOT hold: see `quell audit verify`.");
    return failed_exit;
  }
  return 0;
}

}  // namespace quell::cli
