#include "actors/runs/job_actor.hpp"

#include <caf/all.hpp>
#include <deque>
#include <nlohmann/json.hpp>

#include "actors/node/actor_sink.hpp"
#include "actors/node/busy_snapshot.hpp"
#include "actors/node/mutant.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/send.hpp"
#include "runtime/base/failpoint.hpp"
#include "runtime/outbound/trace_context.hpp"
#include "runtime/policy/effect_tally.hpp"

namespace quell {

namespace {

constexpr std::size_t flush_bytes = std::size_t{16} << 10;
// A stream's unread bytes: above the first the sender is paused, below the second it goes on.
constexpr std::size_t unread_high = std::size_t{256} << 10, unread_low = std::size_t{64} << 10;

std::string problem(const std::string& code, const std::string& detail) {
  const nlohmann::json body{{"code", code}, {"detail", detail}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

struct OpenEffect {
  std::shared_ptr<EffectSlot> slot;
  std::unique_ptr<RunningEffect> effect;  // null: the store answers, there is nothing to abort
  std::deque<std::size_t> unread = {};    // what each piece weighs
  std::size_t unread_weight = 0;
  bool paused = false, aborted = false;
  std::string host = {};  // "": nothing that is told of
  std::uint64_t bytes_out = 0;
  Millis began{0};
};

std::string host_of(const EffectRequest& request) {
  if (const auto* http = std::get_if<HttpRequest>(&request)) return host_of_url(http->url());
  if (const auto* stream = std::get_if<StreamRequest>(&request))
    return host_of_url(stream->http.url());
  const bool is_program =
      std::holds_alternative<ExecRequest>(request) || std::holds_alternative<LinesRequest>(request);
  return is_program ? std::string(program_host) : std::string();
}

std::uint64_t bytes_of_body(const EffectRequest& request) {
  if (const auto* http = std::get_if<HttpRequest>(&request)) return http->body().size();
  if (const auto* stream = std::get_if<StreamRequest>(&request)) return stream->http.body().size();
  return 0;
}

class JobActor : public caf::event_based_actor, public JobHost {
 public:
  JobActor(caf::actor_config& config, std::shared_ptr<NodeContext> context,
           const std::shared_ptr<storage::ClaimedJob>& job, const Kind* kind)
      : caf::event_based_actor(config),
        context_(std::move(context)),
        job_(std::move(*job)),
        kind_(kind) {}

  const char* name() const override { return "job"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::print_and_drop);
    return {
        [this](StartRun) { start(); },
        [this](StopRun stop) { this->stop(stop.cause); },
        [this](EffectHead& head) { effect_head(head); },
        [this](EffectPieces& some) { effect_pieces(some); },
        [this](EffectEnded& ended) { effect_ended(ended); },
        [this](FlushShown) { flush_shown(); },
    };
  }

  void on_exit() override {
    QUELL_ASSERT(open_.empty() && !body_.valid());
    if (flush_timer_) context_->timers->cancel(*flush_timer_);
    sink_.reset();
    context_.reset();
  }

  // ---- JobHost ----
  JobId job_id() const override { return job_.job; }
  int attempt() const override { return job_.attempt; }
  const std::string& args_text() const override { return job_.args; }
  const std::string& project() const override { return job_.project; }
  bool has_steps() const override { return job_.has_steps; }
  const Registry& registry() const override { return *context_->registry; }
  const SettingValues& settings() const override { return *context_->settings; }

  std::shared_ptr<EffectSlot> begin(EffectRequest request) override {
    auto slot = std::make_shared<EffectSlot>();
    slot->id = ++last_effect_;
    if (stopping_) {  // the gate is closed: its one and only test
      slot->answer = EffectFailure{"state-conflict", "the run is being stopped", false};
      return slot;
    }
    context_->metrics->effects_started += 1;
    context_->metrics->effects_open += 1;
    OpenEffect& entry = open_.emplace(slot->id, OpenEffect{slot, nullptr}).first->second;
    if (auto* save = std::get_if<StepSaveRequest>(&request))
      save_step(slot->id, std::move(*save));
    else if (std::holds_alternative<StepLoadRequest>(request))
      load_steps(slot->id);
    else
      begin_outside(entry, std::move(request));
    return slot;
  }

  void let_go(EffectSlot& slot) override {
    if (const auto at = open_.find(slot.id); at != open_.end()) abort(at->second, AbortHow::gently);
  }

  void consumed(EffectSlot& slot) override {
    const auto at = open_.find(slot.id);
    if (at == open_.end()) return;
    OpenEffect& entry = at->second;
    entry.unread_weight -= entry.unread.front();
    entry.unread.pop_front();
    go_on_if_read(entry);
  }

  void progress(double fraction, std::string phase) override {
    shown().progress = std::max(shown().progress.value_or(0.0), std::clamp(fraction, 0.0, 1.0));
    if (!phase.empty()) shown().phase = std::move(phase);
    flush_later(0);
  }
  void partial(std::string json) override {
    const std::size_t size = json.size();
    shown().partials.push_back(std::move(json));
    flush_later(size);
  }
  void log(std::string level, std::string text) override {
    const std::size_t size = text.size();
    shown().logs.push_back({context_->clock->now(), std::move(level), std::move(text)});
    flush_later(size);
  }
  void usage(std::string json) override {
    usage_ = std::move(json);
    shown().usage = usage_;
    flush_later(0);
  }
  const std::string& used() const override { return usage_; }

 private:
  void begin_outside(OpenEffect& entry, EffectRequest request) {
    entry.host = host_of(request);
    entry.bytes_out = bytes_of_body(request);
    entry.began = context_->timers->now();
    entry.effect = start_effect(entry.slot->id, std::move(request));
  }

  std::unique_ptr<RunningEffect> start_effect(std::uint64_t id, EffectRequest request) {
    if (!job_.options.empty()) pass_trace_on(request, options_from_json(job_.options).traceparent);
    return context_->effects->start(sink(), id, std::move(request),
                                    EffectOrigin{job_.job, job_.epoch, job_.project});
  }

  // ---- running ----
  void start() {
    if (stopping_) return;
    try {
      const BusySnapshot::Turn turn(*context_->busy, job_.job, job_.kind, context_->timers->now());
      body_ = kind_->run(JobContext(*this));
      body_.start();
    } catch (const std::exception& error) {  // a handler that is no coroutine throws here
      return end_by_itself(AttemptOutcome::error, {}, problem("internal", error.what()));
    }
    after_turn();
  }

  void resume(EffectSlot& slot) {
    if (!slot.waiter) return;
    {
      const BusySnapshot::Turn turn(*context_->busy, job_.job, job_.kind, context_->timers->now());
      std::exchange(slot.waiter, {}).resume();
    }
    after_turn();
  }

  void after_turn() {
    if (!body_.done()) return;
    try {
      std::string result = body_.take();
      detail::refuse_too_large(result.size(), context_->settings->step_result_max,
                               "the job's result");
      end_by_itself(AttemptOutcome::succeeded, std::move(result), {});
    } catch (const JobError& error) {
      retry_after_ = error.retry_after();
      end_by_itself(error.retryable() ? AttemptOutcome::error : AttemptOutcome::refused, {},
                    problem(error.code(), error.detail()));
    } catch (const std::exception& error) {
      end_by_itself(AttemptOutcome::error, {}, problem("internal", error.what()));
    } catch (...) {
      end_by_itself(AttemptOutcome::error, {},
                    problem("internal", "the handler threw something unknown"));
    }
  }

  // ---- effects ----
  std::shared_ptr<EffectSink> sink() {
    if (!sink_) sink_ = std::make_shared<ActorSink>(weak(this));
    return sink_;
  }

  void save_step(std::uint64_t id, StepSaveRequest request) {
    auto ops = std::make_shared<storage::Batch>();
    storage::FlushOp op{.job = job_.job, .epoch = job_.epoch, .now = context_->clock->now()};
    op.steps.push_back({std::move(request.name), std::move(request.result)});
    ops->flushes.push_back(std::move(op));
    tell(context_->clerk,
         WriteOps{
             std::move(ops), [to = weak(this), id](Result<storage::Outcome> outcome) {
               EffectAnswer answer;
               if (!outcome)
                 answer = EffectFailure{"store-unavailable", outcome.error().detail, true};
               else if (!outcome->flushes.front())
                 answer = EffectFailure{"state-conflict", "the run is no longer the job's", false};
               tell(to, EffectEnded{id, std::move(answer), {}});
             }});
  }

  void load_steps(std::uint64_t id) {
    context_->readers->run([to = weak(this), id, job = job_.job](storage::Reader& reader) {
      auto steps = reader.steps(job);
      EffectAnswer answer;
      if (!steps) {
        answer = EffectFailure{"store-unavailable", steps.error().detail, true};
      } else {
        RememberedSteps known;
        for (auto& step : *steps) known.emplace_back(std::move(step.name), std::move(step.result));
        answer = std::move(known);
      }
      tell(to, EffectEnded{id, std::move(answer), {}});
    });
  }

  void abort(OpenEffect& entry, AbortHow how) {
    if (entry.aborted && how == AbortHow::gently) return;
    entry.aborted = true;
    if (entry.paused) hold(entry, false);
    if (entry.effect) entry.effect->abort(how);
  }

  void abort_all(AbortHow how) {
    for (auto& [id, entry] : open_) abort(entry, how);
  }

  void effect_head(EffectHead& head) {
    const auto at = open_.find(head.id);
    if (at == open_.end()) return late();
    EffectSlot& slot = *at->second.slot;
    slot.head = std::move(head.head);
    slot.has_head = true;
    if (!stopping_) resume(slot);
  }

  void effect_pieces(EffectPieces& some) {
    sink_->taken(some);
    const auto at = open_.find(some.id);
    if (at == open_.end()) return late();
    OpenEffect& entry = at->second;
    // Nobody reads any more, and a program that is to clean up must not wait in a write.
    if (stopping_) return hold(entry, false);
    auto slot = entry.slot;
    for (std::string& piece : some.pieces) {
      entry.unread.push_back(weight_of(piece));
      slot->pieces.push_back(std::move(piece));
    }
    entry.unread_weight += some.weight;
    entry.paused = entry.paused || some.is_enough;
    if (!entry.paused && entry.unread_weight > unread_high) hold(entry, true);
    go_on_if_read(entry);
    resume(*slot);
  }

  void go_on_if_read(OpenEffect& entry) {
    if (entry.paused && entry.unread_weight < unread_low) hold(entry, false);
  }

  void hold(OpenEffect& entry, bool paused) {
    entry.paused = paused;
    if (entry.effect) entry.effect->pause(paused);
  }

  void effect_ended(EffectEnded& ended) {
    auto at = open_.find(ended.id);
    if (at == open_.end()) return late();
    auto slot = std::move(at->second.slot);
    if (const OpenEffect& entry = at->second; !entry.host.empty())
      tally_.note(entry.host, ended.note.bytes_in, entry.bytes_out,
                  context_->timers->now() - entry.began);
    open_.erase(at);
    context_->metrics->effects_open -= 1;
    context_->metrics->effects_aborted += ended.note.aborted ? 1 : 0;
    had_processes_ = had_processes_ || ended.note.reaped;
    slot->answer = std::move(ended.answer);
    if (stopping_)
      say_end_when_quiet();
    else
      resume(*slot);
  }

  void late() { context_->metrics->late_answers += 1; }

  // ---- ending ----
  // Also after a normal return something may still be in flight (a race that was lost): down means
  // that nothing is.
  void end_by_itself(AttemptOutcome outcome, std::string result, std::string error) {
    stopping_ = true;
    end_.outcome = outcome;
    end_.result = std::move(result);
    end_.error = std::move(error);
    body_.reset();
    abort_all(AbortHow::gently);
    say_end_when_quiet();
  }

  void stop(StopCause cause) {
    const AbortHow how = cause == StopCause::deleted ? AbortHow::at_once : AbortHow::gently;
    if (std::exchange(stopping_, true))
      return abort_all(how);  // a second, stronger stop only hurries
    end_.outcome = outcome_of(cause);
    if (cause == StopCause::timeout) end_.error = problem("timeout", "the attempt's time was up");
    end_.effects_aborted = static_cast<int>(open_.size());
    if (kind_->on_stop) {
      try {
        kind_->on_stop(JobContext(*this));
      } catch (const std::exception& error) {
        log("error", std::string("on_stop: ") + error.what());
      }
    }
    body_.reset();
    abort_all(how);
    fails_here(Failpoint::stop_after);
    say_end_when_quiet();
  }

  static AttemptOutcome outcome_of(StopCause cause) {
    switch (cause) {
      case StopCause::deleted:
      case StopCause::cancelled:
        return AttemptOutcome::stopped;
      case StopCause::timeout:
        return AttemptOutcome::timeout;
      case StopCause::drain:
        return AttemptOutcome::handed_over;
    }
    QUELL_ASSERT(!"every cause has its outcome");
    return AttemptOutcome::stopped;
  }

  // What only the store has yet to answer does nothing outside, and once the run is over its epoch
  // keeps out what comes late. A store that is away must not make a run look alive.
  void forget_the_store() {
    context_->metrics->effects_open -=
        std::erase_if(open_, [](const auto& one) { return !one.second.effect; });
  }

  void say_end_when_quiet() {
    forget_the_store();
    if (!open_.empty() && !mutated(Mutant::effects_left_open)) return;
    write_shown();
    end_.job = job_.job;
    end_.epoch = job_.epoch;
    end_.usage = usage_with(usage_, tally_);
    end_.retry_after = retry_after_;
    end_.had_processes = had_processes_;
    if (!fails_here(Failpoint::release_before)) tell(context_->foreman, std::move(end_));
    quit();
  }

  // ---- what the run has to show ----
  storage::FlushOp& shown() {
    if (!shown_) shown_ = std::make_unique<storage::FlushOp>();
    return *shown_;
  }

  void flush_later(std::size_t bytes) {
    shown_bytes_ += bytes;
    if (shown_bytes_ >= flush_bytes) return write_shown();
    if (flush_timer_) return;
    flush_timer_ = context_->timers->after(context_->settings->flush_period,
                                           [to = weak(this)] { tell(to, FlushShown{}); });
  }

  void flush_shown() {
    flush_timer_.reset();
    write_shown();
  }

  void write_shown() {
    if (flush_timer_) context_->timers->cancel(*flush_timer_);
    flush_timer_.reset();
    shown_bytes_ = 0;
    if (!shown_) return;
    shown_->job = job_.job;
    shown_->epoch = job_.epoch;
    shown_->now = context_->clock->now();
    auto ops = std::make_shared<storage::Batch>();
    ops->flushes.push_back(std::move(*shown_));
    shown_.reset();
    tell(context_->clerk, WriteOps{std::move(ops), {}});
  }

  std::shared_ptr<NodeContext> context_;
  storage::ClaimedJob job_;
  const Kind* kind_;
  std::shared_ptr<ActorSink> sink_;
  std::map<std::uint64_t, OpenEffect> open_;  // the gate's count
  std::uint64_t last_effect_ = 0;
  bool stopping_ = false;  // the gate's fence
  bool had_processes_ = false;
  RunEnded end_;
  std::optional<Millis> retry_after_;
  std::string usage_;
  EffectTally tally_;  // of what went outside
  std::unique_ptr<storage::FlushOp> shown_;
  std::size_t shown_bytes_ = 0;
  std::optional<Timers::Id> flush_timer_;
  Task body_;  // last: destroyed first
};

}  // namespace

caf::actor spawn_job_actor(caf::actor_system& system, const std::shared_ptr<NodeContext>& context,
                           storage::ClaimedJob job, const Kind& kind) {
  auto shared = std::make_shared<storage::ClaimedJob>(std::move(job));
  return system.spawn<JobActor, caf::lazy_init>(context, shared, &kind);
}

}  // namespace quell
