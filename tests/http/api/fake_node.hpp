// A Node without actors: the memory store, asked in the caller's thread. Nothing ever runs, so a
// delete finds nobody who holds; what a delete of a running job answers is set by the test.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "actors/deletes/delete_admission.hpp"
#include "actors/node/node.hpp"
#include "actors/webhooks/endpoint_registry.hpp"
#include "runtime/base/clock.hpp"

namespace quell::http {

class FakeNode final : public Node {
 public:
  FakeNode() : ids_(system_clock()) {
    storage::OpenOptions options;
    options.unsafe = true;
    store_ = storage::open_store("memory:", options).value();
    writer_ = store_->open_writer().value();
    reader_ = store_->open_reader().value();
    add_kind("noop", "jobs:write");
    add_kind("sleep", "jobs:write");
    add_kind("exec", "jobs:exec");
    run_programs(true);
  }

  void submit(std::vector<NewJob> jobs,
              std::function<void(Result<std::vector<storage::EnqueueResult>>)> answer) override {
    if (fault) return answer(*fault);
    storage::Batch batch;
    for (NewJob& job : jobs) batch.enqueues.push_back({std::move(job), system_clock().now()});
    Result<storage::Outcome> outcome = writer_->apply(batch);
    if (!outcome) return answer(outcome.error());
    answer(std::move(outcome->enqueues));
  }

  void erase(DeleteRequest request, std::function<void(Result<DeleteReport>)> answer) override {
    if (const auto lawful = admit(rules, request); !lawful) return answer(lawful.error());
    erased.push_back(request);
    if (fault) return answer(*fault);
    if (next_report) return answer(*std::exchange(next_report, std::nullopt));
    storage::MarkOp mark;
    mark.delete_id = ids_.next();
    mark.who = request.who;
    mark.now = system_clock().now();
    mark.project = request.project;
    mark.tomb_until = mark.now + std::chrono::hours{24};
    for (const JobId& id : request.jobs)
      if (std::find(mark.jobs.begin(), mark.jobs.end(), id) == mark.jobs.end())
        mark.jobs.push_back(id);
    DeleteReport report;
    report.delete_id = mark.delete_id;
    report.at = mark.now;
    report.dry_run = request.dry_run;
    report.frozen = request.dry_run && request.frozen;
    report.complete = true;
    if (request.dry_run) {
      for (const JobId& id : mark.jobs) report.outcomes.push_back({id, JobFate::would_delete});
      return answer(std::move(report));
    }
    storage::Batch batch;
    batch.marks.push_back(mark);
    Result<storage::Outcome> outcome = writer_->apply(batch);
    if (!outcome) return answer(outcome.error());
    for (const storage::MarkedJob& marked : outcome->marks.front())
      report.outcomes.push_back(outcome_of(marked));
    report.counts = count(report.outcomes, request.jobs.size());
    report.receipt = R"({"payload":"","signatures":[]})";
    answer(std::move(report));
  }

  void steer(storage::SteerOp op,
             std::function<void(Result<storage::SteerResult>)> answer) override {
    storage::Batch batch;
    batch.steers.push_back(std::move(op));
    Result<storage::Outcome> outcome = writer_->apply(batch);
    if (!outcome) return answer(outcome.error());
    answer(std::move(outcome->steers.front()));
  }

  void retry_delete(DeleteId, Millis, std::function<void(Result<DeleteReport>)> answer) override {
    if (next_report) return answer(*std::exchange(next_report, std::nullopt));
    answer(Error{ErrorCode::resource_not_found});
  }
  Result<storage::CallView> with_late_receipt(storage::CallView call, storage::Reader&) override {
    return call;
  }
  void force_delete(ForceRequest request,
                    std::function<void(Result<DeleteReport>)> answer) override {
    if (const auto lawful = admit(rules, request); !lawful) return answer(lawful.error());
    forced.push_back(request);
    if (next_report) return answer(*std::exchange(next_report, std::nullopt));
    answer(Error{ErrorCode::resource_not_found});
  }
  void delete_task(TaskDeleteRequest,
                   std::function<void(Result<TaskDeleteReport>)> answer) override {
    answer(TaskDeleteReport{});
  }
  void delete_tasks(std::vector<Uuid> tasks, TaskDeleteRequest,
                    std::function<void(Result<TasksOrdered>)> answer) override {
    TasksOrdered ordered;
    ordered.results.resize(tasks.size());
    answer(std::move(ordered));
  }
  void freeze_deletions(FreezeOrder order, std::function<void(Result<void>)> answer) override {
    rules.frozen = order.frozen;
    answer({});
  }
  void restore(RestoreRequest request, std::function<void(Result<RestoreReport>)> answer) override {
    RestoreReport report;
    for (const JobId& job : request.jobs) report.outcomes.push_back({job, {}});
    report.asked = report.failed = report.outcomes.size();
    answer(std::move(report));
  }
  void run_retention(RetentionRun, std::function<void(Result<RetentionReport>)> answer) override {
    RetentionReport report;
    report.complete = true;
    answer(report);
  }
  void make_backup(const std::string&, std::function<void(Result<Uuid>)> answer) override {
    answer(Error{ErrorCode::resource_not_found, "no backup_dir"});
  }
  std::optional<RunningBackup> running_backup() override { return std::nullopt; }
  DeletionRules deletion_rules() const override { return rules; }
  void start_operation(OperationOrder order,
                       std::function<void(Result<Operation>)> answer) override {
    Operation operation;
    static_cast<OperationOrder&>(operation) = std::move(order);
    started.push_back(operation);
    answer(operation);
  }
  void steer_operation(const Operation&, OperationWish, const std::string&,
                       std::function<void(Result<void>)> answer) override {
    answer({});
  }
  void act_on_alert(Uuid, bool, const std::string&,
                    std::function<void(Result<ApprovedDelete>)> answer) override {
    answer(Error{ErrorCode::resource_not_found, {}});
  }
  void set_queue(const std::string& name, std::optional<bool> paused, std::optional<bool> closed,
                 std::function<void(Result<void>)> answer) override {
    QueueView& view = queues_[name];
    view.name = name;
    view.pool = "default";
    if (paused) view.paused = *paused;
    if (closed) view.closed = *closed;
    answer({});
  }
  void limit_queue(const std::string& name, const QueueLimits& limits,
                   std::optional<std::int64_t> if_version,
                   std::function<void(Result<storage::DocResult>)> answer) override {
    const storage::DocResult done = put("queue", name, if_version);
    if (done.written) {
      QueueView& view = queues_[name];
      view.name = name;
      view.pool = "default";
      view.limits = limits;
    }
    answer(done);
  }
  void set_pool(const std::string& name, int capacity, std::optional<std::int64_t> if_version,
                std::function<void(Result<storage::DocResult>)> answer) override {
    const storage::DocResult done = put("pool", name, if_version);
    if (done.written) capacity_ = capacity;
    answer(done);
  }
  void set_secret(SecretSetting secret, std::function<void(Result<void>)> answer) override {
    std::erase_if(secrets_, [&secret](const auto& s) { return s.name == secret.name; });
    secrets_.push_back({secret.name, secret.project, secret.hosts});
    answer({});
  }
  void remove_secret(const std::string& project, const std::string& name,
                     std::function<void(Result<bool>)> answer) override {
    answer(std::erase_if(secrets_, [&](const auto& s) {
             return s.name == name && s.project == project;
           }) > 0);
  }
  std::vector<SecretView> secrets() override { return secrets_; }
  EndpointRegistry& endpoints() override { return endpoints_; }
  void write(storage::Batch batch, std::function<void(Result<storage::Outcome>)> answer) override {
    if (docs_are_lost) {
      storage::Outcome refused;
      refused.docs.resize(batch.docs.size());
      for (auto& doc : refused.docs) doc.written = false;
      return answer(std::move(refused));
    }
    answer(writer_->apply(batch));
  }
  void read(std::function<void(storage::Reader&)> work) override { work(*reader_); }

  std::vector<PoolView> pools() override { return {{"default", capacity_, 0, capacity_, 0, 0}}; }
  std::vector<QueueView> queues() override {
    std::vector<QueueView> all;
    for (const auto& [name, view] : queues_) all.push_back(view);
    return all;
  }
  void ask_runs(std::vector<JobId>, std::function<void(Result<FleetRuns>)> answer) override {
    answer(FleetRuns{{}, 1, {}});
  }
  std::vector<FleetNode> fleet() override { return nodes; }
  void order_node(const storage::NodeLife& node, bool stop,
                  std::function<void(Result<void>)> answer) override {
    orders.emplace_back(node, stop);
    answer({});
  }
  Health health() override { return {ready, {{"store", ready ? "ok" : "gone"}}}; }
  std::string metrics() override { return "quell_fake 1\n"; }
  std::uint64_t subscribe(std::function<void(const NodeEvent&)> watcher) override {
    watchers[++last_watcher_] = std::move(watcher);
    return last_watcher_;
  }
  void unsubscribe(std::uint64_t id) override { watchers.erase(id); }
  void reload_tasks() override {}
  void fell(const std::string&, const std::exception_ptr&) override {}
  storage::NodeLife self() const override { return {}; }
  const NodeSettings& settings() const override { return settings_; }
  const Registry& registry() const override { return registry_; }
  void run_programs(bool on) { settings_.exec_enabled = on; }
  std::string public_key_pem() const override { return "-----BEGIN PUBLIC KEY-----\n"; }
  std::string signature_of(std::string_view) const override { return std::string(64, 's'); }
  IdSource& ids() override { return ids_; }
  bool stop(Millis) override { return true; }

  // Moves every queued job of `queue` to running, as if this node had claimed it.
  std::vector<storage::ClaimedJob> claim(const std::string& queue, int limit) {
    storage::Batch batch;
    batch.claims.push_back({queue, limit, {}, system_clock().now()});
    return std::move((*writer_->apply(batch)).claims.front());
  }
  Result<storage::Outcome> apply(const storage::Batch& batch) { return writer_->apply(batch); }

  std::vector<FleetNode> nodes;                            // of the fleet, as last seen
  std::vector<std::pair<storage::NodeLife, bool>> orders;  // stop or drain
  std::optional<Error> fault;                              // of submit and erase
  std::optional<DeleteReport> next_report;                 // instead of asking the store
  std::vector<DeleteRequest> erased;                       // what erase() was asked, and may
  std::vector<ForceRequest> forced;                        // as well
  DeletionRules rules;
  std::vector<Operation> started;
  std::map<std::uint64_t, std::function<void(const NodeEvent&)>> watchers;
  bool ready = true;
  bool docs_are_lost = false;  // every write of a document finds another one there, which is gone

 private:
  storage::DocResult put(const std::string& kind, const std::string& id,
                         std::optional<std::int64_t> if_version) {
    storage::Batch batch;
    batch.docs.push_back({kind, id, "default", "{}", if_version, {}});
    return (*writer_->apply(batch)).docs.front();
  }

  void add_kind(std::string name, std::string scope) {
    Kind kind;
    kind.run = [](JobContext) -> Task { co_return ""; };
    kind.scope = std::move(scope);
    registry_.add(std::move(name), std::move(kind));
  }

  static JobOutcome outcome_of(const storage::MarkedJob& marked) {
    JobOutcome outcome;
    outcome.job = marked.job;
    outcome.was = marked.was;
    outcome.deleted_at = marked.deleted_at;
    switch (marked.answer) {
      case storage::MarkAnswer::erased:
        outcome.fate = JobFate::deleted;
        outcome.verdict = Verdict::not_running;
        outcome.mark = outcome.stop = outcome.release = outcome.erase = true;
        break;
      case storage::MarkAnswer::held:
      case storage::MarkAnswer::joined:
        outcome.fate = JobFate::pending;
        outcome.delete_id = marked.delete_id;
        outcome.mark = true;
        break;
      case storage::MarkAnswer::already_gone:
        outcome.fate = JobFate::already_gone;
        break;
      case storage::MarkAnswer::not_found:
        outcome.fate = JobFate::not_found;
        break;
      case storage::MarkAnswer::protected_job:
        outcome.fate = JobFate::failed;
        outcome.error = Error{ErrorCode::protected_job};
        break;
      case storage::MarkAnswer::refused:
        outcome.fate = JobFate::failed;
        outcome.error = Error{ErrorCode::internal, marked.refusal};
        break;
    }
    if (outcome.fate == JobFate::already_gone || outcome.fate == JobFate::not_found)
      outcome.was = std::nullopt;
    return outcome;
  }

  IdSource ids_;
  EndpointRegistry endpoints_{SecretBox(SecretBox::Key{})};
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Writer> writer_;
  std::unique_ptr<storage::Reader> reader_;
  std::map<std::string, QueueView> queues_;
  std::vector<SecretView> secrets_;
  int capacity_ = 1000;
  std::uint64_t last_watcher_ = 0;
  NodeSettings settings_;
  Registry registry_;
};

}  // namespace quell::http
