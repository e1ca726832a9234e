#include "actors/deletes/delete_supervisor.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/deletes/delete_admission.hpp"
#include "actors/deletes/delete_log.hpp"
#include "actors/node/mutant.hpp"
#include "actors/writes/commit_trace.hpp"
#include "runtime/law/trace.hpp"

namespace quell {

namespace {

// One slice is one mark: a large call is a row of short transactions, and others get their turn
// between them.
constexpr std::size_t slice_max = 500;
// An operation asks for so many at most, and leaves the others their turn before it asks again.
constexpr std::size_t at_once_max = 2'000;
std::size_t slice_max_of(const DeleteRequest& request) {
  return request.of_operation ? at_once_max : slice_max;
}
// Verdicts of other nodes, and of commits whose outcome was unknown, are found by looking.
constexpr Millis mark_again_wait{100};
// So long behind the caller's time the store may still answer its mark.
constexpr Millis overdue_wait{1'500};
constexpr Millis look_last{200};

}  // namespace

DeleteSupervisor::DeleteSupervisor(std::shared_ptr<NodeContext> context, DeletePorts& ports)
    : context_(std::move(context)), ports_(ports), awaited_(context_->self) {}

void DeleteSupervisor::close() {
  for (auto& [serial, call] : calls_) cancel_timer(*call);
}

// ---- mark ----
void DeleteSupervisor::begin(EraseJobs erase) {
  const Instant now = context_->clock->now();
  const CallNumber serial = ++last_;
  auto call = std::make_shared<DeleteCall>(context_->ids->next(), std::move(erase.request),
                                           std::move(erase.answer), now,
                                           context_->settings->require_replicated);
  calls_.emplace(serial, call);
  if (call->request.dry_run) return ports_.read_states(serial, call->jobs());
  const std::vector<JobId> jobs = call->jobs();
  if (jobs.empty()) return settle(serial, *call);
  arm(serial, *call, call->request.wait);
  const std::size_t most = slice_max_of(call->request);
  for (std::size_t first = 0; first < jobs.size(); first += most)
    mark_slice(serial, *call, jobs, first,
               first + most < jobs.size() ? WriteOps{} : std::move(erase.beside));
}

void DeleteSupervisor::mark_slice(CallNumber serial, const DeleteCall& call,
                                  const std::vector<JobId>& jobs, std::size_t first,
                                  WriteOps beside) {
  const std::size_t most = slice_max_of(call.request);
  const Instant now = context_->clock->now();
  const auto from = jobs.begin() + static_cast<std::ptrdiff_t>(first);
  const auto count = std::min(most, jobs.size() - first);
  storage::MarkOp mark{.delete_id = call.id,
                       .who = call.request.who,
                       .reason = call.request.reason,
                       .path = call.request.path,
                       .now = now,
                       .jobs = {from, from + static_cast<std::ptrdiff_t>(count)},
                       .project = call.request.project};
  mark.copy_until = copy_until(call.request, *context_->settings, now);
  mark.tomb_until = now + context_->settings->tomb_keep;
  mark.keep_receipt = call.request.keep_receipt;
  mark.in_summary = call.in_summary();
  mark.slice = static_cast<int>(first / most);
  mark.protection = context_->protection;
  mark.slices = static_cast<int>((jobs.size() + most - 1) / most);
  if (call.request.of_operation) {  // more may come, until the operation has its last word
    mark.slice = 0;
    mark.slices = 2;
  }
  ports_.mark({serial, first, std::move(mark), std::move(beside)});
}

void DeleteSupervisor::marked(const SliceMarked& slice) {
  const auto at = calls_.find(slice.call);
  QUELL_ASSERT(at != calls_.end());
  const CallPtr call = at->second;
  const bool unknown = !slice.jobs && slice.jobs.error().code == ErrorCode::store_unavailable;
  if (unknown && !call->answered() && !call->is_overdue) {
    // Marked or not, nobody knows; the same mark again tells, and changes nothing if it was.
    unsure_.insert_or_assign(std::pair(slice.call, slice.first), slice);
    ports_.remind(mark_again_wait, MarkAgain{slice.call, slice.first});
    return;
  }
  call->marked_at = context_->clock->now();
  note_step("mark", *call);
  for (const JobId& job : call->marked(slice)) wait_for(job, slice.call);
  if (slice.jobs)
    for (const storage::MarkedJob& job : *slice.jobs) awaited_.held_by(job.job, job.open);
  after_change(slice.call, *call);
}

// Since the step before, of the whole call.
void DeleteSupervisor::note_step(const char* step, DeleteCall& call) {
  const auto now = std::chrono::steady_clock::now();
  context_->metrics->delete_step.note(step, now - std::exchange(call.step_from, now));
}

// Of one job that somebody held: until its holder was down, and from there until its rows were
// gone.
void DeleteSupervisor::note_steps(const JobVerdict& message, DeleteCall& call) {
  if (call.marked_at == Instant{}) return;
  context_->metrics->delete_step.note("stop", message.verdict.now - call.marked_at);
  context_->metrics->delete_step.note("erase", context_->clock->now() - message.verdict.now);
  call.step_from = std::chrono::steady_clock::now();
}

void DeleteSupervisor::mark_again(const MarkAgain& again) {
  if (unsure_.erase({again.call, again.first}) == 0) return;
  const CallPtr call = calls_.at(again.call);
  mark_slice(again.call, *call, call->jobs(), again.first, {});
}

// The caller's time is up: what is unsure is called failed, with the store's own words.
void DeleteSupervisor::give_up_marking(CallNumber serial, DeleteCall& call) {
  auto at = unsure_.lower_bound({serial, 0});
  while (at != unsure_.end() && at->first.first == serial) {
    call.marked(at->second);
    at = unsure_.erase(at);
  }
}

void DeleteSupervisor::wait_for(JobId job, CallNumber serial) {
  awaited_.add(job, serial);
  if (stuck_.contains(job)) calls_.at(serial)->stuck(job);
  if (!looking_) look_later(look_first);
}

// ---- stop, release, erase: told by the Clerk after each commit ----
void DeleteSupervisor::verdict(const JobVerdict& message) {
  const bool gone = message.result.answer == storage::VerdictAnswer::erased ||
                    (message.result.answer == storage::VerdictAnswer::waiting &&
                     mutated(Mutant::waiting_is_erased));
  // Without its replica the job is still waited for: the store is asked until it has one.
  const bool erased = gone && (!context_->settings->require_replicated ||
                               message.durability == storage::Durability::replicated);
  if (message.result.answer != storage::VerdictAnswer::waiting) stuck_.erase(message.verdict.job);
  awaited_.note_verdict(message.verdict.job, message.verdict);
  const auto serials = awaited_.calls_of(message.verdict.job);
  // Said before, and the commit was not heard of: the store is asked, but only we know of slots.
  if (message.result.answer == storage::VerdictAnswer::unknown &&
      (!message.down || message.down->slots_freed == 0))
    return;
  const bool of_run = message.verdict.what == storage::HolderKind::run;
  for (const CallNumber serial : serials) {
    const CallPtr call = calls_.at(serial);
    if (!of_run && message.verdict.verdict == Verdict::stopped)
      call->delivery_aborted(message.verdict.job);
    if (erased) note_steps(message, *call);
    if (erased)
      call->erased(message.verdict.job, message.result, message.down ? &*message.down : nullptr,
                   context_->clock->now(), message.durability);
    else if (gone)
      call->erased_here_only(message.verdict.job);
    if (!erased && of_run && message.down) call->run_down(message.verdict.job, *message.down);
  }
  if (!erased) return;
  awaited_.over(message.verdict.job);
  for (const CallNumber serial : serials) after_change(serial, *calls_.at(serial));
}

void DeleteSupervisor::run_stuck(JobId job) {
  stuck_.insert(job);  // the Foreman's word may come before the Clerk's
  storage::VerdictResult lie;
  lie.verdict = Verdict::stopped;
  for (const CallNumber serial : awaited_.calls_of(job)) {
    const CallPtr call = calls_.at(serial);
    if (mutated(Mutant::stuck_is_deleted))
      call->erased(job, lie, nullptr, context_->clock->now(), storage::Durability::local);
    else
      call->stuck(job);
    after_change(serial, *call);
  }
}

// ---- answer ----
void DeleteSupervisor::after_change(CallNumber serial, DeleteCall& call) {
  if (call.settled()) return settle(serial, call);
  // Nothing more will come soon: say so now instead of letting the caller wait for nothing.
  const bool is_late = call.is_overdue && call.is_marked();
  if ((is_late || call.only_stuck_left()) && !call.answered()) call.answer(call.report());
}

void DeleteSupervisor::settle(CallNumber serial, DeleteCall& call) {
  const CallPtr keep = calls_.at(serial);
  cancel_timer(call);
  calls_.erase(serial);
  DeleteReport report = call.report();
  context_->metrics->deleted += report.counts.deleted;
  context_->metrics->delete_unproven += report.counts.unproven;
  const bool is_own = !call.request.dry_run && !call.request.of_operation;
  const bool did_something = is_own && report.counts.deleted > 0;
  const bool worth_keeping = did_something && call.request.keep_receipt;
  // One that found nothing to delete has no receipt, but its counts say so.
  const bool is_told_later = is_own && call.request.keep_receipt;
  if (worth_keeping)
    report.receipt =
        context_->sign(receipt_payload(report, call.request, context_->audit_head.read()));
  if (is_told_later || (did_something && call.in_summary())) {
    auto ops = std::make_shared<storage::Batch>();
    ops->calls.push_back({report.delete_id, counts_json(report.counts), report.receipt});
    if (call.in_summary()) ops->calls.back().over = context_->clock->now();
    ports_.write(std::move(ops));
  }
  if (!call.request.dry_run) note_protected(call.request, report);
  // An operation logs what it is told, while its next slice is on its way.
  const bool is_logged_there = call.request.of_operation && !call.answered();
  if (!call.request.dry_run && !is_logged_there) log_outcomes(*context_, call.request.who, report);
  if (call.answered()) return;
  call.answer(std::move(report));
  if (!call.request.dry_run) note_step("answer", call);
}

void DeleteSupervisor::note_protected(const DeleteRequest& request, const DeleteReport& report) {
  if (protected_jobs(report) == 0) return;
  auto ops = std::make_shared<storage::Batch>();
  ops->audits.push_back(refusal_of_protected(request, report));
  ports_.write(std::move(ops));
}

void DeleteSupervisor::arm(CallNumber serial, DeleteCall& call, Millis wait) {
  call.timer = ports_.remind(wait, WaitOver{serial});
}

void DeleteSupervisor::cancel_timer(DeleteCall& call) {
  if (call.timer) ports_.forget(*call.timer);
  call.timer.reset();
}

void DeleteSupervisor::wait_over(CallNumber serial) {
  const auto at = calls_.find(serial);
  if (at == calls_.end() || at->second->answered()) return;
  const CallPtr call = at->second;
  call->timer.reset();
  give_up_marking(serial, *call);
  if (call->settled()) return settle(serial, *call);
  // "Accepted" is a promise that a crash must not break: it is not given before the mark is
  // there.
  if (!call->is_marked()) {
    call->is_overdue = true;
    call->timer = ports_.remind(overdue_wait, MarkOverdue{serial});
    return;
  }
  call->answer(call->report());
}

// The commit waits, for a standby perhaps. It must not be cancelled, or it would count without
// one; but nobody has to wait for it.
void DeleteSupervisor::mark_overdue(CallNumber serial) {
  const auto at = calls_.find(serial);
  if (at == calls_.end() || at->second->answered()) return;
  at->second->timer.reset();
  at->second->answer(Error{ErrorCode::store_unavailable,
                           "the store has not answered in time: the delete may have been made, "
                           "and is not known to be replicated"});
}

// ---- dry run, and verdicts said elsewhere ----
void DeleteSupervisor::states_read(const StatesRead& read) {
  if (read.call == 0) return stored_verdicts(read.found);
  const auto at = calls_.find(read.call);
  if (at == calls_.end()) return;
  const CallPtr call = at->second;
  if (!read.found) {
    calls_.erase(read.call);
    return call->answer(read.found.error());
  }
  call->would_delete(*read.found, context_->protection);
  settle(read.call, *call);
}

void DeleteSupervisor::look_later(Millis delay) {
  looking_ = true;
  look_wait_ = delay;
  ports_.remind(delay, LookAtStore{});
}

// A hint is a look out of turn; the row of timed ones goes on beside it.
void DeleteSupervisor::look_at_store(bool hinted) {
  looking_ = looking_ && hinted;
  if (awaited_.empty()) return;
  ports_.read_states(0, awaited_.next_slice(slice_max));
  const bool is_over = awaited_.is_round_over();
  if (!hinted) look_later(is_over ? std::min(look_wait_ * 2, look_last) : look_first);
}

void DeleteSupervisor::stored_verdicts(const Result<std::vector<storage::Found>>& found) {
  if (!found) return;
  std::vector<storage::Tombstone> tombs;
  const Millis now = context_->timers->now();
  for (const storage::Found& one : *found)
    if (one.tomb && !one.job && awaited_.believes_gone(one.tomb->job, now))
      tombs.push_back(*one.tomb);
  if (tombs.empty()) return;
  const storage::Durability best = context_->at_best();
  if (best != storage::Durability::replicated) return conclude(tombs, best);
  fence(std::move(tombs));
}

// A tombstone can be seen although no standby has it: behind a crash of the server, say, while
// its commit waited for one. A commit of our own that is behind it tells.
void DeleteSupervisor::fence(std::vector<storage::Tombstone> tombs) {
  if (std::exchange(fencing_, true)) return;  // the next look finds them again
  auto ops = std::make_shared<storage::Batch>();
  ops->fences.emplace_back();
  ports_.fence(std::move(ops), std::move(tombs));
}

void DeleteSupervisor::read_fenced(const ReadFenced& read) {
  fencing_ = false;
  if (read.durability) conclude(read.tombs, *read.durability);
}

void DeleteSupervisor::conclude(const std::vector<storage::Tombstone>& tombs,
                                storage::Durability durability) {
  for (const storage::Tombstone& tomb : tombs) {
    trace_gone(tomb.job, tomb.verdict);
    verdict(verdict_of(tomb, durability));
  }
}

}  // namespace quell
