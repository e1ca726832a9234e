#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/base/utf8.hpp"
#include "runtime/kinds/arguments.hpp"
#include "runtime/kinds/standard.hpp"
#include "runtime/kinds/text.hpp"

namespace quell {

namespace {

constexpr Millis exec_timeout{600'000}, exec_timeout_max{std::chrono::hours{24 * 7}};
constexpr std::size_t shown_out = std::size_t{1} << 20, shown_err = std::size_t{64} << 10;
constexpr std::size_t stderr_in_error = 2'000;
constexpr std::int64_t much = std::int64_t{1} << 40;

ExecLimits limits_of(Arguments& in) {
  const auto limit = [&](const char* name, std::int64_t most) {
    return static_cast<std::uint64_t>(in.integer(name, 0, 1, most));
  };
  ExecLimits limits;
  limits.memory_bytes = limit("memory_bytes", much);
  limits.cpu_seconds = limit("cpu_s", 1 << 30);
  limits.open_files = limit("open_files", 1 << 20);
  limits.processes = limit("processes", 1 << 20);
  return limits;
}

Result<ExecRequest> exec_request(const std::string& args) {
  Arguments in("exec", args);
  ExecRequest request(in.needed_texts("argv"));
  if (!request.argv().empty() && request.argv().front().empty())
    in.wrong("args.argv must begin with the program's name");
  for (const std::string& one : request.argv())
    if (one.find('\0') != std::string::npos) in.wrong("args.argv must not hold a zero byte");
  for (auto& [name, value] : in.text_pairs("env")) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos)
      in.wrong("args.env has a name or value that no environment can hold: " + as_utf8(name));
    request.env(name, value);
  }
  if (const auto* input = in.value("stdin"); input != nullptr)
    request.input(input->is_string() ? input->get<std::string>() : input->dump() + "\n");
  request.cwd(in.text("cwd", {}));
  request.timeout(in.seconds("timeout_s", exec_timeout, exec_timeout_max));
  request.limits(limits_of(in));
  if (auto fine = in.verdict(); !fine) return fine.error();
  return request;
}

// What a line of standard output says to us. Anything else a program prints is its own affair.
nlohmann::json object_in(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty() || (line.front() != '{' && line.front() != '[')) return nullptr;
  auto json = json_from_outside(line);
  return json.is_discarded() ? nlohmann::json() : json;
}

bool is_message(const nlohmann::json& line) {
  if (!line.is_object()) return false;
  const bool progress = line.contains("progress") && line["progress"].is_number();
  const bool phase = line.contains("phase") && line["phase"].is_string();
  return line.contains("partial") || progress || (phase && line.size() == 1);
}

void hear(JobContext& job, std::string_view line) {
  const nlohmann::json said = object_in(line);
  if (!is_message(said)) return;
  if (said.contains("partial")) job.partial(said["partial"].dump());
  const auto progress = said.find("progress");
  const auto phase = said.find("phase");
  const bool moved = progress != said.end() && progress->is_number();
  const bool named = phase != said.end() && phase->is_string();
  if (moved || named)
    job.progress(moved ? progress->get<double>() : 0.0,
                 named ? phase->get<std::string>() : std::string());
}

// The last line that is JSON and no message. It is looked for in the whole output, because the
// lines of a stream are cut at 64 KiB.
nlohmann::json answer_in(std::string_view out) {
  while (!out.empty()) {
    const std::size_t newline = out.rfind('\n');
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    auto json = object_in(out.substr(begin));
    if (!json.is_null() && !is_message(json)) return json;
    out = out.substr(0, newline == std::string_view::npos ? 0 : newline);
  }
  return nullptr;
}

std::string result_of(const ExecReply& reply) {
  const nlohmann::json answer = answer_in(reply.out());
  if (!answer.is_null()) return answer.dump();
  const std::string_view out = tail_of(reply.out(), shown_out);
  const std::string_view err = tail_of(reply.err(), shown_err);
  nlohmann::json plain{{"code", reply.code()}, {"out", as_utf8(out)}, {"err", as_utf8(err)}};
  if (reply.out().size() > out.size()) plain["out_cut"] = true;  // this is only its end
  if (reply.err().size() > err.size()) plain["err_cut"] = true;
  return plain.dump();
}

JobError failure_of(const ExecRequest& request, const ExecReply& reply) {
  std::string detail = as_utf8(request.argv().front());
  detail += reply.signal() != 0 ? fmt::format(" was ended by signal {}", reply.signal())
                                : fmt::format(" ended with exit code {}", reply.code());
  std::string_view err = tail_of(reply.err(), stderr_in_error);
  while (!err.empty() && (err.back() == '\n' || err.back() == ' ')) err.remove_suffix(1);
  if (!err.empty()) detail += ": " + as_utf8(err);
  return JobError("program-failed", std::move(detail));
}

Task exec(JobContext job) {
  Result<ExecRequest> read = exec_request(job.args_text());
  if (!read) throw JobError("invalid-field", read.error().detail, false);
  const ExecRequest request = std::move(read).value();
  ByteStream lines = job.open_exec(request);
  while (true) {
    std::optional<std::string> line = co_await lines.read();
    if (!line) break;
    hear(job, *line);
  }
  ExecReply reply = co_await lines.exit();
  if (!reply.ok()) throw failure_of(request, reply);
  co_return result_of(reply);
}

}  // namespace

Kind exec_kind() {
  Kind kind;
  kind.run = exec;
  kind.scope = "jobs:exec";
  kind.sentence =
      "Runs a program: JSON in on stdin, progress lines and a JSON result out on stdout.";
  kind.check = [](const std::string& args) -> Result<void> {
    auto request = exec_request(args);
    if (!request) return request.error();
    return {};
  };
  return kind;
}

}  // namespace quell
