#include "actors/writes/pending_batch.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>

#include "storage/verbs.hpp"

namespace quell {

namespace {

using storage::Batch;
using storage::each_verb;
using storage::Outcome;
using storage::VerbLane;
using storage::VerbTraits;

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  if (to.empty())
    to.swap(from);
  else
    std::move(from.begin(), from.end(), std::back_inserter(to));
}

template <class T>
std::vector<T> slice(std::vector<T>& from, std::pair<std::size_t, std::size_t> range) {
  const auto first = from.begin() + static_cast<std::ptrdiff_t>(range.first);
  const auto last = first + static_cast<std::ptrdiff_t>(range.second);
  return {std::make_move_iterator(first), std::make_move_iterator(last)};
}

}  // namespace

std::size_t weight_of(const Batch& ops) {
  std::size_t weight = count_ops(ops, [](VerbTraits) { return true; });
  for (const auto& mark : ops.marks) weight += mark.jobs.size();
  return weight;
}

bool is_empty(const Batch& ops) {
  return weight_of(ops) == 0;
}

bool may_go_alongside(const Batch& ops) {
  return count_ops(ops, [](VerbTraits verb) { return verb.lane == VerbLane::alone; }) == 0;
}

void PendingBatch::count(const Contribution& contribution, bool steering, int by) {
  weight_ += contribution.weight * static_cast<std::size_t>(by);
  if (!may_go_alongside(*contribution.ops)) (steering ? alone_steering_ : alone_bulk_) += by;
}

void PendingBatch::add(Contribution contribution, bool steering) {
  contribution.weight = weight_of(*contribution.ops);
  count(contribution, steering, 1);
  (steering ? steering_ : bulk_).push_back(std::move(contribution));
}

void PendingBatch::put_back(Contribution contribution) {
  contribution.weight = weight_of(*contribution.ops);
  count(contribution, true, 1);
  steering_.push_front(std::move(contribution));
}

std::vector<Contribution> PendingBatch::take(std::size_t steering_weight_max,
                                             std::size_t bulk_weight_max) {
  std::vector<Contribution> taken;
  const auto from = [&taken, this](std::deque<Contribution>& queue, std::size_t most) {
    std::size_t weight = 0;
    while (!queue.empty() && (weight == 0 || weight + queue.front().weight <= most)) {
      weight += queue.front().weight;
      count(queue.front(), &queue == &steering_, -1);
      taken.push_back(std::move(queue.front()));
      queue.pop_front();
    }
  };
  from(steering_, steering_weight_max);
  from(bulk_, bulk_weight_max);
  return taken;
}

JoinedBatch::JoinedBatch(std::vector<Contribution>& parts) : shares_(parts.size()) {
  for (std::size_t i = 0; i < parts.size(); ++i)
    each_verb([&](auto verb, auto, VerbTraits) {
      auto& to = ops_.*verb;
      auto& from = (*parts[i].ops).*verb;
      shares_[i].ranges.emplace_back(to.size(), from.size());
      if (!from.empty()) append(to, from);
    });
}

std::vector<Outcome> JoinedBatch::cut(Outcome& whole) const {
  std::vector<Outcome> parts(shares_.size());
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    std::size_t at = 0;
    parts[i].durability = whole.durability;
    parts[i].news_told = whole.news_told;
    each_verb([&](auto, auto answers, VerbTraits) {
      const auto range = shares_[i].ranges[at++];
      if constexpr (!std::is_null_pointer_v<decltype(answers)>)
        if (range.second > 0) {
          auto mine = slice(whole.*answers, range);
          (parts[i].*answers).swap(mine);
        }
    });
  }
  return parts;
}

std::shared_ptr<Batch> JoinedBatch::again(std::size_t part) const {
  auto ops = std::make_shared<Batch>();
  std::size_t at = 0;
  each_verb([&](auto verb, auto, VerbTraits) {
    const auto [first, count] = shares_[part].ranges[at++];
    const auto begin = (ops_.*verb).begin() + static_cast<std::ptrdiff_t>(first);
    (ops.get()->*verb).assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  });
  return ops;
}

}  // namespace quell
