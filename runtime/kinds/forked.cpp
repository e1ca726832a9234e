#include "runtime/kinds/forked.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/base/utf8.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
constexpr Millis longest_run{std::chrono::hours{24 * 7}};
constexpr std::size_t given_max = 10'000;  // times that are kept for jobs that wait

std::string new_mark() {
  Digest chance{};
  fill_random(chance);
  return "\x1e" + base64url(chance) + " ";
}

void take_text(const Json& said, const char* name, std::string& into) {
  if (said.contains(name) && said[name].is_string()) into = said[name].get<std::string>();
}
void take_number(const Json& said, const char* name, std::optional<double>& into) {
  if (said.contains(name) && said[name].is_number()) into = said[name].get<double>();
}
void take_flag(const Json& said, const char* name, bool& into) {
  if (said.contains(name) && said[name].is_boolean()) into = said[name].get<bool>();
}

void hear_progress(JobContext& job, const Json& said) {
  std::optional<double> fraction;
  std::string phase;
  take_number(said, "progress", fraction);
  take_text(said, "phase", phase);
  if (fraction || !phase.empty()) job.progress(fraction.value_or(0), phase);
  if (said.contains("partial")) job.partial(said["partial"].dump());
}

// Lines that begin with the attempt's mark are the process's own words; all others are the task's
// output.
void hear_process(JobContext& job, const std::string& mark, const std::string& line,
                  ForkedWords& words) {
  if (line.compare(0, mark.size(), mark) != 0) return job.log(as_utf8(line));
  const Json said = json_from_outside(std::string_view(line).substr(mark.size()));
  if (!said.is_object()) return;
  if (said.contains("log") && said["log"].is_string()) {
    std::string level = "info";
    take_text(said, "level", level);
    return job.log(said["log"].get<std::string>(), level);
  }
  hear_progress(job, said);
  take_number(said, "limit", words.limit);
  take_number(said, "rate", words.rate);
  take_number(said, "after", words.after);
  take_text(said, "state", words.state);
  take_text(said, "error", words.error);
  take_text(said, "code", words.code);
  take_flag(said, "retry", words.retries);
  take_flag(said, "rejects", words.rejects);
  if (said.contains("result") && said["result"].is_string())
    words.result += said["result"].get<std::string>();
}

ExecRequest request_for(const ForkedApp& app, const Json& spec) {
  ExecRequest request({app.python, "-c", fork_server_source(), "--celery", app.celery, "--python",
                       app.modules, "--ahead", std::to_string(app.forks_ahead)});
  request.env(fork_server_variable, fork_server_word());
  for (const auto& [name, value] : app.environment) request.env(name, value);
  request.cwd(app.directory);
  request.timeout(longest_run);
  request.input(spec.dump(-1, ' ', false, Json::error_handler_t::replace));
  return request;
}

}  // namespace

void TaskRates::set(const std::string& task, double per_second) {
  const std::lock_guard lock(mutex_);
  rates_[task].apart = Millis{static_cast<std::int64_t>(1000 / std::max(per_second, 1e-6))};
}

bool TaskRates::knows(const std::string& task) const {
  const std::lock_guard lock(mutex_);
  return rates_.contains(task);
}

std::optional<Millis> TaskRates::wait_of(const std::string& task, const JobId& job, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = rates_.find(task);
  if (found == rates_.end()) return std::nullopt;
  Rate& rate = found->second;
  const auto given = rate.given.find(job);
  if (given != rate.given.end() && given->second <= now) {
    rate.given.erase(given);
    return std::nullopt;
  }
  if (given != rate.given.end()) return given->second - now;
  const Instant at = std::max(rate.next, now);
  rate.next = at + rate.apart;
  if (at <= now) return std::nullopt;
  if (rate.given.size() < given_max) rate.given.emplace(job, at);
  return at - now;
}

std::string Forked::how_it_was_lost() const {
  if (!words.state.empty()) return {};
  if (!not_forked.empty()) return not_forked;
  return reply.signal() != 0 ? fmt::format("signal {}", reply.signal())
                             : fmt::format("exit code {}", reply.code());
}

Async<Forked> run_forked(JobContext job, ForkedAppPtr app, std::string body, Json spec) {
  const std::string mark = new_mark();
  spec["mark"] = mark;
  spec["body"] = body;
  const ExecRequest request = request_for(*app, spec);
  ByteStream lines = job.open_exec(request);
  Forked ended;
  try {
    while (true) {
      std::optional<std::string> line = co_await lines.read();
      if (!line) break;
      hear_process(job, mark, *line, ended.words);
    }
    ended.reply = co_await lines.exit();
  } catch (const JobError& fault) {
    if (fault.code() != info(ErrorCode::invalid_field).wire) throw;
    ended.not_forked = fault.detail();
  }
  co_return ended;
}

const std::string& fork_server_word() {
  static const std::string word = [] {
    Digest chance{};
    fill_random(chance);
    return base64url(chance);
  }();
  return word;
}

}  // namespace quell
