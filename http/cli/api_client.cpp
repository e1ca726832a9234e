#include "http/cli/api_client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>

#include "http/cli/yaml.hpp"
#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/id.hpp"
#include "runtime/settings/settings.hpp"

namespace quell::cli {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string local_data_dir(const Arguments& args) {
  if (args.has("data-dir")) return args.get("data-dir");
  SettingSources sources;
  sources.environment = process_environment();
  const Result<Settings> settings = Settings::load(sources);
  return settings ? settings.value().values.data_dir : std::string{};
}

// Flags first, then the environment, then what a local server left in its data directory.
http::ClientOptions options_of(const Arguments& args) {
  http::ClientOptions options;
  const std::string dir = local_data_dir(args);
  options.url = args.get("url", args.has("data-dir") ? "" : environment("QUELL_URL"));
  if (options.url.empty()) options.url = first_line_of(dir + "/server.url");
  if (options.url.empty()) options.url = "http://127.0.0.1:8080";
  if (args.has("token-file")) {
    options.token = first_line_of(args.get("token-file"));
  } else if (const std::string file = environment("QUELL_TOKEN_FILE"); !file.empty()) {
    options.token = first_line_of(file);
  } else {
    options.token = args.has("data-dir") ? "" : environment("QUELL_TOKEN");
  }
  if (options.token.empty()) options.token = first_line_of(dir + "/admin.token");
  options.ca_file = args.get("ca-file");
  return options;
}

constexpr int most_tries = 3;

// The server, or a proxy before it, says that it did nothing and may be asked again.
bool passes_by_itself(const http::ClientReply& reply) {
  if (reply.status != 502 && reply.status != 503 && reply.status != 504) return false;
  const Json problem = ordered_json_of_ours(reply.body);
  return !problem.is_object() || problem.value("retryable", false);
}

// Not all at the same moment, when a server that was away comes back.
void pause_before_try(int tries) {
  std::random_device dice;
  const auto most = 400 * tries;
  std::this_thread::sleep_for(
      std::chrono::milliseconds{100 + static_cast<int>(dice() % static_cast<unsigned>(most))});
}

std::string cell(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return harmless(value.get<std::string>());
  return value.dump();
}

void print_table(const Json& rows, const std::vector<std::string>& columns, bool plain) {
  std::vector<std::vector<std::string>> cells{columns};
  for (const Json& row : rows) {
    auto& line = cells.emplace_back();
    for (const std::string& column : columns)
      line.push_back(row.contains(column) ? cell(row[column]) : "-");
  }
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& line : cells)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  bool head = true;
  for (const auto& line : cells) {
    if (std::exchange(head, false) && plain) continue;
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::cout << line[i];
      if (i + 1 == line.size()) continue;
      std::cout << (plain ? std::string{"\t"} : std::string(widths[i] - line[i].size() + 2, ' '));
    }
    std::cout << '\n';
  }
}

}  // namespace

std::string harmless(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      out += c;
    else
      out += fmt::format("\\x{:02x}", byte);
  }
  return out;
}

int fail_with(ErrorCode code, const std::string& detail) {
  std::cerr << "quell: " << info(code).sentence;
  if (!detail.empty()) std::cerr << " (" << detail << ")";
  std::cerr << '\n';
  return info(code).exit_code;
}

std::optional<ApiClient> ApiClient::open(const Arguments& args, int& exit_code) {
  http::ClientOptions options = options_of(args);
  if (args.has("timeout")) {
    const double seconds = std::atof(args.get("timeout").c_str());
    if (seconds <= 0) {
      exit_code = fail_with(ErrorCode::usage, "--timeout wants seconds");
      return std::nullopt;
    }
    options.timeout = Millis{static_cast<std::int64_t>(seconds * 1000)};
  }
  ApiClient session(std::move(options));
  session.quiet_ = args.has("quiet");
  const std::string output = args.get("output", args.has("plain") ? "plain" : "table");
  if (output == "json")
    session.output_ = Output::json;
  else if (output == "jsonl")
    session.output_ = Output::jsonl;
  else if (output == "yaml")
    session.output_ = Output::yaml;
  else if (output == "id")
    session.output_ = Output::id;
  else if (output == "plain")
    session.output_ = Output::plain;
  else if (output != "table") {
    exit_code = fail_with(ErrorCode::usage, "--output takes json, jsonl, yaml, table or id");
    return std::nullopt;
  }
  return session;
}

std::optional<Answer> ApiClient::ask(const std::string& method, const std::string& path,
                                     const std::string& body) {
  // Under one key, so that what is repeated, here or by a proxy, is one job, or one schedule.
  std::vector<std::pair<std::string, std::string>> headers;
  if (method == "POST" &&
      (path == "/api/v1/jobs" || path == "/api/v1/jobs/bulk-submit" || path == "/api/v1/schedules"))
    headers.emplace_back("Idempotency-Key", IdSource(system_clock()).next().text());
  Result<http::ClientReply> reply = client_.send(method, path, body, headers);
  for (int tries = 1; tries < most_tries && reply && passes_by_itself(*reply); ++tries) {
    pause_before_try(tries);
    reply = client_.send(method, path, body, headers);
  }
  if (!reply) {
    exit_code_ = fail_with(reply.error().code, reply.error().detail);
    return std::nullopt;
  }
  Answer answer;
  answer.status = reply->status;
  answer.text = std::move(reply->body);
  answer.headers = std::move(reply->headers);
  answer.body = ordered_json_of_ours(answer.text);
  return answer;
}

std::optional<Answer> ApiClient::want(const std::string& method, const std::string& path,
                                      const std::string& body) {
  std::optional<Answer> answer = ask(method, path, body);
  if (!answer || answer->ok()) return answer;
  tell_problem(*answer);
  return std::nullopt;
}

void ApiClient::tell_problem(const Answer& answer) {
  exit_code_ = 1;
  if (!answer.body.is_object()) {
    std::cerr << "quell: the server answered " << answer.status << '\n';
    return;
  }
  const std::string code = answer.body.value("code", "");
#define QUELL_ERROR(name, wire, status, exit, retryable, sentence) \
  if (code == wire) exit_code_ = exit;
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
  std::cerr << "quell: " << answer.body.value("title", "the call was refused");
  if (answer.body.contains("detail")) std::cerr << " (" << cell(answer.body["detail"]) << ")";
  std::cerr << '\n';
}

void ApiClient::say(const std::string& sentence) const {
  if (!quiet_) std::cerr << sentence << '\n';
}

void ApiClient::show_rows(const Json& rows, const std::vector<std::string>& columns,
                          const std::string& id) const {
  switch (output_) {
    case Output::json:
      std::cout << rows.dump(2) << '\n';
      return;
    case Output::jsonl:
      for (const Json& row : rows) std::cout << row.dump() << '\n';
      return;
    case Output::yaml:
      std::cout << yaml_of(rows);
      return;
    case Output::id:
      for (const Json& row : rows) std::cout << cell(row.value(id, Json())) << '\n';
      return;
    default:
      print_table(rows, columns, output_ == Output::plain);
  }
}

void ApiClient::show(const Json& object, const std::string& id) const {
  if (output_ == Output::json || output_ == Output::jsonl) {
    std::cout << object.dump(output_ == Output::json ? 2 : -1) << '\n';
  } else if (output_ == Output::yaml) {
    std::cout << yaml_of(object);
  } else if (output_ == Output::id) {
    std::cout << cell(object.value(id, Json())) << '\n';
  } else {
    std::size_t width = 0;
    for (const auto& [name, value] : object.items()) width = std::max(width, name.size());
    for (const auto& [name, value] : object.items())
      std::cout << name
                << (output_ == Output::plain ? std::string{"\t"}
                                             : std::string(width - name.size() + 2, ' '))
                << cell(value) << '\n';
  }
}

std::optional<std::string> read_text_argument(const std::string& argument) {
  if (argument.empty() || (argument.front() != '@' && argument != "-")) return argument;
  std::ostringstream text;
  if (argument == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream file(argument.substr(1), std::ios::binary);
  if (!file) return std::nullopt;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> ids_of(const std::vector<std::string>& words) {
  std::vector<std::string> ids;
  for (const std::string& word : words) {
    if (word != "-") {
      ids.push_back(word);
      continue;
    }
    for (std::string line; std::cin >> line;) ids.push_back(line);
  }
  return ids;
}

bool is_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

std::string escape_query(const std::string& text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace quell::cli
