#include "runtime/policy/life_line.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/law/schedule_status.hpp"

namespace quell {

namespace {

std::string plural(std::int64_t n, std::string_view one) {
  if (n == 1) return fmt::format("1 {}", one);
  return one == "try" ? fmt::format("{} tries", n) : fmt::format("{} {}s", n, one);
}

std::string by(const std::string& who) {
  return who.empty() ? std::string("by nobody that is kept") : "by " + who;
}

std::string because(const std::string& why) {
  return why.empty() ? std::string() : fmt::format(" (\"{}\")", why);
}

std::string_view path_words(std::string_view path) {
  if (path == "api") return "by its id";
  if (path == "bulk") return "in a list of ids";
  if (path == "filter") return "by a filter";
  if (path == task_path || path == judged_task_path) return "with its schedule";
  if (path == "retention") return "by its age";
  return path;
}

class Line {
 public:
  explicit Line(const LifeFacts& facts) : facts_(facts) {}

  LifeLine tell() {
    line_.fate = fate();
    if (facts_.state) {
      tell_birth();
      tell_attempts();
      tell_effects();
      tell_deliveries();
      if (facts_.is_there) tell_present();
    }
    tell_delete();
    tell_audit();
    line_.sentence = sentence_of_fate();
    order_by_time(line_.events);
    return std::move(line_);
  }

 private:
  void event(std::optional<Instant> at, std::string what, std::string text) {
    line_.events.push_back({at, std::move(what), std::move(text)});
  }
  void lost(std::string what) { line_.not_kept.push_back(std::move(what)); }

  Fate fate() const {
    if (facts_.leaving && !facts_.leaving->forced) return Fate::leaving;
    if (facts_.is_there) return facts_.restored ? Fate::restored : Fate::alive;
    if (!facts_.deleted) return fate_of_unknown(facts_.id, facts_.forgotten);
    if (facts_.deleted->path == task_path || facts_.deleted->path == judged_task_path)
      return Fate::purged;
    if (facts_.deleted->path == "retention") return Fate::expired;
    return facts_.copy_until ? Fate::archived : Fate::deleted;
  }

  void tell_birth() {
    const bool tells = !facts_.deleted || facts_.deleted->tells_life || facts_.is_there;
    std::string text = "Submitted";
    if (!facts_.submitted_by.empty()) text += " " + by(facts_.submitted_by);
    if (tells)
      text +=
          fmt::format(": {} in queue {} of project {}", facts_.kind, facts_.queue, facts_.project);
    if (!facts_.schedule.empty()) text = "Fired by schedule " + facts_.schedule + ". " + text;
    event(facts_.id.time(), "submitted", text + ".");
    if (!tells)
      return lost("queue, kind, project and attempts: this tombstone is of an earlier version");
    if (facts_.submitted_by.empty())
      lost("who submitted it: only noted where a job has arguments or options");
  }

  // The attempt that no row tells of: the only one, or the one that runs.
  bool last_is_told() const {
    return !facts_.attempts.empty() && facts_.attempts.back().n >= facts_.attempt;
  }

  void tell_attempts() {
    for (const ToldAttempt& one : facts_.attempts) {
      const std::string where = one.node.empty() ? "" : " on node " + one.node;
      if (one.started)
        event(one.started, "started", fmt::format("Attempt {} began{}.", one.n, where));
      event(one.ended, "attempt_ended",
            fmt::format("Attempt {} ended: {}{}.", one.n, one.outcome,
                        one.code.empty() ? "" : ", " + one.code));
    }
    if (facts_.attempts_left_out > 0)
      lost(plural(facts_.attempts_left_out, "earlier attempt") +
           ": a tombstone keeps the last few");
    if (facts_.attempt > 0 && !last_is_told()) {
      const std::string& node = facts_.runs_on.empty() ? facts_.ran_on : facts_.runs_on;
      event(facts_.started, "started",
            fmt::format("Attempt {} began{}.", facts_.attempt,
                        node.empty() ? "" : " on node " + node));
      if (node.empty() && !facts_.is_there) lost("the node of its last attempt");
    }
    if (facts_.lost > 0)
      event({}, "lost", plural(facts_.lost, "run") + " lost with the node that ran it.");
    if (facts_.finished && facts_.state && is_final(*facts_.state))
      event(facts_.finished, "ended", fmt::format("It ended: {}.", to_string(*facts_.state)));
    if (facts_.cancel_requested)
      event({}, "cancel_asked", "A cancel was asked for; the run is being stopped.");
    if (facts_.state == JobState::cancelled && facts_.is_there)
      lost("who cancelled it: the audit keeps deletes, not cancels");
  }

  void tell_effects() {
    for (const HostEffects& one : facts_.effects)
      event({}, "went_outside",
            fmt::format("It called {} {}: {} bytes in, {} out, {} ms.", one.host,
                        plural(one.calls, "time"), one.bytes_in, one.bytes_out, one.took.count()));
    if (facts_.hosts_left_out > 0)
      lost(plural(facts_.hosts_left_out, "host") + " that it called for less");
    if (facts_.attempt > 1 && !facts_.effects.empty())
      lost("what its earlier attempts called: the calls of the last one are kept");
  }

  void tell_deliveries() {
    for (const DeliveryFact& one : facts_.deliveries) {
      const std::string to = one.endpoint.empty() ? "its own URL" : "endpoint " + one.endpoint;
      const std::string how = one.in_flight ? "is in flight" : one.due ? "waits" : "has ended";
      event({}, "webhook",
            fmt::format("{} to {} {} after {}.", one.event, to, how, plural(one.tries, "try")));
    }
    if (facts_.deliveries_were > 0)
      event({}, "webhook",
            fmt::format("{} had ended, with {} tries; they went with the job.",
                        facts_.deliveries_were == 1
                            ? std::string("1 webhook delivery")
                            : fmt::format("{} webhook deliveries", facts_.deliveries_were),
                        facts_.tries_were));
  }

  void tell_present() {
    if (facts_.state == JobState::scheduled && facts_.due)
      event(facts_.due, "will_run", "It is to run then.");
    if (facts_.expires && is_final(*facts_.state))
      event(facts_.expires, "will_expire", "Its record may go by its age from then on.");
  }

  void tell_delete() {
    if (const auto& leaving = facts_.leaving) {
      event(leaving->at, "marked",
            fmt::format("Delete {} {}{}.", leaving->delete_id.text(), by(leaving->who),
                        because(leaving->why)));
      event({}, "pending",
            fmt::format("It waits for {}, {} so far{}.", plural(leaving->holders, "holder"),
                        plural(leaving->tries, "try"),
                        leaving->error.empty() ? "" : ": " + leaving->error));
    }
    if (const auto& deleted = facts_.deleted) {
      const bool is_old = facts_.restored && facts_.is_there;
      event(deleted->at, is_old ? "was_deleted" : "deleted",
            fmt::format("Erased {}{} {}, delete {}: {}.", path_words(deleted->path),
                        because(deleted->why), by(deleted->who), deleted->delete_id.text(),
                        sentence(deleted->verdict)));
      if (proof_of(deleted->verdict) == Proof::unproven)
        event({}, "unproven", "That its run had ended is not proven.");
      if (!is_old) event(deleted->until, "forgotten", "This tombstone is kept until then.");
    }
    if (facts_.copy_until && !facts_.is_there)
      event(facts_.copy_until, "copy_ends", "Its copy can be restored until then.");
    if (facts_.restored && !facts_.is_there)
      event({}, "restored", "It had come back once, and was deleted again.");
  }

  void tell_audit() {
    bool brought_back = false;
    for (const AuditFact& row : facts_.audit) {
      const bool is_own_delete = row.what == "delete" && (facts_.deleted || facts_.leaving);
      brought_back = brought_back || row.what == "restore";
      if (is_own_delete) continue;  // told above, with its reason
      event(row.at, row.what, fmt::format("{}: {} (audit {}).", row.who, row.what, row.no));
    }
    if (facts_.restored && facts_.is_there && !brought_back)
      event({}, "restored", "It was restored from its copy.");
  }

  std::string sentence_of_fate() const {
    switch (line_.fate) {
      case Fate::alive:
        return fmt::format("It is here: {}.", to_string(*facts_.state));
      case Fate::restored:
        return fmt::format("It is here again, restored after a delete: {}.",
                           to_string(*facts_.state));
      case Fate::leaving:
        return fmt::format("It is being deleted {}, and is not gone yet.", by(facts_.leaving->who));
      case Fate::deleted:
      case Fate::archived:
        return fmt::format("It was deleted {} {}{}; {}.", path_words(facts_.deleted->path),
                           by(facts_.deleted->who), because(facts_.deleted->why),
                           line_.fate == Fate::archived ? "a copy is kept and can be restored"
                                                        : "no copy is kept");
      case Fate::expired:
        return fmt::format("It had ended and went by its age, as the retention says, {}.",
                           by(facts_.deleted->who));
      case Fate::purged:
        return fmt::format("It was deleted with its schedule{} {}{}.",
                           facts_.schedule.empty() ? "" : " " + facts_.schedule,
                           by(facts_.deleted->who), because(facts_.deleted->why));
      case Fate::never_seen:
        return "It was never here: whatever was deleted since its time is still remembered.";
      case Fate::older_than_kept:
        return "It is not here, and it is older than what is remembered: whether it ever was, "
               "nobody can tell.";
    }
    QUELL_ASSERT(!"every fate has its sentence");
    return {};
  }

  const LifeFacts& facts_;
  LifeLine line_;
};

bool has_time(const Uuid& id) {
  return (id.bytes[6] >> 4) == 7;
}

}  // namespace

std::string_view to_string(Fate fate) {
  switch (fate) {
    case Fate::alive:
      return "alive";
    case Fate::restored:
      return "restored";
    case Fate::leaving:
      return "leaving";
    case Fate::deleted:
      return "deleted";
    case Fate::archived:
      return "archived";
    case Fate::expired:
      return "expired";
    case Fate::purged:
      return "purged";
    case Fate::never_seen:
      return "never_seen";
    case Fate::older_than_kept:
      return "older_than_kept";
  }
  QUELL_ASSERT(!"a fate outside the list");
  return {};
}

Fate fate_of_unknown(const Uuid& id, const std::optional<Instant>& forgotten) {
  if (!forgotten) return Fate::never_seen;
  // It was deleted after its birth, and what was deleted after `forgotten` is known.
  return has_time(id) && id.time() > *forgotten ? Fate::never_seen : Fate::older_than_kept;
}

void order_by_time(std::vector<LifeEvent>& events) {
  std::stable_sort(events.begin(), events.end(), [](const LifeEvent& a, const LifeEvent& b) {
    return a.at && (!b.at || *a.at < *b.at);
  });
}

LifeLine life_line(const LifeFacts& facts) {
  return Line(facts).tell();
}

}  // namespace quell
