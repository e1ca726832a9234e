#include "tests/actors/stage/stage.hpp"

#include <caf/all.hpp>
#include <cstring>
#include <nlohmann/json.hpp>

#include "actors/fatal.hpp"
#include "actors/send.hpp"
#include "runtime/base/assert.hpp"
#include "tests/actors/stage/stage_kinds.hpp"
#include "tests/actors/stage/traced.hpp"

namespace quell {

Stage::Stage(std::map<std::string, int> pools, int writers, RetentionRules retention)
    : registry_(stage_kinds()), ids_(clock), writers_(writers) {
  begin_another_trace();
  settings_.pools = std::move(pools);
  keep_by(retention, settings_);
  settings_.max_lost = 1'000;  // crashes are the test's business, not the job's
  settings_.delete_tries = 1'000;
  node_ = ids_.next();
  storage::OpenOptions options;
  options.unsafe = true;
  store_ = std::move(storage::open_memory(options)).value();
  reader_ = std::move(store_->open_reader()).value();
  open_life();
}

Stage::~Stage() {
  life_.reset();
}

void Stage::open_life() {
  life_ = std::make_unique<StageLife>(*store_, settings_, registry_, clock, ids_, node_, false,
                                      writers_);
  store_->on_commit(
      [this](const storage::Batch& batch) { return fate ? fate(batch) : storage::CommitFate{}; });
  life_->effects.on_start = [this](const EffectOrigin& origin) {
    if (has_tomb(origin.job) && !unproven.contains(origin.job))
      wrong.push_back("an effect of " + origin.job.text() + " started after its rows were gone");
  };
}

void Stage::crash() {
  for (const auto& call : calls) call->forlorn = call->forlorn || !call->answered();
  life_.reset();
  open_life();
}

void Stage::keep_log() {
  settings_.log = [this](LogLevel level, const std::string& text, const std::string&) {
    if (level >= LogLevel::warning) said.push_back(text);
  };
  crash();
}

void Stage::restart_with(const std::function<void(NodeSettings&)>& change) {
  change(settings_);
  crash();
}

// An answer that comes after its process died was never heard.
template <class T>
auto Stage::alive(T answer) {
  return [this, owner = life_.get(), answer](auto result) {
    if (life_.get() == owner && !owner->dead) answer(std::move(result));
  };
}

JobId Stage::submit(const std::string& kind, std::function<void(NewJob&)> change,
                    bool with_delivery) {
  // Own ids, so that a seed tells the whole story; the store's order is by id.
  NewJob job;
  ++last_job_;
  for (std::size_t i = 0; i < 8; ++i)
    job.id.bytes[15 - i] = static_cast<std::uint8_t>(last_job_ >> (8 * i));
  job.kind = kind;
  job.options.backoff = Millis{1};
  if (change) change(job);
  const JobId id = job.id;
  auto ops = std::make_shared<storage::Batch>();
  storage::EnqueueOp op{.job = std::move(job), .now = clock.now()};
  if (with_delivery) {
    storage::NewDelivery delivery{id, "", "job.created", "{}", clock.now()};
    delivery.id.bytes[0] = 0xd0;
    op.deliveries.push_back(std::move(delivery));
  }
  ops->enqueues.push_back(std::move(op));
  write(std::move(ops), [this, id](const Result<storage::Outcome>& outcome) {
    if (outcome && outcome->enqueues.front().answer == storage::EnqueueAnswer::stored)
      jobs.insert(id);
  });
  return id;
}

void Stage::write(std::shared_ptr<storage::Batch> ops,
                  std::function<void(Result<storage::Outcome>)> answer) {
  WriteOps work{std::move(ops), {}};
  if (answer) work.answer = alive(std::move(answer));
  tell(context().clerk, std::move(work));
}

std::shared_ptr<StageCall> Stage::erase(std::vector<JobId> wanted, Millis wait) {
  auto call = std::make_shared<StageCall>();
  call->request.jobs = std::move(wanted);
  call->request.who = "tester";
  call->request.wait = wait;
  asked_to_go.insert(call->request.jobs.begin(), call->request.jobs.end());
  calls.push_back(call);
  tell_first(context().deleter,
             EraseJobs{call->request, alive([this, call](const Result<DeleteReport>& report) {
                         hear(call, report);
                       })});
  return call;
}

void Stage::hear(const std::shared_ptr<StageCall>& call, const Result<DeleteReport>& report) {
  if (call->answered()) wrong.push_back("a caller was answered twice");
  if (!report) return call->errors.push_back(report.error());
  call->reports.push_back(*report);
  check_report(*report);
}

// The reply is true in the moment it is given: rows, effects and sums, job by job.
void Stage::check_report(const DeleteReport& report) {
  if (!add_up(report.counts)) wrong.push_back("counts do not add up");
  for (const JobOutcome& one : report.outcomes) {
    const bool gone = one.fate == JobFate::deleted || one.fate == JobFate::already_gone;
    if (report.complete && one.fate == JobFate::pending)
      wrong.push_back("complete, and yet pending: " + one.job.text());
    if (!gone) continue;
    if (job(one.job)) wrong.push_back("called deleted, and its row is there: " + one.job.text());
    if (!has_tomb(one.job)) wrong.push_back("called deleted without tombstone: " + one.job.text());
    const bool proven = one.verdict && proof_of(*one.verdict) == Proof::proven;
    if (proven && !unproven.contains(one.job) && life_->effects.has(one.job))
      wrong.push_back("called deleted with an effect open: " + one.job.text());
  }
}

void Stage::steer(JobId job, JobEvent event) {
  auto ops = std::make_shared<storage::Batch>();
  ops->steers.push_back({.job = job,
                         .event = event,
                         .who = "tester",
                         .now = clock.now(),
                         .expires = clock.now() + Millis{86'400'000}});
  tell_first(context().clerk, WriteOps{std::move(ops), {}});
}

void Stage::pause(const std::string& queue, bool paused) {
  tell_first(context().clerk, SetQueue{queue, "default", 1, paused});
}

void Stage::set_pool(const std::string& pool, int capacity) {
  settings_.pools[pool] = capacity;
  tell(context().foreman, SetPool{pool, capacity});
}

void Stage::retry_delete(DeleteId id) {
  tell_first(context().deleter, RetryDelete{id, Millis{1'000}, [](const Result<DeleteReport>&) {}});
}

void Stage::force_delete(DeleteId id) {
  for (const auto& ticket : tickets())
    if (ticket.delete_id == id) unproven.insert(ticket.job);
  tell_first(context().deleter,
             ForceDelete{{id, "tester", "at last"}, [](const Result<DeleteReport>&) {}});
}

std::shared_ptr<bool> Stage::drain(bool at_once) {
  auto done = std::make_shared<bool>(false);
  tell(context().foreman, DrainRuns{[done] { *done = true; }, at_once});
  return done;
}

void Stage::beat() {
  auto ops = std::make_shared<storage::Batch>();
  ops->beats.push_back({.owner = context().self});
  write(std::move(ops));
}

void Stage::land_deliveries() {
  while (life_->effects.end_delivery()) {
  }
}

bool Stage::step(std::size_t which) {
  auto& waiting = life_->scheduler().jobs;
  if (waiting.empty()) return false;
  const auto chosen = waiting.begin() + static_cast<std::ptrdiff_t>(which % waiting.size());
  std::rotate(waiting.begin(), chosen, chosen + 1);
  life_->scheduler().run_once();
  return true;
}

void Stage::run() {
  while (step(0)) {
  }
}

void Stage::run_without(const caf::actor& held) {
  const auto* kept = dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(held));
  life_->scheduler().run_jobs_filtered([kept](const caf::resumable* one) { return one != kept; });
}

void Stage::run_without(std::size_t which) {
  const auto& waiting = life_->scheduler().jobs;
  if (waiting.empty()) return;
  const caf::resumable* kept = waiting[which % waiting.size()];
  life_->scheduler().run_jobs_filtered([kept](const caf::resumable* one) { return one != kept; });
}

void Stage::turn(Millis by) {
  clock.ms += by;
  life_->timers.advance(by);
}

bool Stage::heal() {
  fate = {};
  life_->effects.manner = StageEffects::Manner::obedient;
  pause("default", false);
  for (int i = 0; i < 400; ++i) {
    run();
    check_now();
    bool busy = life_->effects.open() > 0 || !tickets().empty() || life_->metrics.runs > 0;
    const auto counts = std::move(reader_->counts("")).value();
    for (const storage::CountRow& row : counts) busy = busy || (row.n > 0 && !is_final(row.state));
    for (const auto& call : calls) busy = busy || !(call->answered() || call->forlorn);
    if (!busy) return true;
    life_->effects.end_all();
    turn(i < 20 ? Millis{200} : Millis{60'000});
  }
  return false;
}

bool Stage::settle(const std::vector<std::shared_ptr<StageCall>>& wanted) {
  for (int i = 0; i < 100; ++i) {
    run();
    check_now();
    bool done = true;
    for (const auto& call : wanted) done = done && (call->answered() || call->forlorn);
    if (done) return true;
    life_->effects.let_aborted_ones_end();
    turn(Millis{100});
  }
  return false;
}

std::optional<JobView> Stage::job(JobId id) {
  return std::move(reader_->get({id}, false)).value().front().job;
}

std::optional<JobState> Stage::state(JobId id) {
  const auto view = job(id);
  return view ? std::optional(view->state) : std::nullopt;
}

bool Stage::has_tomb(JobId id) {
  return std::move(reader_->get({id}, false)).value().front().tomb.has_value();
}

PoolView Stage::pool(const std::string& name) {
  for (const PoolView& view : life_->pools.read())
    if (view.name == name) return view;
  return {};
}

std::vector<storage::TicketView> Stage::tickets() {
  return std::move(reader_->tickets(std::nullopt, false, clock.now(), 10'000)).value();
}

std::size_t Stage::audited_deletes() {
  std::size_t sum = 0;
  const auto rows = reader_->audit(0, 100'000);
  for (const auto& row : rows.value())
    if (row.what == "delete" || row.what == "force")
      sum += nlohmann::json::parse(row.detail).at("jobs").get<std::size_t>();
  return sum;
}

void Stage::check_now() {
  for (const FatalFault& fault : life_->fallen) wrong.push_back(sentence_of(fault));
  const auto orphans = reader_->orphans();
  for (const std::string& orphan : orphans.value()) wrong.push_back("orphan: " + orphan);
  for (const PoolView& view : life_->pools.read())
    if (view.used + view.free + view.stuck < view.capacity)
      wrong.push_back("slots do not add up in " + view.name);
}

void Stage::check_nobody_waits() {
  const auto counts = std::move(reader_->counts("")).value();
  for (const storage::CountRow& row : counts)
    if (row.state == JobState::queued && row.n > 0 && pool().free > 0)
      wrong.push_back("jobs wait beside " + std::to_string(pool().free) + " free slots");
}

void Stage::check_at_rest() {
  check_now();
  for (const PoolView& view : life_->pools.read())
    if (view.free != view.capacity || view.used != 0 || view.stuck != 0)
      wrong.push_back("pool " + view.name + " at rest: free " + std::to_string(view.free) +
                      ", used " + std::to_string(view.used) + ", stuck " +
                      std::to_string(view.stuck) + " of " + std::to_string(view.capacity));
  if (life_->metrics.effects_open != 0) wrong.push_back("effects open at rest");
  if (life_->metrics.runs != 0) wrong.push_back("runs at rest");
  if (life_->metrics.runs_stuck != 0) wrong.push_back("stuck runs at rest");
  if (!tickets().empty()) wrong.push_back("tickets at rest");
  std::size_t tombs = 0;
  for (std::uint64_t n = 1; n <= last_job_; ++n) {
    JobId id;
    for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
    const auto view = job(id);
    const bool tomb = has_tomb(id);
    tombs += tomb ? 1 : 0;
    if (tomb && view) wrong.push_back("came back: " + id.text());
    if (tomb && !asked_to_go.contains(id)) wrong.push_back("nobody deleted " + id.text());
    if (jobs.contains(id) && !tomb && !view) wrong.push_back("lost: " + id.text());
    if (view && !is_final(view->state)) wrong.push_back("never ended: " + id.text());
  }
  for (const auto& call : calls)
    for (const DeleteReport& report : call->reports)
      for (const JobOutcome& one : report.outcomes)
        if (one.fate == JobFate::deleted && !has_tomb(one.job))
          wrong.push_back("an acknowledged delete came back: " + one.job.text());
  if (audited_deletes() != tombs)
    wrong.push_back("the audit knows of " + std::to_string(audited_deletes()) + " deletes, not " +
                    std::to_string(tombs));
}

}  // namespace quell
