#include "runtime/kinds/celery.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/base/utf8.hpp"
#include "runtime/celery/message.hpp"
#include "runtime/celery/result_meta.hpp"
#include "runtime/settings/settings.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
using BodyPtr = std::shared_ptr<const CeleryBody>;
namespace fault = celery::fault;
constexpr Millis longest_run{std::chrono::hours{24 * 7}};
constexpr int out_of_time = 9;  // the signal by which it does

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Async<RememberedSteps> steps_of(JobContext job) {
  auto slot = job.host().begin(StepLoadRequest{});
  EffectAnswer answer = co_await detail::SlotAwaiter(job.host(), slot);
  co_return std::get<RememberedSteps>(std::move(answer));
}

std::optional<std::string> find_step(const RememberedSteps& steps, std::string_view name) {
  for (const auto& [known, result] : steps)
    if (known == name) return result;
  return std::nullopt;
}

Async<void> save_step(JobContext job, const char* name, std::string value) {
  StepSaveRequest request{name, std::move(value)};
  auto slot = job.host().begin(std::move(request));
  co_await detail::SlotAwaiter(job.host(), slot);
}

// What the task's process says of itself: how it ended, and what limit it runs under.
struct Words {
  std::string state, error;
  std::optional<double> limit = {};
};

// Lines that begin with the attempt's mark are the process's own words; all others are the task's
// output.
void hear(JobContext& job, const std::string& mark, const std::string& line, Words& words) {
  if (line.compare(0, mark.size(), mark) != 0) return job.log(as_utf8(line));
  const Json said = json_from_outside(std::string_view(line).substr(mark.size()));
  if (!said.is_object()) return;
  if (said.contains("limit") && said["limit"].is_number())
    words.limit = said["limit"].get<double>();
  if (said.contains("state") && said["state"].is_string()) {
    words.state = said["state"].get<std::string>();
    words.error = said.value("error", "");
  }
}

ExecRequest request_for(const CeleryBody& body, const std::string& envelope,
                        const std::string& mark, const std::string& token) {
  ExecRequest request({body.python, "-c", celery_fork_server_source(), body.app});
  request.env(fork_server_variable, fork_server_word());
  for (const auto& [name, value] : body.environment) request.env(name, value);
  request.cwd(body.directory);
  request.timeout(longest_run);
  request.input(
      dumped(Json{{"message", json_of_ours(envelope)},
                  {"mark", mark},
                  {"url", "redis://attempt:" + token + "@" + body.attempts->door() + "/0"}}));
  return request;
}

std::string new_mark() {
  Digest chance{};
  fill_random(chance);
  return "\x1e" + base64url(chance) + " ";
}

// The task's value for the job's page; clients read the record itself.
std::string value_in(const std::optional<std::string>& meta) {
  if (!meta) return "null";
  const Json json = json_of_ours(*meta);
  return json.is_object() && json.contains("result") ? dumped(json["result"]) : "null";
}

// Celery sends a task that retries, or replaces itself, as a new message with the same id. Here it
// is a move of the same job: the door has kept the message with it.
[[noreturn]] void run_again(const RememberedSteps& steps, const std::string& why) {
  const auto envelope = find_step(steps, celery::step::message);
  const auto message = celery::read_message(envelope.value_or(std::string()));
  if (!message) throw JobError(fault::lost, "The retry's message was not kept.", false);
  const Millis wait = message->eta ? *message->eta - system_clock().now() : Millis{0};
  throw JobError(fault::retry, why, true, std::max(wait, Millis{0}));
}

JobError lost_process(const ExecReply& reply, const Words& words) {
  if (reply.signal() == out_of_time && words.limit)
    return JobError(fault::time_limit, fmt::format("TimeLimitExceeded({})", *words.limit), false);
  const std::string how = reply.signal() != 0 ? fmt::format("signal {}", reply.signal())
                                              : fmt::format("exit code {}", reply.code());
  return JobError(fault::lost, "Worker exited prematurely: " + how + ".", false);
}

struct Ended {
  ExecReply reply;
  Words words;
};

Async<Ended> run_process(JobContext job, BodyPtr body, std::string envelope, celery::Attempt who) {
  const celery::AttemptToken token(body->attempts, std::move(who));
  const std::string mark = new_mark();
  const ExecRequest request = request_for(*body, envelope, mark, token.text());
  ByteStream lines = job.open_exec(request);
  Ended ended;
  while (true) {
    std::optional<std::string> line = co_await lines.read();
    if (!line) break;
    hear(job, mark, *line, ended.words);
  }
  ended.reply = co_await lines.exit();
  co_return ended;
}

Result<celery::Message> begin_of(const std::optional<std::string>& envelope) {
  if (!envelope)
    return Error{ErrorCode::invalid_field, "args.message must be a message of Celery."};
  return celery::read_message(*envelope);
}

Task celery_task(JobContext job, BodyPtr body) {
  RememberedSteps steps;
  if (job.host().has_steps()) steps = co_await steps_of(job);
  std::optional<std::string> envelope = find_step(steps, celery::step::message);
  if (!envelope) envelope = celery::envelope_of(job.args_text());
  const Result<celery::Message> message = begin_of(envelope);
  if (!message) throw JobError("invalid-field", message.error().detail, false);
  if (message->expires && *message->expires <= system_clock().now())
    throw JobError(fault::expired, "The task expired before it began.", false);
  // Celery acknowledges a message when its task begins: what was lost then is not run again.
  if (find_step(steps, celery::step::run) == "running")
    throw JobError(fault::lost, "The task was running when its node was lost.", false);
  co_await save_step(job, celery::step::run, "running");

  celery::Attempt who;
  who.job = job.id();
  who.project = job.host().project();
  who.id = message->id;
  Ended ended = co_await run_process(job, body, *envelope, who);

  const std::string& state = ended.words.state;
  if (state.empty()) throw lost_process(ended.reply, ended.words);
  if (state == "FAILURE") throw JobError(fault::failure, ended.words.error, false);
  steps = co_await steps_of(job);
  const bool again = find_step(steps, celery::step::run) == "retried";
  if (again) run_again(steps, ended.words.error.empty() ? "It is run again." : ended.words.error);
  if (state == "RETRY") throw JobError(fault::lost, "It asked for a retry but sent none.", false);
  co_return value_in(find_step(steps, celery::step::meta));
}

}  // namespace

const std::string& fork_server_word() {
  static const std::string word = [] {
    Digest chance{};
    fill_random(chance);
    return base64url(chance);
  }();
  return word;
}

Kind celery_kind(std::shared_ptr<const CeleryBody> body) {
  Kind kind;
  kind.run = [body = std::move(body)](JobContext job) { return celery_task(job, body); };
  kind.scope = "jobs:write";
  kind.sentence = "Runs one task of a Celery app in a process of its own.";
  kind.check = [](const std::string& args) -> Result<void> {
    auto message = begin_of(celery::envelope_of(args));
    if (!message) return message.error();
    return {};
  };
  return kind;
}

}  // namespace quell
