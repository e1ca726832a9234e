#include "actors/node/fleet_news.hpp"

#include "actors/fleet/fleet_snapshot.hpp"
#include "actors/send.hpp"
#include "storage/hints.hpp"

namespace quell {

namespace {

// "watch:<who asks>", and "watched:<who asks>:<who answers>".
constexpr std::string_view watch_hint = "watch:", watched_hint = "watched:";
constexpr Millis ask_period{1'000}, fresh_for{2'500}, asked_for{5'000};
// So long a stream waits to be opened for a node that does not answer: one that hangs, or is of an
// earlier version.
constexpr Millis answer_patience{500};

}  // namespace

FleetNews::FleetNews(std::shared_ptr<NodeContext> context, bool listens)
    : context_(std::move(context)), self_(context_->self.node.text()), listens_(listens) {
  if (listens_) context_->events->say = [this](const NodeEvent& event) { return say_event(event); };
}

// For its own watchers alone a node takes the short way: a notification has its price. Once another
// node was there it never does again: what went the long way would come behind.
bool FleetNews::tells() const {
  return listens_ &&
         ((had_others_ && context_->events->anyone_of_fleet()) || asked_until_ > now().count());
}

void FleetNews::say(std::string name, std::function<void(bool said)> answer) {
  auto ops = std::make_shared<storage::Batch>();
  ops->hints.push_back({std::move(name)});
  tell(context_->clerk, WriteOps{std::move(ops), [answer = std::move(answer)](
                                                     const Result<storage::Outcome>& outcome) {
                                   if (answer) answer(outcome && outcome->news_told);
                                 }});
}

// When it could not be said after all, this node's own watchers hear of it all the same.
bool FleetNews::say_event(const NodeEvent& event) {
  if (!tells()) return false;
  const storage::News news{event.type, event.job, event.queue, event.data};
  auto hints = storage::hints_of_news({news}, storage::hint_bytes);
  say(std::move(hints.front()), [events = context_->events, event](bool said) {
    if (!said) events->heard(event);
  });
  return true;
}

void FleetNews::follow(std::function<void()> ready) {
  if (!listens_) return ready();
  std::unique_lock lock(mutex_);
  if (all_answered_ && now() < *all_answered_ + fresh_for) {
    lock.unlock();
    return ready();
  }
  waiting_.push_back(std::move(ready));
  const bool begins = !std::exchange(asking_, true);
  lock.unlock();
  ask();
  if (begins) ask_later();
  context_->timers->after(answer_patience, [this] { go(); });
}

void FleetNews::ask() {
  {
    const std::lock_guard lock(mutex_);
    unanswered_.clear();
    for (const FleetNode& node : context_->fleet->read())
      if (!node.view.gone && node.view.owner.node != context_->self.node)
        unanswered_.insert(node.view.owner.node.text());
    if (unanswered_.empty())
      all_answered_ = now();
    else
      had_others_ = true;
  }
  if (all_have_answered()) return go();
  say(std::string(watch_hint) + self_);
}

void FleetNews::ask_later() {
  context_->timers->after(ask_period, [this] {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty() && !context_->events->anyone_of_fleet()) {
        asking_ = false;
        all_answered_.reset();
        return;
      }
    }
    ask();
    ask_later();
  });
}

bool FleetNews::all_have_answered() {
  const std::lock_guard lock(mutex_);
  return unanswered_.empty();
}

void FleetNews::go() {
  std::vector<std::function<void()>> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(waiting_);
  }
  for (const auto& one : ready) one();
}

void FleetNews::asked_by(const std::string& node) {
  if (node == self_) return;
  had_others_ = true;
  asked_until_ = (now() + asked_for).count();
  say(std::string(watched_hint) + node + ":" + self_);
}

void FleetNews::answered_by(const std::string& words) {
  if (!words.starts_with(self_ + ":")) return;
  {
    const std::lock_guard lock(mutex_);
    if (unanswered_.erase(words.substr(self_.size() + 1)) == 0 || !unanswered_.empty()) return;
    all_answered_ = now();
  }
  go();
}

std::vector<std::string> FleetNews::hear(std::vector<std::string> hints) {
  std::vector<std::string> rest;
  for (std::string& hint : hints) {
    if (hint == storage::news_lost_hint)
      context_->events->lost();
    else if (hint.starts_with(watch_hint))
      asked_by(hint.substr(watch_hint.size()));
    else if (hint.starts_with(watched_hint))
      answered_by(hint.substr(watched_hint.size()));
    else if (!hint.starts_with(storage::news_hint))
      rest.push_back(std::move(hint));
    else if (context_->events->anyone_of_fleet())
      for (storage::News& news : storage::news_in(hint))
        context_->events->heard({std::move(news.type), news.job, std::move(news.queue),
                                 std::move(news.data), context_->clock->now()});
  }
  return rest;
}

}  // namespace quell
