// The supervisor of deletes with a list in the place of every actor.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/deletes/delete_supervisor.hpp"
#include "runtime/law/trace.hpp"
#include "tests/storage/conformance/manual_clock.hpp"

namespace quell {

struct DeleteOrders final : DeletePorts {
  void mark(MarkJobs mark) override { marks.push_back(std::move(mark)); }
  void write(std::shared_ptr<storage::Batch> ops) override { written.push_back(*ops); }
  void write_first(std::shared_ptr<storage::Batch> ops) override { written_first.push_back(*ops); }
  void pass_on(storage::Orders orders) override { passed.push_back(std::move(orders)); }
  void fence(std::shared_ptr<storage::Batch> ops, std::vector<storage::Tombstone> read) override {
    EXPECT_EQ(ops->fences.size(), 1u);
    fences.push_back(std::move(read));
  }
  void force(CallNumber call, std::shared_ptr<storage::Batch> ops) override {
    forces.emplace_back(call, ops->forces);
  }
  void read_states(CallNumber call, std::vector<JobId> jobs) override {
    looks.emplace_back(call, std::move(jobs));
  }
  void read_tickets(const DeleteId&, Instant, std::shared_ptr<const RetryDelete> retry,
                    std::shared_ptr<const ForceDelete> force) override {
    retries.push_back(std::move(retry));
    forced.push_back(std::move(force));
  }
  Timers::Id remind(Millis time, Reminder of) override {
    reminders.emplace_back(time, of);
    return {time, reminders.size()};
  }
  void forget(const Timers::Id& reminder) override { forgotten.push_back(reminder.second); }

  template <class One>
  std::vector<Millis> waits_for() const {
    std::vector<Millis> waits;
    for (const auto& [time, of] : reminders)
      if (std::holds_alternative<One>(of)) waits.push_back(time);
    return waits;
  }

  std::vector<MarkJobs> marks;
  std::vector<storage::Batch> written, written_first;
  std::vector<storage::Orders> passed;
  std::vector<std::vector<storage::Tombstone>> fences;
  std::vector<std::pair<CallNumber, std::vector<storage::ForceOp>>> forces;
  std::vector<std::pair<CallNumber, std::vector<JobId>>> looks;
  std::vector<std::shared_ptr<const RetryDelete>> retries;
  std::vector<std::shared_ptr<const ForceDelete>> forced;
  std::vector<std::pair<Millis, Reminder>> reminders;
  std::vector<std::uint64_t> forgotten;
};

class DeleteSupervisorTest : public testing::Test {
 protected:
  DeleteSupervisorTest() {
    EXPECT_TRUE(traces::open("").ok());  // steps of a part are not a trace of the whole
    context->settings = &settings;
    context->clock = &clock;
    context->timers = &timers;
    context->metrics = &metrics;
    context->ids = &ids;
    context->self = {ids.next(), 1};
    context->at_best = [this] { return at_best; };
    context->sign = [](const std::string& payload) { return "signed " + payload; };
  }
  DeleteSupervisor& deletes() {
    if (!supervisor) supervisor.emplace(context, orders);
    return *supervisor;
  }

  // What somebody was told of a delete, in order.
  using Told = std::shared_ptr<std::vector<Result<DeleteReport>>>;
  static auto hear(const Told& told) {
    return [told](Result<DeleteReport> report) { told->push_back(std::move(report)); };
  }
  Told erase(std::vector<JobId> jobs, const std::function<void(DeleteRequest&)>& change = {}) {
    auto told = std::make_shared<std::vector<Result<DeleteReport>>>();
    DeleteRequest request;
    request.jobs = std::move(jobs);
    request.who = "tester";
    if (change) change(request);
    deletes().begin({std::move(request), hear(told)});
    return told;
  }

  storage::MarkedJob answered(JobId job, storage::MarkAnswer answer) const {
    storage::MarkedJob marked;
    marked.job = job;
    marked.answer = answer;
    marked.delete_id = orders.marks.at(0).mark.delete_id;
    marked.was = JobState::running;
    return marked;
  }
  storage::MarkedJob held(JobId job) const {
    storage::MarkedJob marked = answered(job, storage::MarkAnswer::held);
    marked.open = {run_of(job)};
    return marked;
  }
  storage::Holder run_of(JobId job) const {
    return {storage::HolderKind::run, job, context->self, 1};
  }
  void marked(std::uint64_t call, std::vector<storage::MarkedJob> jobs,
              storage::Durability durability = storage::Durability::local) {
    const auto count = jobs.size();
    deletes().marked({call, 0, count, std::move(jobs), durability});
  }
  void mark_is_unknown(std::uint64_t call, std::size_t count = 1) {
    deletes().marked({call, 0, count, Error{ErrorCode::store_unavailable, "it is away"}});
  }
  void verdict(JobId job, storage::VerdictAnswer answer, int slots = 1,
               storage::Durability durability = storage::Durability::local,
               storage::HolderKind what = storage::HolderKind::run) {
    JobVerdict message;
    message.verdict = {.job = job,
                       .what = what,
                       .ref = job,
                       .owner = context->self,
                       .epoch = 1,
                       .verdict = Verdict::stopped,
                       .now = clock.now()};
    message.result.answer = answer;
    message.result.was = JobState::running;
    message.result.verdict = Verdict::stopped;
    message.down.emplace().slots_freed = slots;
    message.durability = durability;
    deletes().verdict(message);
  }
  void is_gone(JobId job, storage::Durability durability = storage::Durability::local) {
    verdict(job, storage::VerdictAnswer::erased, 1, durability);
  }
  storage::Found tomb_of(JobId job) const {
    storage::Found found;
    found.tomb.emplace();
    found.tomb->job = job;
    found.tomb->delete_id = orders.marks.at(0).mark.delete_id;
    found.tomb->was = JobState::running;
    found.tomb->verdict = Verdict::process_died;
    return found;
  }
  storage::TicketView ticket_of(JobId job, JobState state = JobState::pending_delete) const {
    storage::TicketView ticket;
    ticket.job = job;
    ticket.state = state;
    ticket.was = JobState::running;
    ticket.open = {run_of(job)};
    return ticket;
  }
  Told force(std::vector<storage::TicketView> tickets) {
    auto told = std::make_shared<std::vector<Result<DeleteReport>>>();
    deletes().force({{.delete_id = ids.next(), .who = "admin", .reason = "it hangs"}, hear(told)});
    TicketsRead read{nullptr, orders.forced.back(), std::move(tickets)};
    deletes().tickets_read(read);
    return told;
  }
  static storage::Outcome forced(bool is_erased) {
    storage::Outcome outcome;
    outcome.forces.emplace_back().erased = is_erased;
    outcome.forces.back().was = JobState::running;
    return outcome;
  }
  std::size_t receipts() const {
    std::size_t count = 0;
    for (const storage::Batch& batch : orders.written)
      for (const storage::CallOp& call : batch.calls) count += call.receipt.empty() ? 0 : 1;
    return count;
  }

  storage::ManualClock clock;
  ManualTimers timers;
  Metrics metrics;
  IdSource ids{clock};
  NodeSettings settings;
  storage::Durability at_best = storage::Durability::local;
  std::shared_ptr<NodeContext> context = std::make_shared<NodeContext>();
  DeleteOrders orders;
  std::optional<DeleteSupervisor> supervisor;
};

}  // namespace quell
