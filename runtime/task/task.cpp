#include "runtime/task/task.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/base/nearest_name.hpp"
#include "runtime/outbound/http_redirects.hpp"
#include "runtime/settings/settings.hpp"

namespace quell {

EffectAnswer detail::SlotAwaiter::await_resume() {
  if (const auto* failure = std::get_if<EffectFailure>(&*slot_->answer))
    throw JobError(failure->code, failure->detail, failure->retryable);
  return std::move(*slot_->answer);
}

namespace {

// Throws when the redirect must not be followed.
HttpRequest next_hop(const HttpRequest& request, const HttpReply& reply, Millis end) {
  auto next = redirected(request, reply.status(), reply.header("Location"));
  if (!next) {
    const ErrorInfo& row = info(next.error().code);
    throw JobError(std::string(row.wire), next.error().detail, false);
  }
  const Millis left = end - system_clock().monotonic();
  if (left <= Millis{0}) throw JobError("timeout", "the redirects took too long");
  next->timeout(left);
  return std::move(*next);
}

}  // namespace

nlohmann::json JobContext::args() const {
  const std::string& text = host_->args_text();
  if (text.empty()) return nlohmann::json::object();
  nlohmann::json args = json_from_outside(text);
  if (args.is_discarded()) throw JobError("invalid-field", "the args are not JSON we read", false);
  return args;
}

Async<void> JobContext::sleep(Millis duration) {
  SleepRequest request{duration};
  auto slot = host_->begin(request);
  co_await detail::SlotAwaiter(*host_, slot);
}

// Each hop is an effect of its own; the time is one for all of them.
Async<HttpReply> JobContext::http(HttpRequest request) {
  const Millis end = system_clock().monotonic() + request.timeout();
  const bool follows = request.redirects() > 0;
  while (true) {
    auto slot = host_->begin(request);
    EffectAnswer answer = co_await detail::SlotAwaiter(*host_, slot);
    slot.reset();
    HttpReply reply = std::get<HttpReply>(std::move(answer));
    if (!follows || !is_redirect(reply.status()) || reply.header("Location").empty())
      co_return reply;
    request = next_hop(request, reply, end);
  }
}

Async<ExecReply> JobContext::exec(ExecRequest request) {
  auto slot = host_->begin(std::move(request));
  EffectAnswer answer = co_await detail::SlotAwaiter(*host_, slot);
  co_return std::get<ExecReply>(std::move(answer));
}

ByteStream JobContext::open_http(HttpRequest request) {
  return ByteStream(*host_, host_->begin(StreamRequest{std::move(request)}));
}

ByteStream JobContext::open_exec(ExecRequest request) {
  return ByteStream(*host_, host_->begin(LinesRequest{std::move(request)}));
}

Async<std::optional<std::string>> JobContext::remembered(std::string name) {
  if (!host_->has_steps()) co_return std::nullopt;
  auto slot = host_->begin(StepLoadRequest{});
  EffectAnswer answer = co_await detail::SlotAwaiter(*host_, slot);
  const auto& steps = std::get<RememberedSteps>(answer);
  const std::string stored = host_->step_prefix() + name;
  for (const auto& [known, result] : steps)
    if (known == stored) co_return result;
  co_return std::nullopt;
}

void detail::refuse_too_large(std::size_t bytes, std::size_t most, const std::string& whose) {
  if (bytes <= most) return;
  throw JobError("body-too-large",
                 whose + " has " + std::to_string(bytes) + " bytes and this node keeps " +
                     std::to_string(most) +
                     " (step_result_max_bytes): store it elsewhere and return where it is",
                 false);
}

Async<void> JobContext::remember(std::string name, std::string result) {
  detail::refuse_too_large(result.size(), host_->settings().step_result_max,
                           "the result of step '" + name + "'");
  StepSaveRequest request{host_->step_prefix() + name, std::move(result)};
  auto slot = host_->begin(std::move(request));
  co_await detail::SlotAwaiter(*host_, slot);
}

Async<void> JobContext::run_blocking(std::function<void(std::stop_token)> work) {
  OffloadRequest request{std::move(work)};
  auto slot = host_->begin(std::move(request));
  co_await detail::SlotAwaiter(*host_, slot);
}

namespace {

// Wakes at the next event of a stream: head, piece or end.
class StreamAwaiter {
 public:
  explicit StreamAwaiter(EffectSlot& slot) : slot_(&slot) {}
  StreamAwaiter(const StreamAwaiter&) = delete;
  StreamAwaiter& operator=(const StreamAwaiter&) = delete;
  ~StreamAwaiter() { slot_->waiter = {}; }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { slot_->waiter = waiter; }
  void await_resume() const noexcept {}

 private:
  EffectSlot* slot_;
};

void throw_failure(const EffectSlot& slot) {
  if (!slot.answer) return;
  if (const auto* failure = std::get_if<EffectFailure>(&*slot.answer))
    throw JobError(failure->code, failure->detail, failure->retryable);
}

}  // namespace

Async<HttpReply> ByteStream::head() {
  auto slot = slot_;
  while (!slot->has_head && !slot->answer) co_await StreamAwaiter(*slot);
  if (!slot->has_head) throw_failure(*slot);
  co_return slot->head;
}

Async<std::optional<std::string>> ByteStream::read() {
  auto slot = slot_;
  while (slot->pieces.empty() && !slot->answer) co_await StreamAwaiter(*slot);
  if (slot->pieces.empty()) {
    throw_failure(*slot);
    co_return std::nullopt;
  }
  std::string piece = std::move(slot->pieces.front());
  slot->pieces.pop_front();
  host_->consumed(*slot);
  co_return std::optional<std::string>(std::move(piece));
}

Async<ExecReply> ByteStream::exit() {
  auto slot = slot_;
  while (!slot->answer) co_await StreamAwaiter(*slot);
  throw_failure(*slot);
  co_return std::get<ExecReply>(*slot->answer);
}

Registry& Registry::add(std::string name, Kind kind) {
  QUELL_ASSERT(kind.run && !name.empty());
  kinds_.insert_or_assign(std::move(name), std::move(kind));
  return *this;
}

const Kind* Registry::find(const std::string& name) const {
  const auto at = kinds_.find(name);
  return at == kinds_.end() ? nullptr : &at->second;
}

std::string Registry::unknown(const std::string& name) const {
  std::vector<std::string_view> known;
  for (const auto& [kind, does] : kinds_) known.emplace_back(kind);
  return "No kind '" + name + "' is registered" + did_you_mean(name, known) + ".";
}

Result<void> Registry::check(const std::string& name, const std::string& args) const {
  const Kind* kind = find(name);
  if (kind == nullptr) return Error{ErrorCode::unknown_kind, unknown(name)};
  if (kind->check)
    if (auto fine = kind->check(args); !fine) return fine;
  if (!kind->nested) return {};
  for (const NestedKind& inner : kind->nested(args)) {
    if (find(inner.kind) == nullptr)
      return Error{ErrorCode::unknown_kind, inner.where + ": " + unknown(inner.kind)};
    if (!inner.args_are_final) continue;
    if (auto fine = check(inner.kind, inner.args); !fine)
      return Error{fine.error().code, inner.where + ": " + fine.error().detail};
  }
  return {};
}

std::set<std::string> Registry::scopes(const std::string& name, const std::string& args) const {
  const Kind* kind = find(name);
  if (kind == nullptr) return {};
  std::set<std::string> all{kind->scope};
  if (kind->nested)
    for (const NestedKind& inner : kind->nested(args)) all.merge(scopes(inner.kind, inner.args));
  return all;
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds_) names.push_back(name);
  return names;
}

}  // namespace quell
