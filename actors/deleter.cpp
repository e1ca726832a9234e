#include "actors/deleter.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <set>

#include "actors/delete_call.hpp"
#include "actors/reader_pool.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

// One slice is one mark: a large call is a row of short transactions, and others get their turn
// between them.
constexpr std::size_t slice_max = 500;
// Verdicts of other nodes, and of commits whose outcome was unknown, are found by looking.
constexpr Millis mark_again_wait{100};
constexpr Millis look_first{50}, look_last{200};

class Deleter : public caf::event_based_actor {
 public:
  Deleter(caf::actor_config& config, std::shared_ptr<Cast> cast)
      : caf::event_based_actor(config), cast_(std::move(cast)) {}

  const char* name() const override { return "deleter"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::print_and_drop);
    return {
        [this](EraseJobs& erase) { begin(std::move(erase)); },
        [this](JobsMarked& marked) { this->marked(marked); },
        [this](JobsVerdict& verdicts) {
          for (const JobVerdict& verdict : verdicts.verdicts) this->verdict(verdict);
        },
        [this](MarkAgain again) { mark_again(again); },
        [this](const RunStuck& stuck) { run_stuck(stuck.job); },
        [this](WaitOver over) { wait_over(over.call); },
        [this](RetryDelete& retry) {
          read_tickets(std::make_shared<RetryDelete>(std::move(retry)), nullptr);
        },
        [this](ForceDelete& force) {
          read_tickets(nullptr, std::make_shared<ForceDelete>(std::move(force)));
        },
        [this](TicketsRead& read) { tickets_read(read); },
        [this](TicketsForced& forced) { tickets_forced(forced); },
        [this](StatesRead& read) { states_read(read); },
        [this](LookAtStore look) { look_at_store(look.hinted); },
    };
  }

  void on_exit() override {
    for (auto& [serial, call] : calls_) cancel_timer(*call);
    cast_.reset();
  }

 private:
  using CallPtr = std::shared_ptr<DeleteCall>;

  // ---- mark ----
  void begin(EraseJobs erase) {
    const Instant now = cast_->clock->now();
    const std::uint64_t serial = ++last_;
    auto call = std::make_shared<DeleteCall>(cast_->ids->next(), std::move(erase.request),
                                             std::move(erase.answer), now);
    calls_.emplace(serial, call);
    if (call->request.dry_run) return read_states(serial, call->jobs());
    const std::vector<JobId> jobs = call->jobs();
    if (jobs.empty()) return settle(serial, *call);
    arm(serial, *call, call->request.wait);
    for (std::size_t first = 0; first < jobs.size(); first += slice_max)
      mark_slice(serial, *call, jobs, first);
  }

  void mark_slice(std::uint64_t serial, const DeleteCall& call, const std::vector<JobId>& jobs,
                  std::size_t first) {
    const Instant now = cast_->clock->now();
    const auto from = jobs.begin() + static_cast<std::ptrdiff_t>(first);
    const auto count = std::min(slice_max, jobs.size() - first);
    storage::MarkOp mark{.delete_id = call.id,
                         .who = call.request.who,
                         .reason = call.request.reason,
                         .path = call.request.path,
                         .now = now,
                         .jobs = {from, from + static_cast<std::ptrdiff_t>(count)},
                         .project = call.request.project};
    const auto keep = call.request.keep_copy ? call.request.keep_copy : cast_->settings->keep_copy;
    if (keep && *keep > Millis{0}) mark.copy_until = now + *keep;
    mark.tomb_until = now + cast_->settings->tomb_keep;
    mark.in_summary = call.in_summary();
    tell_first(cast_->clerk, MarkJobs{serial, first, std::move(mark)});
  }

  void marked(const JobsMarked& slice) {
    const auto at = calls_.find(slice.call);
    QUELL_ASSERT(at != calls_.end());
    const CallPtr call = at->second;
    const bool unknown = !slice.jobs && slice.jobs.error().code == ErrorCode::store_unavailable;
    if (unknown && !call->answered() && !call->is_overdue) {
      // Marked or not, nobody knows; the same mark again tells, and changes nothing if it was.
      unsure_.insert_or_assign(std::pair(slice.call, slice.first), slice);
      cast_->timers->after(
          mark_again_wait,
          [self = weak(this), again = MarkAgain{slice.call, slice.first}] { tell(self, again); });
      return;
    }
    call->marked_at = cast_->clock->now();
    note_step("mark", *call);
    for (const JobId& job : call->marked(slice)) wait_for(job, slice.call);
    after_change(slice.call, *call);
  }

  // Since the step before, of the whole call.
  void note_step(const char* step, DeleteCall& call) {
    const auto now = std::chrono::steady_clock::now();
    cast_->figures->delete_step.note(step, now - std::exchange(call.step_from, now));
  }

  // Of one job that somebody held: until its holder was down, and from there until its rows were
  // gone.
  void note_steps(const JobVerdict& news, DeleteCall& call) {
    if (call.marked_at == Instant{}) return;
    cast_->figures->delete_step.note("stop", news.verdict.now - call.marked_at);
    cast_->figures->delete_step.note("erase", cast_->clock->now() - news.verdict.now);
    call.step_from = std::chrono::steady_clock::now();
  }

  void mark_again(const MarkAgain& again) {
    if (unsure_.erase({again.call, again.first}) == 0) return;
    const CallPtr call = calls_.at(again.call);
    mark_slice(again.call, *call, call->jobs(), again.first);
  }

  // The caller's time is up: what is unsure is called failed, with the store's own words.
  void give_up_marking(std::uint64_t serial, DeleteCall& call) {
    auto at = unsure_.lower_bound({serial, 0});
    while (at != unsure_.end() && at->first.first == serial) {
      call.marked(at->second);
      at = unsure_.erase(at);
    }
  }

  void wait_for(JobId job, std::uint64_t serial) {
    waiting_[job].insert(serial);
    if (stuck_.contains(job)) calls_.at(serial)->stuck(job);
    if (!looking_) look_later(look_first);
  }

  // ---- stop, release, erase: told by the Clerk after each commit ----
  void verdict(const JobVerdict& news) {
    const bool erased = news.result.answer == storage::VerdictAnswer::erased;
    if (news.result.answer != storage::VerdictAnswer::waiting) stuck_.erase(news.verdict.job);
    const auto at = waiting_.find(news.verdict.job);
    if (at == waiting_.end()) return;
    const auto serials = at->second;
    // Said before, and the commit was not heard of: the store is asked, but only we know of slots.
    if (news.result.answer == storage::VerdictAnswer::unknown &&
        (!news.down || news.down->slots_freed == 0))
      return;
    const bool of_run = news.verdict.what == storage::HolderKind::run;
    for (const std::uint64_t serial : serials) {
      const CallPtr call = calls_.at(serial);
      if (!of_run && news.verdict.verdict == Verdict::stopped)
        call->delivery_aborted(news.verdict.job);
      if (erased) note_steps(news, *call);
      if (erased)
        call->erased(news.verdict.job, news.result.was, news.result.weakest,
                     news.down ? &*news.down : nullptr, cast_->clock->now());
      else if (of_run)
        call->run_down(news.verdict.job, *news.down);
    }
    if (!erased) return;
    waiting_.erase(news.verdict.job);
    for (const std::uint64_t serial : serials) after_change(serial, *calls_.at(serial));
  }

  void run_stuck(JobId job) {
    stuck_.insert(job);  // the Foreman's word may come before the Clerk's
    const auto at = waiting_.find(job);
    if (at == waiting_.end()) return;
    for (const std::uint64_t serial : std::set<std::uint64_t>(at->second)) {
      const CallPtr call = calls_.at(serial);
      call->stuck(job);
      after_change(serial, *call);
    }
  }

  // ---- answer ----
  void after_change(std::uint64_t serial, DeleteCall& call) {
    if (call.settled()) return settle(serial, call);
    // Nothing more will come soon: say so now instead of letting the caller wait for nothing.
    const bool is_late = call.is_overdue && call.is_marked();
    if ((is_late || call.only_stuck_left()) && !call.answered()) call.answer(call.report());
  }

  void settle(std::uint64_t serial, DeleteCall& call) {
    const CallPtr keep = calls_.at(serial);
    cancel_timer(call);
    calls_.erase(serial);
    DeleteReport report = call.report();
    cast_->figures->deleted += report.counts.deleted;
    cast_->figures->delete_unproven += report.counts.unproven;
    const bool worth_keeping = !call.request.dry_run && report.counts.deleted > 0;
    if (worth_keeping)
      report.receipt = cast_->sign(
          receipt_payload(report, call.request, cast_->durability, cast_->audit_head.read()));
    if (worth_keeping) {
      auto ops = std::make_shared<storage::Batch>();
      ops->calls.push_back({report.delete_id, counts_json(report.counts), report.receipt});
      if (call.in_summary()) ops->calls.back().over = cast_->clock->now();
      tell(cast_->clerk, WriteOps{std::move(ops), {}});
    }
    if (!call.request.dry_run) log_outcomes(call.request, report);
    if (call.answered()) return;
    call.answer(std::move(report));
    if (!call.request.dry_run) note_step("answer", call);
  }

  // Every cleanup is in the log with its job's id and outcome; who greps for a job finds the steps
  // done.
  void log_outcomes(const DeleteRequest& request, const DeleteReport& report) const {
    const auto& log = cast_->settings->log;
    if (!log) return;
    for (const JobOutcome& one : report.outcomes)
      log(LogLevel::info, "job delete", outcome_fields(request, report, one));
  }

  void arm(std::uint64_t serial, DeleteCall& call, Millis wait) {
    call.timer =
        cast_->timers->after(wait, [self = weak(this), serial] { tell(self, WaitOver{serial}); });
  }

  void cancel_timer(DeleteCall& call) {
    if (call.timer) cast_->timers->cancel(*call.timer);
    call.timer.reset();
  }

  void wait_over(std::uint64_t serial) {
    const auto at = calls_.find(serial);
    if (at == calls_.end() || at->second->answered()) return;
    const CallPtr call = at->second;
    call->timer.reset();
    give_up_marking(serial, *call);
    if (call->settled()) return settle(serial, *call);
    // "Accepted" is a promise that a crash must not break: it is not given before the mark is
    // there.
    if (!call->is_marked()) return void(call->is_overdue = true);
    call->answer(call->report());
  }

  // ---- dry run, and verdicts said elsewhere ----
  void read_states(std::uint64_t serial, std::vector<JobId> jobs) {
    cast_->readers->run(
        [self = weak(this), serial, jobs = std::move(jobs)](storage::Reader& reader) {
          tell(self, StatesRead{serial, reader.get(jobs, false)});
        });
  }

  void states_read(const StatesRead& read) {
    if (read.call == 0) return stored_verdicts(read.found);
    const auto at = calls_.find(read.call);
    if (at == calls_.end()) return;
    const CallPtr call = at->second;
    if (!read.found) {
      calls_.erase(read.call);
      return call->answer(read.found.error());
    }
    call->would_delete(*read.found);
    settle(read.call, *call);
  }

  void look_later(Millis delay) {
    looking_ = true;
    look_wait_ = delay;
    cast_->timers->after(delay, [self = weak(this)] { tell(self, LookAtStore{}); });
  }

  // A hint is a look out of turn; the row of timed ones goes on beside it.
  void look_at_store(bool hinted) {
    looking_ = looking_ && hinted;
    if (waiting_.empty()) return;
    std::vector<JobId> jobs;
    for (const auto& [job, serials] : waiting_) {
      jobs.push_back(job);
      if (jobs.size() == slice_max) break;
    }
    read_states(0, std::move(jobs));
    if (!hinted) look_later(std::min(look_wait_ * 2, look_last));
  }

  void stored_verdicts(const Result<std::vector<storage::Found>>& found) {
    if (!found) return;
    for (const storage::Found& one : *found) {
      if (!one.tomb || one.job) continue;
      storage::VerdictOp op{.job = one.tomb->job,
                            .ref = one.tomb->job,
                            .owner = {},
                            .verdict = one.tomb->verdict,
                            .now = one.tomb->at};
      storage::VerdictResult result{storage::VerdictAnswer::erased, one.tomb->delete_id,
                                    one.tomb->was, one.tomb->verdict};
      verdict({op, result, std::nullopt});
    }
  }

  // ---- retry and force, by a person ----
  void read_tickets(std::shared_ptr<const RetryDelete> retry,
                    std::shared_ptr<const ForceDelete> force) {
    const DeleteId id = retry ? retry->delete_id : force->delete_id;
    const Instant now = cast_->clock->now();
    cast_->readers->run([self = weak(this), retry, force, id, now](storage::Reader& reader) {
      tell(self, TicketsRead{retry, force, reader.tickets(id, false, now, 100'000)});
    });
  }

  void tickets_read(TicketsRead& read) {
    const auto& answer = read.retry ? read.retry->answer : read.force->answer;
    if (!read.tickets) return answer(read.tickets.error());
    DeleteRequest request;
    request.who = read.retry ? "" : read.force->who;
    request.reason = read.retry ? "" : read.force->reason;
    const std::uint64_t serial = ++last_;
    const DeleteId id = read.retry ? read.retry->delete_id : read.force->delete_id;
    auto call = std::make_shared<DeleteCall>(id, std::move(request), answer, cast_->clock->now());
    calls_.emplace(serial, call);
    for (const storage::TicketView& ticket : *read.tickets) {
      if (ticket.forced) continue;
      call->adopt(ticket);
      wait_for(ticket.job, serial);
    }
    if (call->settled()) return settle(serial, *call);
    if (read.retry) return retry(serial, *call, *read.retry, *read.tickets);
    force(serial, *read.force, *read.tickets);
  }

  void retry(std::uint64_t serial, DeleteCall& call, const RetryDelete& retry,
             const std::vector<storage::TicketView>& tickets) {
    arm(serial, call, retry.wait);
    MarkedJobs again;
    MarkedDeliveries deliveries;
    auto ops = std::make_shared<storage::Batch>();
    for (const storage::TicketView& ticket : tickets) {
      if (ticket.state == JobState::delete_failed)
        ops->tickets.push_back({.job = ticket.job,
                                .event = JobEvent::retry_delete,
                                .next_try = cast_->clock->now(),
                                .count_try = false});
      for (const storage::Holder& holder : ticket.open)
        if (holder.what == storage::HolderKind::run && holder.owner == cast_->self)
          again.runs.push_back({ticket.job, holder.epoch, ticket.delete_id});
        else if (holder.owner == cast_->self)
          deliveries.all.push_back({ticket.job, holder.ref});
    }
    if (!deliveries.all.empty()) tell(cast_->courier, std::move(deliveries));
    if (!ops->tickets.empty()) tell_first(cast_->clerk, WriteOps{std::move(ops), {}});
    if (!again.runs.empty()) tell(cast_->foreman, std::move(again));
  }

  void force(std::uint64_t serial, const ForceDelete& force,
             const std::vector<storage::TicketView>& tickets) {
    auto ops = std::make_shared<storage::Batch>();
    for (const storage::TicketView& ticket : tickets)
      if (!ticket.forced)
        ops->forces.push_back({ticket.job, force.who, force.reason, cast_->clock->now()});
    forced_[serial] = ops->forces;
    tell_first(cast_->clerk, WriteOps{std::move(ops), [self = weak(this),
                                                       serial](Result<storage::Outcome> outcome) {
                                        tell(self, TicketsForced{serial, std::move(outcome)});
                                      }});
  }

  void tickets_forced(TicketsForced& forced) {
    const auto ops = std::exchange(forced_[forced.call], {});
    forced_.erase(forced.call);
    const auto at = calls_.find(forced.call);
    if (at == calls_.end()) return;
    const CallPtr call = at->second;
    if (!forced.outcome) {
      if (!call->answered()) call->answer(forced.outcome.error());
      return;
    }
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (!forced.outcome->forces[i].erased) continue;
      storage::VerdictOp op{.job = ops[i].job,
                            .ref = ops[i].job,
                            .owner = {},
                            .verdict = Verdict::not_confirmed,
                            .now = ops[i].now};
      storage::VerdictResult result{storage::VerdictAnswer::erased, call->id, JobState::running,
                                    Verdict::not_confirmed};
      verdict({op, result, std::nullopt});
    }
    if (!call->answered()) call->answer(call->report());
  }

  std::shared_ptr<Cast> cast_;
  std::map<std::uint64_t, CallPtr> calls_;
  std::unordered_map<JobId, std::set<std::uint64_t>> waiting_;  // who waits for which job
  std::map<std::uint64_t, std::vector<storage::ForceOp>> forced_;
  std::map<std::pair<std::uint64_t, std::size_t>, JobsMarked> unsure_;  // by call, first
  std::set<JobId> stuck_;
  std::uint64_t last_ = 0;
  bool looking_ = false;
  Millis look_wait_ = look_first;
};

}  // namespace

caf::actor spawn_deleter(caf::actor_system& system, std::shared_ptr<Cast> cast) {
  if (cast->own_threads) return system.spawn<Deleter, caf::detached>(std::move(cast));
  return system.spawn<Deleter>(std::move(cast));
}

}  // namespace quell
