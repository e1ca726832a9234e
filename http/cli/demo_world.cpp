#include "http/cli/demo_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "actors/safeguards/alert.hpp"
#include "http/cli/demo_tables.hpp"
#include "http/server/version.hpp"
#include "runtime/policy/schedule_terms.hpp"

namespace quell::cli {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr Millis day_step{5min}, world_day{24h};
constexpr int jobs_at_the_end = 3'040;  // forty of them go with an operation, once it is served
constexpr int demo_attempts = 2;
constexpr Millis kept_ok{24h * 7}, kept_failed{24h * 30}, copies_kept{24h * 14},
    stones_kept{24h * 90};

struct Run {
  JobId job;
  int epoch = 0, attempt = 1;
  const DemoKind* kind = nullptr;
  std::size_t worker = 0;
  Instant started, ends;
};

class Day {
 public:
  Day(storage::Writer& writer, const WorldOptions& options)
      : writer_(writer), options_(options), dice_(options.seed), workers_(workers_of_the_world()) {}

  Result<std::vector<FleetNode>> live() {
    const Instant begin = options_.now - world_day;
    for (const auto act : {&Day::arrive, &Day::plan})
      if (Result<void> done = (this->*act)(begin); !done) return done.error();
    for (Instant from = begin; from < options_.now; from += day_step)
      if (Result<void> done = pass(from, from + day_step); !done) return done.error();
    for (const auto act : {&Day::speak, &Day::rest})
      if (Result<void> done = (this->*act)(options_.now); !done) return done.error();
    return views();
  }

 private:
  std::string who(std::string_view name) const {
    return fmt::format("token:{}#{:08x}", name, std::hash<char>{}(name.front()) * 2654435761U);
  }

  // ---- workers ----
  std::string info(const DemoWorker& worker) const {
    json pools = json::array();
    int running = 0;
    for (const DemoShare& share : worker.shares) {
      running += share.used;
      if (options_.frozen)
        pools.push_back({{"name", share.pool},
                         {"capacity", share.slots},
                         {"used", share.used},
                         {"free", share.slots - share.used},
                         {"stuck", 0}});
    }
    return json{{"name", worker.name},      {"host", worker.host}, {"pid", worker.pid},
                {"version", http::version}, {"state", "up"},       {"running", running},
                {"pools", std::move(pools)}}
        .dump();
  }

  Result<void> arrive(Instant at) {
    storage::Batch batch;
    for (const DemoWorker& worker : workers_)
      batch.starts.push_back({dice_.id(at), info(worker), at, std::string{worker.name}, {}});
    auto done = writer_.apply(batch);
    if (!done) return done.error();
    for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i].life = done->starts[i];
    return {};
  }

  std::vector<FleetNode> views() const {
    std::vector<FleetNode> views;
    for (const DemoWorker& worker : workers_)
      views.push_back({{worker.life, 1, false, info(worker)},
                       worker.name == silent_worker ? Millis{41s} : Millis{1'200}});
    return views;
  }

  DemoShare* free_share(std::string_view pool, std::size_t& at) {
    for (at = 0; at < workers_.size(); ++at)
      for (DemoShare& share : workers_[at].shares)
        if (share.pool == pool && share.used < share.slots) return &share;
    return nullptr;
  }

  void give_back(const Run& run) {
    for (DemoShare& share : workers_[run.worker].shares)
      if (share.pool == run.kind->pool) --share.used;
  }

  // ---- schedules ----
  struct Planned {
    Uuid id;
    const DemoPlan* plan;
    ScheduleTerms terms;
    Instant created;
    std::optional<Instant> next;
  };

  Result<void> plan(Instant at) {
    storage::Batch batch;
    for (const DemoPlan& one : plans_of_the_world) {
      Planned made{dice_.id(at), &one, {}, at, {}};
      made.terms.times.cron = one.cron;
      made.terms.times.zone = one.zone;
      made.terms.times.every = std::chrono::minutes{one.every_minutes};
      made.terms.job.kind = one.kind.name;
      made.terms.job.queue = one.kind.queue;
      made.terms.job.args = demo_args(one.kind, dice_);
      const auto times = ScheduleTimes::make(made.terms.times, at);
      if (!times) return times.error();
      if (!one.paused) made.next = times->next(at);
      storage::ScheduleRow row;
      row.id = made.id;
      row.group = one.group;
      row.name = one.name;
      row.status = one.paused ? ScheduleStatus::disabled : ScheduleStatus::active;
      row.terms = to_json(made.terms);
      row.next = row.wake = made.next;
      batch.schedule_puts.push_back({row, at, 0});
      batch.audits.push_back({at, who("alice"), "schedule.created", made.id.text(), "{}"});
      planned_.push_back(std::move(made));
    }
    auto done = writer_.apply(batch);
    return done ? Result<void>() : Result<void>(done.error());
  }

  void fire(storage::Batch& batch, Instant to) {
    for (Planned& one : planned_) {
      if (!one.next || *one.next > to) continue;
      const auto times = ScheduleTimes::make(one.terms.times, one.created);
      storage::FireOp op;
      op.task = one.id;
      op.version = 1;
      op.now = op.look_again = *one.next;
      op.if_next = one.next;
      op.jobs.push_back(
          {*one.next, job_of_fire(one.terms, one.id, "default", *one.next, *one.next), {}});
      one.next = times->next(*one.next);
      op.next = op.wake = one.next;
      batch.fires.push_back(std::move(op));
      ++alive_;
    }
  }

  // ---- births ----
  NewJob newborn(const DemoKind& kind, Instant at) {
    NewJob job;
    job.id = dice_.id(at);
    job.kind = kind.name;
    job.queue = kind.queue;
    job.args = demo_args(kind, dice_);
    job.priority = dice_.percent(12) ? 8 : default_priority;
    job.options.max_attempts = demo_attempts;
    job.options.tags = demo_tags(kind, dice_);
    return job;
  }

  void bear(storage::Batch& batch, Instant from, Instant to) {
    // The morning is busier than the night; the last half hour is what the pages show as waiting.
    const auto hour = std::chrono::duration_cast<std::chrono::hours>(options_.now - from).count();
    const bool last = options_.now - from <= 30min;
    const int births = last ? 40 : hour < 3 ? dice_.between(14, 22) : dice_.between(6, 13);
    for (int i = 0; i < births && alive_ < jobs_at_the_end - 24; ++i) {
      const Instant at = from + Millis{dice_.below(static_cast<int>((to - from).count() / 3))};
      batch.enqueues.push_back({newborn(dice_.kind(), at), at});
      ++alive_;
    }
    // Of these an operation deletes forty, once the world is served.
    for (int i = 0; hour == 13 && i < 4 && leftovers_ < 40; ++i, ++leftovers_, ++alive_) {
      NewJob job = newborn(demo_kinds[2], from + Millis{i});
      job.options.tags = {"smoke-test"};
      job.run_at = options_.now + 240h;
      batch.enqueues.push_back({std::move(job), from});
    }
  }

  // ---- runs ----
  void claim(storage::Batch& batch, Instant from) {
    for (const DemoKind& kind : demo_kinds) {
      const int wish = kind.queue == "mail" ? 12 : kind.queue == "media" ? 3 : 6;
      for (int i = 0; i < wish; ++i) {
        std::size_t at = 0;
        DemoShare* share = free_share(kind.pool, at);
        if (share == nullptr) break;
        ++share->used;  // given back when the claim finds nothing
        // Behind the births of the step: nothing runs before it is there.
        const Instant when =
            from + day_step / 3 + Millis{(i + 1) * (day_step.count() / 2 / (wish + 2))};
        batch.claims.push_back({std::string{kind.queue}, 1, workers_[at].life, when});
        asked_.push_back({{}, 0, 1, &kind, at, when, when});
      }
    }
  }

  Millis span(const Run& run) {
    const bool to_be_stuck =
        workers_[run.worker].name == silent_worker && options_.now - run.started < 80min;
    if (to_be_stuck) return 3h;
    if (options_.now - run.started < day_step * 2 && run.kind->queue != "mail") return 20min;
    return Millis{dice_.between(run.kind->seconds_min, run.kind->seconds_max) * 1000};
  }

  void begun(const storage::Outcome& outcome) {
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      Run run = asked_[i];
      if (outcome.claims[i].empty()) {
        give_back(run);
        continue;
      }
      const storage::ClaimedJob& job = outcome.claims[i].front();
      run.job = job.job;
      run.epoch = job.epoch;
      run.attempt = job.attempt;
      run.ends = run.started + span(run);
      runs_.push_back(run);
    }
    asked_.clear();
  }

  void tell_of(storage::Batch& batch, const Run& run, Instant at, double progress) {
    storage::FlushOp words{run.job, run.epoch, at};
    words.progress = progress;
    words.phase = run.kind->queue == "summaries" ? "the model speaks" : "working";
    for (int part = 1; part <= static_cast<int>(progress * 4); ++part)
      words.logs.push_back({run.started + (at - run.started) * part / 5, "info",
                            fmt::format("{}: part {} of 4", run.kind->name, part)});
    if (run.kind->queue == "summaries") {
      for (std::size_t i = 0; i < static_cast<std::size_t>(progress * 6); ++i)
        words.partials.push_back(json(demo_sentence(i)).dump());
      words.usage = json{
          {"model", "demo-small"},
          {"input_tokens", 1840},
          {"output_tokens", static_cast<int>(progress * 96)},
          {"cost_usd",
           0.0021}}.dump();
    }
    batch.flushes.push_back(std::move(words));
  }

  void end(storage::Batch& batch, Instant to) {
    std::vector<Run> going;
    for (const Run& run : runs_) {
      if (run.ends >= to) {
        going.push_back(run);
        continue;
      }
      const bool fails = dice_.percent(run.kind->fails),
                 again = fails && run.attempt < demo_attempts && dice_.percent(50);
      tell_of(batch, run, run.ends, fails ? 0.6 : 1.0);
      storage::FinishOp op;
      op.job = run.job;
      op.epoch = run.epoch;
      op.event = again ? JobEvent::retry : fails ? JobEvent::exhaust : JobEvent::succeed;
      op.now = run.ends;
      if (again) op.due = run.ends + 45s;
      if (fails)
        op.error = R"({"code":"upstream-timeout","detail":"the other side said nothing for 30 s"})";
      else
        op.result = json{{"seconds", (run.ends - run.started).count() / 1000}}.dump();
      op.attempt = AttemptRecord{run.attempt, run.started,
                                 run.ends,    fails ? "failed" : "succeeded",
                                 op.error,    workers_[run.worker].life.node.text()};
      if (!again) op.expires = run.ends + (fails ? kept_failed : kept_ok);
      if (!fails) ended_.push_back(run.job);
      batch.finishes.push_back(std::move(op));
      give_back(run);
    }
    runs_ = std::move(going);
  }

  // ---- deletes ----
  std::vector<JobId> chosen(const DemoOrder& order) {
    std::vector<JobId> jobs;
    for (const Run& run : runs_)
      if (static_cast<int>(jobs.size()) < order.running && !is_marked(run.job) &&
          (workers_[run.worker].name == silent_worker) == order.on_silent)
        jobs.push_back(run.job);
    for (int i = 0; i < order.ended && !ended_.empty(); ++i) {
      const auto at = ended_.begin() + dice_.below(static_cast<int>(ended_.size()));
      jobs.push_back(*at);
      ended_.erase(at);
    }
    return jobs;
  }

  bool is_marked(JobId job) const {
    return std::find(marked_.begin(), marked_.end(), job) != marked_.end();
  }

  Result<void> obey(const DemoOrder& order) {
    const Instant at = options_.now - order.before;
    storage::MarkOp mark;
    mark.delete_id = dice_.id(at);
    mark.who = who(order.who);
    mark.reason = order.reason;
    mark.path = order.path;
    mark.now = at;
    mark.jobs = chosen(order);
    mark.copy_until = at + copies_kept;
    mark.tomb_until = at + stones_kept;
    if (mark.jobs.empty()) return {};
    storage::Batch batch;
    batch.marks.push_back(mark);
    if (order.ended > 100) {
      Alert alert;
      alert.id = mark.delete_id;
      alert.spike = {SpikeCause::bulk, static_cast<std::uint64_t>(order.ended), 100};
      alert.at = at;
      alert.who = mark.who;
      alert.path = mark.path;
      batch.docs.push_back(alert_doc(alert, 0));
      batch.audits.push_back({at, mark.who, "alert.raised", alert.id.text(), "{}"});
    }
    auto done = writer_.apply(batch);
    if (!done) return done.error();
    alive_ -= static_cast<int>(mark.jobs.size()) - (order.on_silent ? order.running : 0);
    return answer(order, done->marks.front(), at);
  }

  // The workers answer for what ran there; the silent one does not.
  Result<void> answer(const DemoOrder& order, const std::vector<storage::MarkedJob>& jobs,
                      Instant at) {
    storage::Batch batch;
    for (const storage::MarkedJob& job : jobs) {
      if (job.answer != storage::MarkAnswer::held) continue;
      marked_.push_back(job.job);
      if (order.on_silent) {
        storage::TicketOp note;
        note.job = job.job;
        if (order.fails) note.event = JobEvent::fail_delete;
        note.error =
            fmt::format("the holder has not answered after {} tries", order.fails ? 12 : 3);
        note.next_try = options_.now + 40s;
        batch.tickets.push_back(std::move(note));
        continue;
      }
      for (const storage::Holder& holder : job.open)
        batch.verdicts.push_back({job.job, holder.what, holder.ref, holder.owner, holder.epoch,
                                  Verdict::stopped, at + 40ms});
      const auto run = std::find_if(runs_.begin(), runs_.end(),
                                    [&job](const Run& one) { return one.job == job.job; });
      if (run == runs_.end()) continue;
      give_back(*run);
      runs_.erase(run);
    }
    auto done = writer_.apply(batch);
    return done ? Result<void>() : Result<void>(done.error());
  }

  // ---- a step of the day, and its end ----
  Result<void> pass(Instant from, Instant to) {
    storage::Batch batch;
    end(batch, to);
    batch.dues.push_back({to, 500});
    fire(batch, to);
    bear(batch, from, to);
    claim(batch, from);
    auto done = writer_.apply(batch);
    if (!done) return done.error();
    begun(*done);
    for (const DemoOrder& order : orders_of_the_world)
      if (const Instant at = options_.now - order.before; from <= at && at < to)
        if (Result<void> obeyed = obey(order); !obeyed) return obeyed.error();
    return {};
  }

  // What runs now says how far it is; what is still to come makes the number whole.
  Result<void> speak(Instant now) {
    storage::Batch batch;
    for (const Run& run : runs_) {
      if (is_marked(run.job)) continue;
      const double part = static_cast<double>((now - run.started).count()) /
                          static_cast<double>((run.ends - run.started).count());
      tell_of(batch, run, now, std::clamp(part, 0.05, 0.95));
    }
    for (int hours = 1; alive_ < jobs_at_the_end; ++alive_, ++hours) {
      NewJob job = newborn(dice_.kind(), now - std::chrono::minutes{11 * hours});
      if (hours <= 24) job.run_at = now + std::chrono::hours{hours};
      const Instant born = job.id.time();
      batch.enqueues.push_back({std::move(job), born});
    }
    for (const DemoWorker& worker : workers_) batch.beats.push_back({worker.life, info(worker)});
    auto done = writer_.apply(batch);
    return done ? Result<void>() : Result<void>(done.error());
  }

  // Who serves the world runs what ran, from its beginning.
  Result<void> rest(Instant now) {
    if (options_.frozen) return {};
    storage::Batch batch;
    for (const Run& run : runs_) {
      if (is_marked(run.job)) continue;
      batch.finishes.push_back({run.job, run.epoch, JobEvent::hand_over, now});
      give_back(run);
    }
    for (const DemoWorker& worker : workers_) batch.beats.push_back({worker.life, info(worker)});
    auto done = writer_.apply(batch);
    return done ? Result<void>() : Result<void>(done.error());
  }

  storage::Writer& writer_;
  const WorldOptions& options_;
  Dice dice_;
  std::vector<DemoWorker> workers_;
  std::vector<Planned> planned_;
  std::vector<Run> runs_, asked_;
  std::vector<JobId> ended_, marked_;
  int alive_ = 0, leftovers_ = 0;
};

}  // namespace

Result<std::vector<FleetNode>> live_a_day(storage::Writer& writer, const WorldOptions& options) {
  return Day(writer, options).live();
}

}  // namespace quell::cli
