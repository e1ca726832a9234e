#include "actors/sentinel/sentinel.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <optional>

#include "actors/control_actor.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/node/roles.hpp"
#include "actors/safeguards/raise.hpp"
#include "actors/send.hpp"
#include "actors/sentinel/sentinel_messages.hpp"
#include "actors/sentinel/snapshot_doc.hpp"
#include "runtime/base/digest.hpp"

namespace quell {

namespace {

// A slice takes its time of a reader once, and leaves it to others three times as long.
constexpr int slice_rest_factor = 3;
constexpr Millis slice_rest_least{1};
// A timer that comes early by a hair must not find the slot before.
constexpr Millis behind_the_slot{20};
// A range is named so closely, unless there would be too many of them to keep.
constexpr std::int64_t range_rows_least = 200, ranges_wanted = 200;

// The same for every node that would raise it.
Uuid alert_id(const StoreSnapshot& snapshot, AnomalyRule rule) {
  const Digest digest =
      sha256("quell.anomaly " + snapshot_name(snapshot.due) + " " + std::string(to_string(rule)));
  Uuid id = first_id_of(snapshot.due);
  std::copy_n(digest.begin(), 10, id.bytes.begin() + 6);
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

Alert alert_of_anomaly(const StoreSnapshot& snapshot, Anomaly anomaly) {
  Alert alert;
  alert.id = alert_id(snapshot, anomaly.rule);
  alert.anomaly = std::move(anomaly);
  alert.at = snapshot.at;
  alert.who = "sentinel";
  alert.path = "snapshot " + snapshot_name(snapshot.due);
  return alert;
}

class Sentinel : public ControlActor {
 public:
  Sentinel(caf::actor_config& config, const ControlSeat& seat, std::shared_ptr<NodeContext> context)
      : ControlActor(config, seat), context_(std::move(context)) {}

  caf::behavior make_behavior() override {
    look_later();
    return {
        [this](SentinelLook) { look(); },
        [this](SurveyBegun& begun) { survey_begun(begun.survey); },
        [this](const SliceOfIds& slice) { slice_read(slice.rows); },
        [this](NextSlice) { read_slice(); },
        [this](const SnapshotWritten& written) { snapshot_written(written); },
    };
  }

  void on_exit() override {
    if (timer_) context_->timers->cancel(*timer_);
    context_.reset();
  }

 private:
  struct Run {
    Instant due;
    std::optional<Survey> survey;
    std::optional<RangeWalk> walk;
    Millis slice_began{0};
  };

  Millis every() const { return context_->settings->sentinel_every; }

  // At the next due time, which is the same one on every node.
  void look_later() {
    if (every() <= Millis{0}) return;
    const Millis wait =
        every() - context_->clock->now().time_since_epoch() % every() + behind_the_slot;
    timer_ = context_->timers->after(wait, [self = weak(this)] { tell(self, SentinelLook{}); });
  }

  void look() {
    look_later();
    // Whoever keeps the time of the fleet also keeps its watch.
    if (run_ || !context_->roles->leads(Role::timekeeper)) return;
    const Instant now = context_->clock->now();
    run_.emplace();
    run_->due = now - now.time_since_epoch() % every();
    context_->readers->run(
        [self = weak(this), context = context_, due = run_->due, now](storage::Reader& reader) {
          tell(self, SurveyBegun{survey(reader, *context->settings, due, now)});
        });
  }

  void survey_begun(Result<Survey>& begun) {
    if (!run_) return;
    if (!begun) return give_up(begun.error());
    if (begun->is_there) return run_.reset();
    run_->survey = std::move(*begun);
    Survey& survey = *run_->survey;
    RangeBounds bounds;
    bounds.rows_most = context_->settings->sentinel_rows;
    bounds.range_rows = std::max(range_rows_least, survey.snapshot.jobs() / ranges_wanted);
    run_->walk.emplace(std::move(survey.ranges), first_id_of(survey.snapshot.at),
                       survey.snapshot.at, bounds);
    read_slice();
  }

  void read_slice() {
    if (!run_ || !run_->walk) return;
    const auto read = run_->walk->next();
    if (!read) return write();
    run_->slice_began = context_->timers->now();
    context_->readers->run([self = weak(this), read = *read](storage::Reader& reader) {
      tell(self, SliceOfIds{reader.ids(read.from, read.below, read.limit)});
    });
  }

  void slice_read(const Result<std::vector<IdRow>>& rows) {
    if (!run_ || !run_->walk) return;
    if (!rows) return give_up(rows.error());
    run_->walk->take(*rows);
    if (rows->size() < 500) return read_slice();  // nobody has waited for that
    const Millis took = context_->timers->now() - run_->slice_began;
    context_->timers->after(std::max(took * slice_rest_factor, slice_rest_least),
                            [self = weak(this)] { tell(self, NextSlice{}); });
  }

  // The snapshot and what is to be said of it are one commit: neither is there without the other.
  void write() {
    Survey& survey = *run_->survey;
    StoreSnapshot& snapshot = survey.snapshot;
    const std::vector<IdRange> ranges = run_->walk->ranges();
    snapshot.changes = run_->walk->changes();
    snapshot.ranges = std::ssize(ranges);
    Judgement judgement = judge(survey.before, snapshot, AnomalyLimits::of(*context_->settings));
    snapshot.above = std::move(judgement.above);
    const Instant until = snapshot_until(
        snapshot.due,
        survey.before.empty() ? std::nullopt : std::optional(survey.before.back().due),
        context_->settings->sentinel_keep);
    auto ops = std::make_shared<storage::Batch>();
    ops->docs.push_back(snapshot_doc(snapshot, until));
    ops->docs.push_back(ranges_doc(snapshot, ranges, until));
    std::vector<Alert> alerts;
    for (Anomaly& anomaly : judgement.alerts)
      alerts.push_back(alert_of_anomaly(snapshot, std::move(anomaly)));
    raise_alerts(context_, std::move(alerts), ops,
                 [self = weak(this)](const Result<storage::Outcome>& outcome) {
                   tell(self, SnapshotWritten{outcome && outcome->docs.front().written});
                 });
  }

  void snapshot_written(const SnapshotWritten& written) {
    if (written.is_ours) context_->metrics->snapshots += 1;
    run_.reset();
  }

  // The next one is due soon enough.
  void give_up(const Error& error) {
    if (context_->settings->log)
      context_->settings->log(LogLevel::warning, "no snapshot was made: " + to_string(error), "");
    run_.reset();
  }

  std::shared_ptr<NodeContext> context_;
  std::optional<Timers::Id> timer_;
  std::optional<Run> run_;
};

}  // namespace

caf::actor spawn_sentinel(caf::actor_system& system, std::shared_ptr<NodeContext> context) {
  return spawn_control<Sentinel>(system, ControlPlace::sentinel, *context, context);
}

}  // namespace quell
