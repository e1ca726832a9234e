// What every client verb needs: the server, the token, and where results and sentences go.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "http/cli/verbs.hpp"
#include "http/client/client.hpp"

namespace quell::cli {

using Json = nlohmann::ordered_json;

struct Answer {
  int status = 0;
  Json body;
  std::string text;
  std::map<std::string, std::string> headers;
  bool ok() const { return status >= 200 && status < 300; }
};

enum class Output : std::uint8_t { table, json, jsonl, yaml, id, plain };

class ApiClient {
 public:
  // Nothing, and the fault is told, when the options are wrong; `exit_code` says how to end.
  static std::optional<ApiClient> open(const Arguments& args, int& exit_code);

  // Nothing when nobody answers; the fault is told and exit_code() set.
  std::optional<Answer> ask(const std::string& method, const std::string& path,
                            const std::string& body = {});
  // ask(), and a problem told when the status is not 2xx.
  std::optional<Answer> want(const std::string& method, const std::string& path,
                             const std::string& body = {});
  void tell_problem(const Answer& answer);  // sets exit_code()
  int exit_code() const { return exit_code_; }
  void exit_code(int code) { exit_code_ = code; }

  Output output() const { return output_; }
  bool quiet() const { return quiet_; }
  void say(const std::string& sentence) const;  // to stderr, unless quiet
  // Writes `rows` (objects) as the output asks for; `columns` are for tables, `id` for -o id.
  void show_rows(const Json& rows, const std::vector<std::string>& columns,
                 const std::string& id) const;
  void show(const Json& object, const std::string& id) const;
  http::Client& client() { return client_; }

 private:
  explicit ApiClient(http::ClientOptions options) : client_(std::move(options)) {}
  http::Client client_;
  Output output_ = Output::table;
  bool quiet_ = false;
  int exit_code_ = 0;
};

// "JSON", "@FILE" or "-" for standard input.
std::optional<std::string> read_text_argument(const std::string& argument);
// Words, where "-" stands for lines of standard input.
std::vector<std::string> ids_of(const std::vector<std::string>& words);
// Text that others wrote, as a terminal may be shown it: control characters as \xNN.
std::string harmless(const std::string& text);
bool is_terminal();  // standard input and output both
std::string escape_query(const std::string& text);
int fail_with(ErrorCode code, const std::string& detail);  // tells it; its exit code

}  // namespace quell::cli
