// Tells watchers what was committed. Some follow this node; some follow all nodes of the store, in
// the order of their commits, as far as nodes hear each other (see fleet_news.hpp). Costs one
// atomic read while nobody watches.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "actors/node/node.hpp"
#include "storage/news.hpp"

namespace quell {

class EventHub {
 public:
  using Watcher = std::function<void(const NodeEvent&)>;
  std::uint64_t subscribe(Watcher watcher) { return add(of_node_, std::move(watcher)); }
  std::uint64_t subscribe_to_fleet(Watcher watcher) { return add(of_fleet_, std::move(watcher)); }
  void unsubscribe(std::uint64_t id);
  bool anyone() const { return watched_.load(std::memory_order_relaxed); }
  bool anyone_of_fleet() const { return fleet_watched_.load(std::memory_order_relaxed); }

  // ---- from this node
  // What is no part of a commit.
  void tell(const NodeEvent& event);
  // `news_told`: it comes back as news, with those of the others in their order. Only deletions do
  // not wait for that: whoever is answered that a job is gone hears nothing more of it.
  void tell_commit(const std::vector<storage::News>& news, bool news_told);
  // A reply says that they are gone, whether or not the news of it has come.
  void gone(const std::vector<JobId>& jobs);

  // ---- from the fleet
  void heard(const NodeEvent& event);
  void lost();  // some were not heard: watchers are told `reset`
  // Says it to all nodes, this one too; false: it cannot be said. Set before the first event.
  std::function<bool(const NodeEvent&)> say = [](const NodeEvent&) { return false; };

 private:
  using Watchers = std::map<std::uint64_t, Watcher>;
  std::uint64_t add(Watchers& to, Watcher watcher);
  static void tell(const Watchers& watchers, const NodeEvent& event);
  void tell_fleet(const NodeEvent& event);
  void note_gone(const JobId& job, bool told);
  void forget_gone();
  void note_who_watches();

  std::mutex mutex_;
  Watchers of_node_, of_fleet_;
  std::uint64_t last_ = 0;
  std::atomic<bool> watched_{false}, fleet_watched_{false};
  // Jobs that are gone, and whether that was told: of these only a restore is. The oldest go first.
  std::unordered_map<JobId, bool> gone_;
  std::deque<JobId> gone_order_;
};

// What is said when it cannot be said what happened.
inline constexpr const char* reset_event = "reset";

}  // namespace quell
