#include "actors/node/event_hub.hpp"

#include <utility>

#include "runtime/base/clock.hpp"
#include "runtime/law/job_machine.hpp"

namespace quell {

namespace {

constexpr std::size_t gone_max = 100'000;

bool is_deletion(const NodeEvent& event) {
  return event.job && event.type == told_to_watchers(JobEvent::erase);
}

// A birth says nothing beside its queue.
bool is_restore(const NodeEvent& event) {
  return event.type == told_to_watchers(JobEvent::restore) && !event.data.empty();
}

}  // namespace

std::uint64_t EventHub::add(Watchers& to, Watcher watcher) {
  const std::lock_guard lock(mutex_);
  to.emplace(++last_, std::move(watcher));
  note_who_watches();
  return last_;
}

void EventHub::unsubscribe(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  of_node_.erase(id);
  of_fleet_.erase(id);
  note_who_watches();
  if (of_fleet_.empty()) forget_gone();
}

void EventHub::note_who_watches() {
  fleet_watched_ = !of_fleet_.empty();
  watched_ = !of_fleet_.empty() || !of_node_.empty();
}

// Under the lock: after `unsubscribe` has returned, the watcher is never called again.
void EventHub::tell(const Watchers& watchers, const NodeEvent& event) {
  for (const auto& [id, watcher] : watchers) watcher(event);
}

void EventHub::tell(const NodeEvent& event) {
  const bool said = say(event);
  const std::lock_guard lock(mutex_);
  tell(of_node_, event);
  if (!said) tell_fleet(event);
}

void EventHub::tell_commit(const std::vector<storage::News>& news, bool news_told) {
  if (news.empty()) return;
  const Instant now = system_clock().now();
  const std::lock_guard lock(mutex_);
  for (const storage::News& one : news) {
    const NodeEvent event{one.type, one.job, one.queue, one.data, now};
    tell(of_node_, event);
    if (!news_told || is_deletion(event)) tell_fleet(event);
  }
}

void EventHub::gone(const std::vector<JobId>& jobs) {
  if (!anyone_of_fleet()) return;
  const std::lock_guard lock(mutex_);
  for (const JobId& job : jobs) note_gone(job, false);
}

void EventHub::heard(const NodeEvent& event) {
  const std::lock_guard lock(mutex_);
  tell_fleet(event);
}

void EventHub::lost() {
  const std::lock_guard lock(mutex_);
  forget_gone();
  tell(of_fleet_, {.type = reset_event, .at = system_clock().now()});
}

void EventHub::note_gone(const JobId& job, bool told) {
  if (!gone_.try_emplace(job, told).second) return;
  gone_order_.push_back(job);
  if (gone_order_.size() <= gone_max) return;
  gone_.erase(gone_order_.front());
  gone_order_.pop_front();
}

void EventHub::forget_gone() {
  gone_.clear();
  gone_order_.clear();
}

void EventHub::tell_fleet(const NodeEvent& event) {
  if (of_fleet_.empty()) return;
  if (event.job) {
    const auto known = gone_.find(*event.job);
    const bool is_gone = known != gone_.end();
    if (is_deletion(event)) {
      if (is_gone && std::exchange(known->second, true)) return;
      if (!is_gone) note_gone(*event.job, true);
    } else if (is_gone) {
      if (!is_restore(event)) return;
      gone_.erase(known);
    }
  }
  tell(of_fleet_, event);
}

}  // namespace quell
