#include "storage/hints.hpp"

#include <algorithm>
#include <set>

#include "storage/news.hpp"
#include "storage/steered.hpp"

namespace quell::storage {

namespace {

class Gathered {
 public:
  Gathered(const Batch& batch, const Outcome& outcome) : batch_(batch), outcome_(outcome) {}

  std::vector<std::string> all() {
    for (const HintOp& hint : batch_.hints)
      if (!hint.name.starts_with(news_hint)) names_.insert(hint.name);
    orders();
    erased();
    queues();
    if (std::any_of(outcome_.docs.begin(), outcome_.docs.end(),
                    [](const DocResult& doc) { return doc.written; }))
      names_.insert("docs");
    return {names_.begin(), names_.end()};
  }

 private:
  void order(const Holder& holder) {
    if (holder.owner.node != batch_.writer) names_.insert("orders:" + holder.owner.node.text());
  }

  void orders() {
    for (const auto& call : outcome_.marks)
      for (const MarkedJob& job : call)
        for (const Holder& holder : job.open) order(holder);
    for (const ForceResult& force : outcome_.forces)
      for (const Holder& holder : force.open) order(holder);
    each_steered(batch_, outcome_, [this](const JobId&, JobEvent, const SteerResult& steer) {
      if (steer.runner) order(*steer.runner);
    });
  }

  void erased() {
    for (std::size_t i = 0; i < outcome_.verdicts.size(); ++i)
      if (batch_.verdicts[i].tell_others && outcome_.verdicts[i].answer == VerdictAnswer::erased)
        names_.insert("erased");
    for (const RecoverResult& declared_dead : outcome_.recoveries)
      if (!declared_dead.erased.empty()) names_.insert("erased");
  }

  // A claim that came back short has emptied its queue: nothing is left for others.
  void queues() {
    std::set<std::string> queues;
    for (std::size_t i = 0; i < outcome_.enqueues.size(); ++i)
      if (outcome_.enqueues[i].answer == EnqueueAnswer::stored &&
          outcome_.enqueues[i].state == JobState::queued)
        queues.insert(batch_.enqueues[i].job.queue);
    for (const FireResult& fire : outcome_.fires)
      queues.insert(fire.queues.begin(), fire.queues.end());
    for (const DueResult& due : outcome_.dues) queues.insert(due.queues.begin(), due.queues.end());
    for (const RecoverResult& declared_dead : outcome_.recoveries)
      queues.insert(declared_dead.queues.begin(), declared_dead.queues.end());
    for (const SteerResult& steer : outcome_.steers)
      if (steer.answer == SteerAnswer::moved && steer.state == JobState::queued)
        queues.insert(steer.queue);
    for (std::size_t i = 0; i < outcome_.claims.size(); ++i)
      if (outcome_.claims[i].size() < static_cast<std::size_t>(batch_.claims[i].limit))
        queues.erase(batch_.claims[i].queue);
    for (const std::string& queue : queues) names_.insert("queue:" + queue);
  }

  const Batch& batch_;
  const Outcome& outcome_;
  std::set<std::string> names_;
};

constexpr std::size_t most_news = 64;  // texts of one commit: half a megabyte

std::vector<std::string> news_said(const Batch& batch, const Outcome& outcome, std::size_t most) {
  std::vector<std::string> lines;
  for (const HintOp& hint : batch.hints)
    if (hint.name.starts_with(news_hint)) lines.push_back(hint.name);
  if (batch.tells_news)
    for (std::string& line : hints_of_news(news_of(batch, outcome), most))
      lines.push_back(std::move(line));
  std::vector<std::string> texts;
  for (std::string& line : lines) {
    if (line.size() > most || texts.size() > most_news) return {std::string(news_lost_hint)};
    if (texts.empty() || texts.back().size() + 1 + line.size() > most)
      texts.push_back(std::move(line));
    else
      texts.back() += '\n' + line;
  }
  return texts;
}

}  // namespace

std::vector<std::string> said_of(const Batch& batch, const Outcome& outcome, std::size_t most) {
  std::vector<std::string> texts = news_said(batch, outcome, most);
  std::string names = join_hints(hints_of(batch, outcome), most);
  if (!names.empty()) texts.push_back(std::move(names));
  return texts;
}

std::vector<std::string> hints_of(const Batch& batch, const Outcome& outcome) {
  return Gathered(batch, outcome).all();
}

std::string join_hints(const std::vector<std::string>& hints, std::size_t most) {
  std::string text;
  const auto add = [&](const std::string& hint) {
    if (text.size() + hint.size() + 1 > most) return;
    if (!text.empty()) text += '\n';
    text += hint;
  };
  const auto is_queue = [](const std::string& hint) { return hint.starts_with("queue:"); };
  for (const std::string& hint : hints)
    if (!is_queue(hint)) add(hint);
  for (const std::string& hint : hints)
    if (is_queue(hint)) add(hint);
  return text;
}

std::vector<std::string> split_hints(std::string_view text) {
  std::vector<std::string> hints;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    hints.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return hints;
}

}  // namespace quell::storage
