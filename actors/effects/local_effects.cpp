#include "actors/effects/local_effects.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "actors/effects/child_process.hpp"
#include "actors/effects/http_client.hpp"
#include "actors/effects/offload_pool.hpp"
#include "actors/effects/outbound_url.hpp"
#include "runtime/kinds/celery.hpp"

namespace quell {

namespace {

// Where one effect answers: the job's sink and the effect's number in the job's table.
struct Reply {
  std::shared_ptr<EffectSink> sink;
  std::uint64_t id;
  void ended(EffectAnswer answer, EffectNote note = {}) const {
    sink->ended(id, std::move(answer), note);
  }
};

EffectFailure failure_of(const Error& error) {
  const ErrorInfo& row = info(error.code);
  return {std::string(row.wire), error.detail.empty() ? std::string(row.sentence) : error.detail,
          row.retryable};
}

const EffectFailure aborted_failure{"state-conflict", "aborted", false};

class NothingRunning final : public RunningEffect {
 public:
  void abort(AbortHow) override {}
};

std::unique_ptr<RunningEffect> refuse(const Reply& reply, EffectFailure failure) {
  reply.ended(std::move(failure));
  return std::make_unique<NothingRunning>();
}

// ---- sleep ----
class Sleep final : public RunningEffect {
 public:
  Sleep(Timers& timers, Reply reply, Millis duration)
      : timers_(timers),
        reply_(reply),
        timer_(timers.after(duration, [reply] { reply.ended(std::monostate{}); })) {}
  void abort(AbortHow) override {
    // A timer that could not be cancelled has fired: then the answer is on its way already.
    if (timers_.cancel(timer_)) reply_.ended(aborted_failure, {.aborted = true});
  }

 private:
  Timers& timers_;
  Reply reply_;
  Timers::Id timer_;
};

// ---- http ----
class HttpAnswers final : public HttpSink {
 public:
  HttpAnswers(Reply reply, bool stream) : reply_(std::move(reply)), stream_(stream) {}
  void on_head(HttpHead head) override {
    if (stream_) reply_.sink->head(reply_.id, HttpReply(head.status, std::move(head.headers), {}));
  }
  void on_chunk(std::string chunk) override {
    std::vector<std::string> one;
    one.push_back(std::move(chunk));
    reply_.sink->pieces(reply_.id, std::move(one));
  }
  void on_closed(HttpEnd end) override {
    const EffectNote note{.aborted = end.kind == HttpEndKind::aborted, .bytes_in = end.bytes_in};
    switch (end.kind) {
      case HttpEndKind::done:
        return reply_.ended(
            HttpReply(end.head.status, std::move(end.head.headers), std::move(end.body)), note);
      case HttpEndKind::aborted:
        return reply_.ended(aborted_failure, note);
      case HttpEndKind::failed:
      case HttpEndKind::refused:
        return reply_.ended(failure_of(end.error.value_or(Error{ErrorCode::outbound_failed})),
                            note);
    }
  }

 private:
  Reply reply_;
  bool stream_;
};

class HttpEffect final : public RunningEffect {
 public:
  HttpEffect(HttpClient& client, HttpCall call, Reply reply)
      : client_(client), op_(start(client, std::move(call), std::move(reply))) {}
  void abort(AbortHow) override { client_.abort(op_); }
  void pause(bool paused) override { paused ? client_.pause(op_) : client_.resume(op_); }

 private:
  static HttpClient::OpId start(HttpClient& client, HttpCall call, Reply reply) {
    const bool stream = call.stream;
    return client.start(std::move(call), std::make_shared<HttpAnswers>(std::move(reply), stream));
  }
  HttpClient& client_;
  HttpClient::OpId op_;
};

// ---- programs ----
// The time that a program has. Its end is told by the program's sink alone, so an answer comes
// exactly once, whoever is first: the timer only asks for the stop and leaves its mark.
class ProgramTime {
 public:
  ProgramTime(Timers& timers, Millis limit) : timers_(timers), limit_(limit) {}
  void begin(std::function<void()> stop, const std::shared_ptr<ProgramTime>& self) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    timer_ = timers_.after(limit_, [self, stop = std::move(stop)] {
      self->is_up_ = true;
      stop();
    });
  }
  void end() {
    std::optional<Timers::Id> timer;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      timer = timer_;
    }
    if (timer) timers_.cancel(*timer);
  }
  bool is_up() const { return is_up_; }
  EffectFailure failure() const {
    return {"timeout", "the program was stopped after " + std::to_string(limit_.count()) + " ms",
            true};
  }

 private:
  Timers& timers_;
  const Millis limit_;
  std::mutex mutex_;
  bool closed_ = false;
  std::optional<Timers::Id> timer_;
  std::atomic<bool> is_up_{false};
};

class ExecAnswers final : public ExecSink {
 public:
  ExecAnswers(Reply reply, bool lines, std::shared_ptr<ProgramTime> time)
      : reply_(std::move(reply)), lines_(lines), time_(std::move(time)) {}
  void on_stdout_line(std::string line) override {
    if (lines_) read_.push_back(std::move(line));
  }
  // A program may print without end: what one read has given goes on as one piece, and only
  // when the job has kept up is there another read.
  bool wants_more() override {
    return read_.empty() || reply_.sink->pieces(reply_.id, std::exchange(read_, {}));
  }
  void on_closed(ExecEnd end) override {
    time_->end();
    // Without its keeper nothing is proven, not even that a start came to nothing: the run stays
    // open until its process leaves, and the next life hunts.
    if (!end.reaped) return;
    wants_more();
    const EffectNote note{.aborted = end.kind == ExecEnd::Kind::killed, .reaped = end.reaped};
    switch (end.kind) {
      case ExecEnd::Kind::exited:
        return reply_.ended(ExecReply(end.code, 0, std::move(end.out), std::move(end.err)), note);
      case ExecEnd::Kind::signalled:
        return reply_.ended(ExecReply(0, end.code, std::move(end.out), std::move(end.err)), note);
      case ExecEnd::Kind::killed:
        return reply_.ended(time_->is_up() ? time_->failure() : aborted_failure, note);
      case ExecEnd::Kind::failed:
        return reply_.ended(failure_of(end.error.value_or(Error{ErrorCode::internal})), note);
    }
  }

 private:
  Reply reply_;
  bool lines_;
  std::vector<std::string> read_;
  std::shared_ptr<ProgramTime> time_;
};

class ExecEffect final : public RunningEffect {
 public:
  ExecEffect(ChildProcesses& programs, ExecCall call, Reply reply, bool lines,
             std::shared_ptr<ProgramTime> time)
      : programs_(programs),
        op_(programs.start(std::move(call),
                           std::make_shared<ExecAnswers>(std::move(reply), lines, time))) {
    time->begin([&programs, op = op_] { programs.stop(op, ChildProcesses::How::terminate); }, time);
  }
  void abort(AbortHow how) override {
    programs_.stop(
        op_, how == AbortHow::at_once ? ChildProcesses::How::kill : ChildProcesses::How::terminate);
  }
  void pause(bool paused) override { programs_.pause(op_, paused); }

 private:
  ChildProcesses& programs_;
  ChildProcesses::OpId op_;
};

bool asks_fork_server(const ExecRequest& request) {
  return std::any_of(request.env().begin(), request.env().end(), [](const auto& pair) {
    return pair.first == fork_server_variable && pair.second == fork_server_word();
  });
}

ExecCall call_of(const ExecRequest& request) {
  ExecCall call;
  call.argv = request.argv();
  call.env = request.env();
  if (asks_fork_server(request)) {
    call.by = ExecCall::By::by_fork_server;
    std::erase_if(call.env, [](const auto& pair) { return pair.first == fork_server_variable; });
  }
  call.stdin_data = request.input();
  call.cwd = request.cwd();
  call.rlimit_as = request.limits().memory_bytes;
  call.rlimit_cpu_s = request.limits().cpu_seconds;
  call.rlimit_nofile = request.limits().open_files;
  call.rlimit_nproc = request.limits().processes;
  return call;
}

// ---- blocking work ----
class Offload final : public RunningEffect {
 public:
  Offload(OffloadPool& pool, OffloadPool::Work work, Reply reply)
      : pool_(pool), id_(pool.start(std::move(work), [reply](bool ran, std::string failure) {
          if (!ran) return reply.ended(aborted_failure, {.aborted = true});
          if (!failure.empty())
            return reply.ended(EffectFailure{"internal", std::move(failure), true});
          reply.ended(std::monostate{});
        })) {}
  void abort(AbortHow) override { pool_.stop(id_); }

 private:
  OffloadPool& pool_;
  std::uint64_t id_;
};

}  // namespace

LocalEffects::LocalEffects(const SettingValues& settings, Timers& timers, HttpClient& http,
                           ChildProcesses* programs, OffloadPool& offload, SecretSource secrets)
    : settings_(settings),
      timers_(timers),
      http_(http),
      programs_(programs),
      offload_(offload),
      secrets_(std::move(secrets)) {}

std::unique_ptr<RunningEffect> LocalEffects::start(std::shared_ptr<EffectSink> sink,
                                                   std::uint64_t id, EffectRequest request,
                                                   const EffectOrigin& origin) {
  const Reply reply{std::move(sink), id};
  if (auto* sleep = std::get_if<SleepRequest>(&request))
    return std::make_unique<Sleep>(timers_, reply, sleep->duration);
  if (auto* offload = std::get_if<OffloadRequest>(&request))
    return std::make_unique<Offload>(offload_, std::move(offload->work), reply);

  const auto* stream = std::get_if<StreamRequest>(&request);
  const auto* http = stream != nullptr ? &stream->http : std::get_if<HttpRequest>(&request);
  if (http != nullptr) {
    HttpCall call{.method = http->method(),
                  .url = http->url(),
                  .headers = http->headers(),
                  .body = http->body()};
    call.total_timeout = http->timeout();
    call.idle_timeout = http->idle_timeout();
    call.max_body = std::min(http->max_body(), settings_.response_max);
    call.stream = stream != nullptr;
    if (!http->secret().empty()) {
      auto url = read_outbound_url(call.url);
      if (!url) return refuse(reply, failure_of(url.error()));
      auto secret = secrets_(http->secret(), origin.project, *url);
      if (!secret) return refuse(reply, failure_of(secret.error()));
      call.headers.emplace_back("Authorization", "Bearer " + *secret);
    }
    return std::make_unique<HttpEffect>(http_, std::move(call), reply);
  }

  const auto* lines = std::get_if<LinesRequest>(&request);
  const auto* exec = lines != nullptr ? &lines->exec : std::get_if<ExecRequest>(&request);
  QUELL_ASSERT(exec != nullptr);
  if (programs_ == nullptr || (!asks_fork_server(*exec) && !settings_.exec_enabled))
    return refuse(reply, failure_of(Error{ErrorCode::exec_disabled}));
  return std::make_unique<ExecEffect>(*programs_, call_of(*exec), reply, lines != nullptr,
                                      std::make_shared<ProgramTime>(timers_, exec->timeout()));
}

}  // namespace quell
