// Who waits for a task hears of its end: from this node's own events, and, when another node has
// written it, from a look each second.
#include <algorithm>

#include "http/celery/desk.hpp"
#include "runtime/celery/message.hpp"
#include "runtime/celery/result_meta.hpp"

namespace quell::http::celery {

namespace {
constexpr Millis look_period{1'000};
constexpr std::size_t looks_at_once = 500;
}  // namespace

void Desk::begin() {
  subscription_ = node_.subscribe([this](const NodeEvent& event) { on_event(event); });
  loop_.after(look_period, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) look_again();
  });
}

void Desk::subscribe(const std::string& project, const std::string& channel,
                     const std::shared_ptr<Listener>& listener) {
  channels_[{project, channel}].push_back(listener);
  if (!channel.starts_with(task_key)) return;
  const std::string id = channel.substr(task_key.size());
  look_up(project, id, false, [this, project, id](const Result<Known>& known) {
    if (known && known->job) watch(known->job->id, project, id);
  });
}

void Desk::unsubscribe(const std::string& project, const std::string& channel,
                       const Listener* listener) {
  const auto found = channels_.find({project, channel});
  if (found == channels_.end()) return;
  std::erase_if(found->second, [listener](const std::weak_ptr<Listener>& one) {
    const auto there = one.lock();
    return !there || there.get() == listener;
  });
  if (!found->second.empty()) return;
  channels_.erase(found);
  told_.erase({project, channel});
}

void Desk::tell(const std::string& project, const std::string& channel,
                const std::string& payload) {
  const auto found = channels_.find({project, channel});
  if (found == channels_.end()) return;
  for (const auto& one : std::vector<std::weak_ptr<Listener>>(found->second))
    if (const auto listener = one.lock()) listener->hear(channel, payload);
}

void Desk::watch(const JobId& job, const std::string& project, const std::string& id) {
  {
    const std::lock_guard lock(watching_);
    watched_[job] = {project, id};
  }
  tell_end(job, false);  // it may have ended before it was watched
}

// On a thread of the node.
void Desk::on_event(const NodeEvent& event) {
  if (hears_events_) pass_on(event);
  const bool is_gone = event.type == "job.deleted";
  if (!event.job || (!is_gone && event.type != "job.succeeded" && event.type != "job.failed" &&
                     event.type != "job.cancelled"))
    return;
  {
    const std::lock_guard lock(watching_);
    if (!watched_.contains(*event.job)) return;
  }
  loop_.post([this, alive = std::weak_ptr<bool>(alive_), job = *event.job, is_gone] {
    if (!alive.expired()) tell_end(job, is_gone);
  });
}

void Desk::tell_end(const JobId& job, bool was_deleted) {
  Watched who;
  {
    const std::lock_guard lock(watching_);
    const auto found = watched_.find(job);
    if (found == watched_.end()) return;
    who = found->second;
    if (was_deleted) watched_.erase(found);
  }
  const std::string channel = std::string(task_key) + who.id;
  if (!channels_.contains({who.project, channel})) {
    const std::lock_guard lock(watching_);
    watched_.erase(job);
    return;
  }
  if (was_deleted) {
    told_.insert({who.project, channel});
    return tell(who.project, channel, quell::celery::revoked_meta(who.id, "deleted", now()));
  }
  look_up(who.project, who.id, true, [this, job, who, channel](const Result<Known>& known) {
    if (!known || (!known->job && !known->has_tomb)) return;
    const bool is_gone = known->has_tomb;
    if (!is_gone && !is_final(known->job->state)) return;
    {
      const std::lock_guard lock(watching_);
      watched_.erase(job);
    }
    const auto told = is_gone ? std::optional(quell::celery::revoked_meta(who.id, "deleted", now()))
                              : quell::celery::told_of(*known->job, who.id, known->meta, now());
    if (!told) return;
    told_.insert({who.project, channel});
    tell(who.project, channel, *told);
  });
}

void Desk::look_again() {
  std::vector<JobId> jobs;
  {
    const std::lock_guard lock(watching_);
    for (const auto& [job, who] : watched_)
      if (jobs.size() < looks_at_once) jobs.push_back(job);
  }
  for (const JobId& job : jobs) tell_end(job, false);
  // Channels whose task is not known here: another node may have taken its birth, and its end too.
  std::size_t looks = 0;
  for (const auto& [place, listeners] : channels_) {
    if (!place.second.starts_with(task_key) || ++looks > looks_at_once) continue;
    const std::string id = place.second.substr(task_key.size());
    look_up(place.first, id, false, [this, place = place, id](const Result<Known>& known) {
      if (known) found(place, id, *known);
    });
  }
  const Instant old = now() - std::chrono::minutes{1};
  std::erase_if(lists_, [&](const auto& list) { return list.second.since < old; });
  loop_.after(look_period, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) look_again();
  });
}

// What was born, and may have ended, since nothing was known of it.
void Desk::found(const Place& place, const std::string& id, const Known& known) {
  if (!known.job) {
    if (known.has_tomb && told_.insert(place).second)
      tell(place.first, place.second, quell::celery::revoked_meta(id, "deleted", now()));
    return;
  }
  if (is_final(known.job->state) && told_.contains(place)) return;
  {
    const std::lock_guard lock(watching_);
    if (watched_.contains(known.job->id)) return;
  }
  watch(known.job->id, place.first, id);
}

// ---- lists of answers to control commands; the one thing that is waited for ----
void Desk::reply(const std::string& project, const std::string& list, std::string message) {
  constexpr std::size_t lists_max = 1000, messages_max = 100;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end(); ++waiter) {
    const auto& [waits_in, what] = waiter->second;
    if (waits_in != project ||
        std::find(what.lists.begin(), what.lists.end(), list) == what.lists.end())
      continue;
    const Done done = what.done;
    namespace resp = quell::celery::resp;
    const std::string wire = resp::array_of(2) + resp::bulk(list) + resp::bulk(message);
    waiters_.erase(waiter);
    return done(wire);
  }
  if (lists_.size() >= lists_max && !lists_.contains({project, list})) return;
  ReplyList& kept = lists_[{project, list}];
  kept.since = now();
  if (kept.messages.size() < messages_max) kept.messages.push_back(std::move(message));
}

std::function<void()> Desk::pop(const TurnPtr& turn, const Words& words, Done done) {
  namespace resp = quell::celery::resp;
  Waiter waiter{{}, turn->protocol, done};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string list = queue_of(words[i]);
    if (!list.ends_with(reply_key)) {
      worker(turn, words, std::move(done));
      return [] {};
    }
    const auto kept = lists_.find({turn->caller.project, list});
    if (kept != lists_.end() && !kept->second.messages.empty()) {
      const std::string message = std::move(kept->second.messages.front());
      kept->second.messages.pop_front();
      done(resp::array_of(2) + resp::bulk(list) + resp::bulk(message));
      return [] {};
    }
    waiter.lists.push_back(list);
  }
  const std::uint64_t number = ++last_waiter_;
  waiters_.emplace(number, std::pair(turn->caller.project, std::move(waiter)));
  const double seconds = std::clamp(std::strtod(words.back().c_str(), nullptr), 0.001, 3600.0);
  const auto give_up = [this, number, alive = std::weak_ptr<bool>(alive_)](bool answers) {
    if (alive.expired()) return;
    const auto found = waiters_.find(number);
    if (found == waiters_.end()) return;
    const Waiter gone = std::move(found->second.second);
    waiters_.erase(found);
    if (answers) gone.done(resp::no_array(gone.protocol));
  };
  loop_.after(Millis{static_cast<std::int64_t>(seconds * 1000)}, [give_up] { give_up(true); });
  return [give_up] { give_up(false); };
}

}  // namespace quell::http::celery
