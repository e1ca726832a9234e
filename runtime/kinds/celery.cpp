#include "runtime/kinds/celery.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/celery/message.hpp"
#include "runtime/celery/result_meta.hpp"

namespace quell {

namespace {

using Json = nlohmann::json;
namespace fault = celery::fault;
namespace step = celery::step;
constexpr int out_of_time = 9;    // the signal by which it does
constexpr int rejected_most = 3;  // times that a task whose process dies is run again

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

JobError lost_process(const Forked& ended) {
  const ForkedWords& words = ended.words;
  if (ended.reply.signal() == out_of_time && words.limit)
    return JobError(fault::time_limit, fmt::format("TimeLimitExceeded({})", *words.limit), false);
  return JobError(fault::lost, "Worker exited prematurely: " + ended.how_it_was_lost() + ".",
                  false);
}

Result<celery::Message> begin_of(const std::optional<std::string>& envelope) {
  if (!envelope)
    return Error{ErrorCode::invalid_field, "args.message must be a message of Celery."};
  return celery::read_message(*envelope);
}

// Throws for a task whose time has not come: it waits as a scheduled job, and holds no slot. Else
// it says whether the task was given its time: where nobody has told the rate yet, its process is
// asked, even if another one tells it meanwhile.
bool keep_to_rate(const JobContext& job, const ForkedApp& app, const std::string& task) {
  const bool is_known = app.rates->knows(task);
  const auto wait = app.rates->wait_of(task, job.id(), system_clock().now());
  if (wait) throw JobError(fault::rated, "It waits for its rate_limit.", true, *wait);
  return is_known;
}

// Celery acknowledges a message when its task begins, so what was lost then is not run again; with
// acks_late when it has ended, so it is.
void refuse_a_second_run(const RememberedSteps& steps) {
  if (find_step(steps, step::run) == "running")
    throw JobError(fault::lost, "The task was running when its node was lost.", false);
}

// reject_on_worker_lost: how often its process has died is kept with it.
Async<void> run_again_if_rejected(JobContext job, RememberedSteps steps, bool rejects) {
  const int times = std::atoi(find_step(steps, step::rejected).value_or("0").c_str());
  if (!rejects || times >= rejected_most) co_return;
  std::string next = std::to_string(times + 1);
  co_await save_step(job, step::rejected, next);
  throw JobError(fault::lost, "Its process was lost; it is run again.", true, Millis{0});
}

Json spec_of(const ForkedApp& app, const std::string& envelope, const std::string& token,
             bool is_in_rate) {
  return Json{{"message", json_of_ours(envelope)},
              {"is_in_rate", is_in_rate},
              {"url", "redis://attempt:" + token + "@" + app.attempts->door() + "/0"}};
}

Async<Forked> run_process(JobContext job, ForkedAppPtr app, std::string envelope,
                          celery::Message message, bool is_in_rate) {
  celery::Attempt who;
  who.job = job.id();
  who.project = job.host().project();
  who.id = message.id;
  const celery::AttemptToken token(app->attempts, std::move(who));
  const Json spec = spec_of(*app, envelope, token.text(), is_in_rate);
  Forked ended = co_await run_forked(job, app, "celery", spec);
  co_return ended;
}

Task celery_task(JobContext job, ForkedAppPtr app) {
  RememberedSteps steps;
  if (job.host().has_steps()) steps = co_await steps_of(job);
  std::optional<std::string> envelope = find_step(steps, step::message);
  if (!envelope) envelope = celery::envelope_of(job.args_text(), job.id());
  const Result<celery::Message> message = begin_of(envelope);
  if (!message) throw JobError("invalid-field", message.error().detail, false);
  if (message->expires && *message->expires <= system_clock().now())
    throw JobError(fault::expired, "The task expired before it began.", false);
  refuse_a_second_run(steps);
  const bool is_in_rate = keep_to_rate(job, *app, message->task);
  co_await save_step(job, step::run, "running");

  Forked ended = co_await run_process(job, app, *envelope, *message, is_in_rate);
  const std::string& state = ended.words.state;
  if (ended.words.rate) app->rates->set(message->task, *ended.words.rate);
  if (state == "RATED") {
    co_await save_step(job, step::run, "waits");
    throw JobError(fault::rated, "It waits for its rate_limit.", true, Millis{0});
  }
  steps = co_await steps_of(job);
  if (state.empty()) {
    co_await run_again_if_rejected(job, steps, ended.words.rejects);
    throw lost_process(ended);
  }
  if (state == "FAILURE") throw JobError(fault::failure, ended.words.error, false);
  const bool again = find_step(steps, step::run) == "retried";
  if (again) run_again(steps, ended.words.error.empty() ? "It is run again." : ended.words.error);
  if (state == "RETRY") throw JobError(fault::lost, "It asked for a retry but sent none.", false);
  co_return value_in(find_step(steps, step::meta));
}

}  // namespace

Kind celery_kind(ForkedAppPtr app) {
  Kind kind;
  kind.run = [app = std::move(app)](JobContext job) { return celery_task(job, app); };
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
