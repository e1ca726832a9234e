#include "actors/operations/operation_runner.hpp"

#include <caf/all.hpp>
#include <map>
#include <set>

#include "actors/control_actor.hpp"
#include "actors/deletes/delete_log.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/operations/operation_erase.hpp"
#include "actors/operations/operation_messages.hpp"
#include "actors/operations/operation_outcomes.hpp"
#include "actors/operations/operation_steer.hpp"
#include "actors/operations/operation_views.hpp"
#include "actors/operations/operation_work.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

constexpr Millis again_wait{1'000}, held_wait{200};
constexpr int held_shown = 1'000;

class OperationRunner : public ControlActor {
 public:
  OperationRunner(caf::actor_config& config, const ControlSeat& seat,
                  std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat), context_(std::move(context)) {}

  caf::behavior make_behavior() override {
    look_later();
    return {
        [this](OperationsDue due) { look(due.is_timed); },
        [this](OperationsRead& read) { operations_read(read); },
        [this](const ApprovedSeen& seen) { approved_.take_up(seen.left, context_); },
        [this](OperationListed& listed) { slice_listed(listed); },
        [this](OperationNoted& noted) { this->noted(noted); },
        [this](OperationErased& erased) { slice_erased(erased); },
        [this](OperationRead& read) { slice_read(read); },
        [this](const OperationSteered& steered) { slice_steered(steered); },
        [this](OperationNext next) { go_on(next.operation); },
        [this](OperationHeld& held) { held_read(held); },
        [this](const OperationOpen& open) { open_read(open); },
        [this](OperationEnded& ended) { this->ended(ended); },
    };
  }

  void on_exit() override {
    if (timer_) context_->timers->cancel(*timer_);
    for (auto& [id, work] : works_)
      if (work.timer) context_->timers->cancel(*work.timer);
    context_.reset();
  }

 private:
  // ---- which operations there are ----
  void look_later() {
    timer_ = context_->timers->after(context_->settings->poll,
                                     [self = weak(this)] { tell(self, OperationsDue{true}); });
  }

  void look(bool is_timed) {
    if (is_timed) look_later();
    if (!context_->roles->leads(Role::janitor)) return;
    context_->readers->run(
        [self = weak(this), now = context_->clock->now()](storage::Reader& reader) {
          if (auto left = ApprovedDeletes::find(reader, now); left && !left->empty())
            tell(self, ApprovedSeen{std::move(*left)});
          auto operations = reader.docs(operation_kind, "");
          auto wishes = operations && !operations->empty()
                            ? reader.docs(operation_wish_kind, "")
                            : Result<std::vector<storage::Doc>>(std::vector<storage::Doc>{});
          tell(self, OperationsRead{std::move(operations), std::move(wishes)});
        });
  }

  void operations_read(const OperationsRead& read) {
    if (!read.operations || !read.wishes) return;
    for (const storage::Doc& doc : *read.operations) take_up(doc);
    for (const storage::Doc& doc : *read.wishes) {
      const auto id = Uuid::parse(doc.id);
      const auto at = id ? works_.find(*id) : works_.end();
      if (at == works_.end()) continue;
      at->second.wish = wish_of(doc);
      at->second.wish_version = doc.version;
    }
    std::vector<Uuid> ready;  // who goes on may be forgotten
    for (const auto& [id, work] : works_)
      if (!work.timer || work.wish_version > work.operation.obeyed) ready.push_back(id);
    for (const Uuid& id : ready) go_on(id);
  }

  // What was written by somebody else since is not ours any more, or was never seen here.
  void take_up(const storage::Doc& doc) {
    const auto id = Uuid::parse(doc.id);
    if (!id) return;
    const auto known = works_.find(*id);
    if (known != works_.end() && (known->second.busy || known->second.version >= doc.version))
      return;
    auto operation = operation_from_json(doc.body);
    if (!operation) return;
    OperationWork work;
    work.operation = std::move(*operation);
    work.version = doc.version;
    works_.insert_or_assign(*id, std::move(work));
  }

  OperationWork* find(Uuid id) {
    const auto at = works_.find(id);
    if (at == works_.end()) return nullptr;
    at->second.busy = false;
    return &at->second;
  }

  // Another node has written it, or this one may not any more: whoever leads reads it again.
  void forget(Uuid id) {
    const auto at = works_.find(id);
    if (at == works_.end()) return;
    if (at->second.timer) context_->timers->cancel(*at->second.timer);
    works_.erase(at);
  }

  void again_later(OperationWork& work, Millis wait = again_wait) {
    if (work.timer) context_->timers->cancel(*work.timer);
    work.timer = context_->timers->after(
        wait, [self = weak(this), id = work.operation.id] { tell(self, OperationNext{id}); });
  }

  void go_on(Uuid id) {
    const auto at = works_.find(id);
    if (at == works_.end()) return;
    if (at->second.timer) context_->timers->cancel(*at->second.timer);
    at->second.timer.reset();
    advance(at->second);
  }

  // ---- what comes next ----
  bool is_barred() const {
    const auto permit =
        admit_deletion(context_->deletion_rules(),
                       {.origin = DeletionOrigin::filter, .confirm = true, .approved = true});
    return !permit || *permit == DeletionPermit::would_delete;
  }

  void advance(OperationWork& work) {
    if (work.busy) return;
    if (!context_->roles->leads(Role::janitor)) return forget(work.operation.id);
    Operation& operation = work.operation;
    const OperationMove move = next_of(view_of(work, is_barred()));
    const bool changed = move.state != operation.state || move.is_stopping != operation.is_stopping;
    if (move.state == OperationState::paused && changed)
      operation.paused_by = move.by_freeze ? "freeze" : "person";
    if (move.state != OperationState::paused) operation.paused_by.clear();
    operation.is_stopping = move.is_stopping;
    operation.obeyed = std::max(operation.obeyed, work.wish_version);
    // The end is written as one: until then it is as it was.
    if (move.step == OperationStep::end) return count_open(work);
    operation.state = move.state;
    if (changed) return note(work);
    switch (move.step) {
      case OperationStep::list:
        return list(work);
      case OperationStep::act:
        return act(work);
      case OperationStep::await:
        return look_at_held(work);
      case OperationStep::rest:
        work.ahead.reset();  // who knows what still matches when it goes on
        return;
      case OperationStep::end:
        return;
    }
  }

  void list(OperationWork& work) {
    const std::int64_t size = slice_size(work.operation);
    if (size == 0) {
      work.operation.is_listed = true;
      return note(work);
    }
    if (work.ahead) return take_slice(work);
    work.busy = work.waits_for_ahead = true;
    read_ahead(work);
  }

  // The look for the next jobs and the work on those in hand take the same time twice, or once.
  void read_ahead(OperationWork& work) {
    const std::int64_t size = slice_size(work.operation);
    if (work.reads_ahead || work.ahead || work.operation.is_listed || size == 0) return;
    work.reads_ahead = true;
    storage::ListQuery query;
    query.filter = work.operation.filter;
    query.after = work.operation.after;
    query.limit = static_cast<int>(size);
    context_->readers->run([self = weak(this), id = work.operation.id,
                            query = std::move(query)](storage::Reader& reader) {
      tell(self, OperationListed{id, query.after, reader.match(query)});
    });
  }

  // It was forgotten and taken up again since, perhaps: then it may be further.
  void slice_listed(OperationListed& listed) {
    const auto at = works_.find(listed.operation);
    if (at == works_.end() || at->second.operation.after != listed.after) return;
    OperationWork& work = at->second;
    work.reads_ahead = false;
    const bool goes_on = work.operation.state == OperationState::running;
    if (listed.page && goes_on) work.ahead = std::move(*listed.page);
    if (may_go_ahead(work)) {
      take_ahead(work);
      note(work);
      return read_ahead(work);
    }
    if (!std::exchange(work.waits_for_ahead, false)) return;
    work.busy = false;
    if (!work.ahead) return again_later(work);
    advance(work);
  }

  static void take_ahead(OperationWork& work) {
    Operation& operation = work.operation;
    const storage::MatchPage page = std::move(*work.ahead);
    work.ahead.reset();
    for (const storage::FoundByFilter& one : page.jobs) operation.slice.push_back(one.job);
    operation.is_listed = !page.next;
    if (page.next) operation.after = page.next;
  }

  void take_slice(OperationWork& work) {
    take_ahead(work);
    if (work.operation.slice.empty() && !work.operation.is_listed) return advance(work);
    note(work);
    if (work.operation.per_second_max == 0) read_ahead(work);
  }

  // How far it is becomes durable before anything more is done.
  void note(OperationWork& work) { tell(context_->clerk, note_of(work)); }

  WriteOps note_of(OperationWork& work) {
    work.busy = work.is_noting = true;
    work.operation.owner = context_->self;
    auto ops = std::make_shared<storage::Batch>();
    ops->docs.push_back(operation_doc(work.operation, work.version));
    for (const storage::DocOp& page : work.pages) ops->docs.push_back(page);
    return {std::move(ops),
            [self = weak(this), id = work.operation.id](const Result<storage::Outcome>& outcome) {
              if (!outcome) return tell(self, OperationNoted{id, outcome.error()});
              tell(self, OperationNoted{id, outcome->docs.front()});
            }};
  }

  void noted(const OperationNoted& noted) {
    OperationWork* work = find(noted.operation);
    if (work == nullptr) return;
    // Written or not, nobody knows: the document tells, and the slice in it is begun again.
    if (!noted.written || !noted.written->written) {
      const Uuid id = noted.operation;
      forget(id);
      return;
    }
    work->is_noting = false;
    work->version = noted.written->version;
    work->pages.clear();
    tell_watchers(work->operation);
    if (work->in_hand > 0) return slice_noted_ahead(*work);
    if (work->rest > Millis{0}) return again_later(*work, std::exchange(work->rest, Millis{0}));
    advance(*work);
  }

  void tell_watchers(const Operation& operation) const {
    if (!context_->events->anyone()) return;
    NodeEvent event;
    event.type = "operation.updated";
    event.data = operation_event(operation);
    event.at = context_->clock->now();
    context_->events->tell(event);
  }

  // ---- a slice ----
  void act(OperationWork& work) {
    work.busy = true;
    work.slice_from = std::chrono::steady_clock::now();
    if (work.operation.verb == OperationVerb::erase) return erase(work);
    if (work.operation.per_second_max == 0) read_ahead(work);
    if (work.operation.verb == OperationVerb::cancel) return steer(work, work.operation.slice, {});
    context_->readers->run([self = weak(this), id = work.operation.id,
                            jobs = work.operation.slice](storage::Reader& reader) {
      tell(self, OperationRead{id, reader.get(jobs, true)});
    });
  }

  // The slice behind the one in hand is noted in the commit of its marks, if it is known by then:
  // a slice is one commit, and the next can follow at once.
  void erase(OperationWork& work) {
    work.turn = ++turns_;
    EraseJobs asked{
        slice_request(*context_, work.operation),
        [self = weak(this), id = work.operation.id, turn = work.turn](Result<DeleteReport> report) {
          tell(self, OperationErased{id, turn, std::move(report)});
        }};
    work.in_hand = work.operation.slice.size();
    if (may_go_ahead(work)) {
      take_ahead(work);
      asked.beside = note_of(work);
    }
    tell(context_->deleter, std::move(asked));
    if (work.operation.per_second_max == 0) read_ahead(work);
  }

  void slice_noted_ahead(OperationWork& work) {
    work.busy = true;
    if (work.erased) slice_settled(work);
  }

  void slice_erased(OperationErased& erased) {
    const auto at = works_.find(erased.operation);
    if (at == works_.end() || at->second.turn != erased.turn) return;
    at->second.erased = std::move(erased.report);
    if (!at->second.is_noting) slice_settled(at->second);
  }

  void slice_settled(OperationWork& work) {
    const Result<DeleteReport> report = std::move(*work.erased);
    work.erased.reset();
    work.busy = false;
    const std::size_t jobs = std::exchange(work.in_hand, 0);
    const std::string who = work.operation.who;
    if (is_unsure(report))
      again_later(work);
    else
      slice_done(work, jobs, count_erased(work.operation, *report));
    // The next slice is on its way by now.
    if (report) log_outcomes(*context_, who, *report);
  }

  void slice_read(const OperationRead& read) {
    OperationWork* work = find(read.operation);
    if (work == nullptr) return;
    if (!read.found) return again_later(*work);
    work->busy = true;
    work->forbidden.clear();
    std::vector<JobId> allowed;
    std::set<JobId> scheduled;
    for (std::size_t i = 0; i < read.found->size(); ++i) {
      const std::optional<JobView>& job = (*read.found)[i].job;
      const JobId id = work->operation.slice[i];
      if (job && !may_run_again(*context_, work->operation, *job)) {
        work->forbidden.push_back(id);
        continue;
      }
      if (job && job->state == JobState::scheduled) scheduled.insert(id);
      allowed.push_back(id);
    }
    if (allowed.empty()) return slice_steered({read.operation, {}, storage::Outcome{}});
    steer(*work, std::move(allowed), scheduled);
  }

  void steer(OperationWork& work, std::vector<JobId> jobs, const std::set<JobId>& scheduled) {
    auto ops = steer_ops(*context_, work, jobs, scheduled);
    tell(context_->clerk,
         WriteOps{std::move(ops), [self = weak(this), id = work.operation.id,
                                   jobs = std::move(jobs)](Result<storage::Outcome> outcome) {
                    tell(self, OperationSteered{id, jobs, std::move(outcome)});
                  }});
  }

  // Done or not, or another node has it: the document tells.
  void slice_steered(const OperationSteered& steered) {
    OperationWork* work = find(steered.operation);
    if (work == nullptr) return;
    const bool is_said =
        steered.outcome && (steered.outcome->docs.empty() || steered.outcome->docs.front().written);
    if (!is_said) {
      const Uuid id = steered.operation;
      return forget(id);
    }
    if (!steered.outcome->docs.empty()) work->version = steered.outcome->docs.front().version;
    std::string items = count_forbidden(work->operation, std::exchange(work->forbidden, {}));
    const std::string done = count_steered(work->operation, steered.jobs, steered.outcome->steers);
    if (!items.empty() && !done.empty()) items += ',';
    slice_done(*work, work->operation.slice.size(), items + done);
  }

  void keep_outcomes(OperationWork& work, const std::string& items) {
    if (items.empty()) return;
    const Uuid page = work.page.is_nil() ? context_->ids->next() : std::exchange(work.page, {});
    work.pages.push_back(outcomes_doc(work.operation, page, items, context_->clock->now()));
  }

  void slice_done(OperationWork& work, std::size_t jobs, const std::string& items) {
    Operation& operation = work.operation;
    const auto took =
        std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - work.slice_from);
    const Millis rest = pause_after(operation, jobs, took);
    operation.active += took + rest;
    operation.handled += static_cast<std::int64_t>(jobs);
    operation.slice.erase(operation.slice.begin(),
                          operation.slice.begin() + static_cast<std::ptrdiff_t>(jobs));
    keep_outcomes(work, items);
    work.rest = rest;
    // A slice that was steered says unknown until its outcomes are written: not for a pause's time.
    if (rest > Millis{0}) return note(work);
    advance(work);
  }

  // ---- the end ----
  void look_at_held(OperationWork& work) {
    work.busy = true;
    context_->readers->run([self = weak(this), id = work.operation.id,
                            now = context_->clock->now()](storage::Reader& reader) {
      tell(self, OperationHeld{id, reader.tickets(id, false, now, held_shown)});
    });
  }

  // A delete that was given up waits for a person; the operation does not.
  void held_read(const OperationHeld& held) {
    OperationWork* work = find(held.operation);
    if (work == nullptr) return;
    if (!held.tickets) return again_later(*work);
    work->has_open = std::any_of(held.tickets->begin(), held.tickets->end(), [](const auto& one) {
      return one.state == JobState::pending_delete && !one.forced;
    });
    if (work->has_open) return again_later(*work, held_wait);
    advance(*work);
  }

  void count_open(OperationWork& work) {
    if (work.operation.verb != OperationVerb::erase) return end(work);
    work.busy = true;
    context_->readers->run(
        [self = weak(this), operation = work.operation](storage::Reader& reader) {
          tell(self, OperationOpen{operation.id, look_at_open(reader, operation)});
        });
  }

  void open_read(const OperationOpen& read) {
    OperationWork* work = find(read.operation);
    if (work == nullptr) return;
    if (!read.counts) return again_later(*work);
    work->open = *read.counts;
    end(*work);
  }

  void end(OperationWork& work) {
    work.busy = true;
    Operation& operation = work.operation;
    operation.state = operation.is_stopping ? OperationState::stopped : OperationState::done;
    operation.ended = context_->clock->now();
    operation.slice.clear();
    auto ops = std::make_shared<storage::Batch>();
    if (operation.verb == OperationVerb::erase) sign(work, *ops);
    for (const storage::DocOp& page : work.pages) ops->docs.push_back(page);
    add_end(operation, work.version, *ops);
    tell(context_->clerk, WriteOps{std::move(ops), [self = weak(this), id = operation.id](
                                                       Result<storage::Outcome> outcome) {
                                     tell(self, OperationEnded{id, std::move(outcome)});
                                   }});
  }

  void sign(OperationWork& work, storage::Batch& ops) {
    Operation& operation = work.operation;
    const DeleteCounts counts = final_counts(operation, work.open);
    set_counts(operation, counts);
    operation.receipt =
        context_->sign(operation_receipt(operation, counts, context_->audit_head.read()));
    ops.calls.push_back({operation.id, counts_json(counts), operation.receipt, operation.ended});
  }

  void ended(const OperationEnded& ended) {
    OperationWork* work = find(ended.operation);
    if (work == nullptr) return;
    if (ended.outcome) tell_watchers(work->operation);
    forget(ended.operation);  // if it was not written, it is read again, and its end is made again
  }

  std::shared_ptr<NodeContext> context_;
  std::optional<Timers::Id> timer_;
  std::map<Uuid, OperationWork> works_;
  std::uint64_t turns_ = 0;
  ApprovedDeletes approved_;
};

}  // namespace

caf::actor spawn_operation_runner(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<OperationRunner>(system, ControlPlace::operations, *context, context);
}

}  // namespace quell
