// Task: what a handler is. JobContext: what it may do. Registry: which handlers there are.
//
//   Task summarize(JobContext job) {
//     auto page = co_await job.http(HttpRequest(job.args().at("url")).timeout(20s));
//     auto text = co_await job.step("summarize", [&] { return job.llm(…); });
//     co_return text;                       // JSON text; "" is null
//   }
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/base/async.hpp"
#include "runtime/base/result.hpp"
#include "runtime/task/job_host.hpp"

namespace quell {

using Task = Async<std::string>;

// Ends an attempt. Thrown by a failed effect, or by the handler itself.
class JobError : public std::exception {
 public:
  JobError(std::string code, std::string detail, bool retryable = true,
           std::optional<Millis> retry_after = std::nullopt)
      : code_(std::move(code)),
        detail_(std::move(detail)),
        retryable_(retryable),
        retry_after_(retry_after) {}
  const char* what() const noexcept override { return detail_.c_str(); }
  const std::string& code() const { return code_; }
  const std::string& detail() const { return detail_; }
  bool retryable() const { return retryable_; }
  std::optional<Millis> retry_after() const { return retry_after_; }

 private:
  std::string code_, detail_;
  bool retryable_;
  std::optional<Millis> retry_after_;
};

namespace detail {

// Throws for a result that the node does not keep: another attempt would not make it smaller.
void refuse_too_large(std::size_t bytes, std::size_t most, const std::string& whose);

// Awaits one slot. Its destructor lets the effect go, so a destroyed frame leaves nothing running
// that it asked for.
class SlotAwaiter {
 public:
  SlotAwaiter(JobHost& host, std::shared_ptr<EffectSlot> slot)
      : host_(&host), slot_(std::move(slot)) {}
  SlotAwaiter(const SlotAwaiter&) = delete;
  SlotAwaiter& operator=(const SlotAwaiter&) = delete;
  ~SlotAwaiter() {
    slot_->waiter = {};
    if (!slot_->answer) host_->let_go(*slot_);
  }
  bool await_ready() const noexcept { return slot_->answer.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { slot_->waiter = waiter; }
  EffectAnswer await_resume();  // throws JobError for a failure

 private:
  JobHost* host_;
  std::shared_ptr<EffectSlot> slot_;
};

template <class F>
inline constexpr bool safe_callable =
    std::is_lvalue_reference_v<F> || std::is_trivially_copyable_v<std::remove_cvref_t<F>>;

}  // namespace detail

// Pieces of an HTTP body or lines of a program's output, one at a time.
class ByteStream {
 public:
  ByteStream(JobHost& host, std::shared_ptr<EffectSlot> slot)
      : host_(&host), slot_(std::move(slot)) {}
  ByteStream(ByteStream&&) = default;
  ByteStream& operator=(ByteStream&&) = delete;
  ~ByteStream() {
    if (slot_ && !slot_->answer) host_->let_go(*slot_);
  }
  Async<HttpReply> head();                   // status and headers
  Async<std::optional<std::string>> read();  // nothing at the end; throws JobError when it was cut
  Async<ExecReply> exit();                   // of a program, after the last line

 private:
  JobHost* host_;
  std::shared_ptr<EffectSlot> slot_;
};

class LlmRequest;  // runtime/outbound/llm.hpp
class LlmReply;

class JobContext {
 public:
  explicit JobContext(JobHost& host) : host_(&host) {}

  JobId id() const { return host_->job_id(); }
  int attempt() const { return host_->attempt(); }
  nlohmann::json args() const;  // parsed anew at each call: nothing is kept while the job sleeps
  const std::string& args_text() const { return host_->args_text(); }

  Async<void> sleep(Millis duration);
  Async<HttpReply> http(HttpRequest request);  // follows redirects, each hop a new effect
  ByteStream open_http(HttpRequest request);   // does not follow redirects
  Async<ExecReply> exec(ExecRequest request);
  ByteStream open_exec(ExecRequest request);
  Async<LlmReply> llm(LlmRequest request);

  // Runs `work` once over all attempts: its result is remembered before the job goes on. T is
  // std::string, or has `std::string json() const` and `static T from_json(const std::string&)`.
  template <class F>
  auto step(std::string name, F&& work) -> std::invoke_result_t<F> {
    static_assert(detail::safe_callable<F>,
                  "g++ 12 destroys a capturing temporary twice next to co_await: capture by "
                  "reference only, or name the lambda first");
    using T = typename std::invoke_result_t<F>::value_type;
    return step_impl<T>(*this, std::move(name), std::function<Async<T>()>(work));
  }

  // Blocking work on a pool of its own; it must watch its stop_token.
  template <class F>
  auto offload(F&& work) -> Async<std::invoke_result_t<F, std::stop_token>> {
    static_assert(detail::safe_callable<F>,
                  "g++ 12 destroys a capturing temporary twice next to co_await: capture by "
                  "reference only, or name the lambda first");
    using T = std::invoke_result_t<F, std::stop_token>;
    return offload_impl<T>(*this, std::function<T(std::stop_token)>(work));
  }

  void progress(double fraction, std::string phase = {}) {
    host_->progress(fraction, std::move(phase));
  }
  void partial(std::string json) { host_->partial(std::move(json)); }
  void log(std::string text, std::string level = "info") {
    host_->log(std::move(level), std::move(text));
  }
  void usage(std::string json) { host_->usage(std::move(json)); }

  JobHost& host() { return *host_; }

 private:
  template <class T>
  static Async<T> step_impl(JobContext job, std::string name, std::function<Async<T>()> work);
  template <class T>
  static Async<T> offload_impl(JobContext job, std::function<T(std::stop_token)> work);
  Async<std::optional<std::string>> remembered(std::string name);
  Async<void> remember(std::string name, std::string result);
  Async<void> run_blocking(std::function<void(std::stop_token)> work);

  JobHost* host_;
};

template <class T>
Async<T> JobContext::step_impl(JobContext job, std::string name, std::function<Async<T>()> work) {
  std::optional<std::string> known = co_await job.remembered(name);
  if constexpr (std::is_same_v<T, std::string>) {
    if (known) co_return *known;
    std::string result = co_await work();
    co_await job.remember(name, result);
    co_return result;
  } else {
    if (known) co_return T::from_json(*known);
    T result = co_await work();
    std::string text = result.json();
    co_await job.remember(name, text);
    co_return result;
  }
}

template <class T>
Async<T> JobContext::offload_impl(JobContext job, std::function<T(std::stop_token)> work) {
  if constexpr (std::is_void_v<T>) {
    co_await job.run_blocking(work);
  } else {
    // The result lives on the heap: a blocking call that outlives a destroyed frame still has where
    // to write.
    auto result = std::make_shared<std::optional<T>>();
    std::function<void(std::stop_token)> call = [result, work](std::stop_token stop) {
      result->emplace(work(stop));
    };
    co_await job.run_blocking(call);
    co_return std::move(**result);
  }
}

// A kind that a job of another kind will run with these args.
struct NestedKind {
  std::string where, kind, args;  // `where`: what a person reads in a refusal, as "steps.fetch"
  bool args_are_final = true;     // false: they are completed only while the job runs
};

// A kind: its handler, and what the API must know of it.
struct Kind {
  std::function<Task(JobContext)> run;
  std::function<void(JobContext)> on_stop =
      {};  // before the frame is destroyed, gate closed; may log and save partials
  std::string scope = "jobs:write";  // needed to submit it
  std::string sentence = {};
  std::function<Result<void>(const std::string& args)> check = {};  // at submit
  // Which kinds it will run in turn, of args that its check has taken; their checks and scopes
  // count too.
  std::function<std::vector<NestedKind>(const std::string& args)> nested = {};
};

class Registry {
 public:
  Registry& add(std::string name, Kind kind);
  Registry& add(std::string name, std::function<Task(JobContext)> run) {
    Kind kind;
    kind.run = std::move(run);
    return add(std::move(name), std::move(kind));
  }
  // With args as a struct that nlohmann's from_json reads; include runtime/task/typed_kind.hpp.
  template <class Args>
  Registry& add(std::string name, std::type_identity_t<std::function<Task(JobContext, Args)>> run,
                Kind kind = {});
  const Kind* find(const std::string& name) const;
  // At submit: the kind is known and takes these args, and so do the kinds it will run.
  Result<void> check(const std::string& name, const std::string& args) const;
  // What one needs to submit it; more than one for a kind that runs others.
  std::set<std::string> scopes(const std::string& name, const std::string& args) const;
  std::vector<std::string> names() const;
  // "No kind 'slepp' is registered (did you mean 'sleep'?)."
  std::string unknown(const std::string& name) const;

 private:
  std::map<std::string, Kind> kinds_;
};

// noop, sleep, http, llm, exec, workflow.
void add_standard_kinds(Registry& registry);

}  // namespace quell
