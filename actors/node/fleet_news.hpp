// What other nodes of the store commit, for the watchers of this one; and what this one commits,
// for theirs. It goes with the commits themselves, as hints, and only while somebody watches: a
// node that is watched says so each second, and whoever hears that says its news for a few more.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/node_context.hpp"

namespace quell {

class FleetNews {
 public:
  // `listens`: the store has hints, and they come.
  FleetNews(std::shared_ptr<NodeContext> context, bool listens);

  // Whether the news of a commit are to be said with it.
  bool tells() const;
  // Calls `ready` when every other node that lives says its news, or soon after.
  void follow(std::function<void()> ready);
  // Hints as they came: what is meant for watchers is told, the rest comes back.
  std::vector<std::string> hear(std::vector<std::string> hints);

 private:
  void say(std::string name, std::function<void(bool said)> answer = {});
  bool say_event(const NodeEvent& event);
  void ask();
  void ask_later();
  bool all_have_answered();
  void asked_by(const std::string& node);
  void answered_by(const std::string& words);
  void go();
  Millis now() const { return context_->clock->monotonic(); }

  std::shared_ptr<NodeContext> context_;
  const std::string self_;
  const bool listens_;
  std::atomic<bool> had_others_{false};
  std::atomic<std::int64_t> asked_until_{0};  // by others, on this node's monotonic clock
  std::mutex mutex_;
  bool asking_ = false;  // a timer does it again and again while somebody follows
  std::optional<Millis> all_answered_;
  std::set<std::string> unanswered_;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace quell
