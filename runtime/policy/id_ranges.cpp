#include "runtime/policy/id_ranges.hpp"

#include <algorithm>
#include <utility>

namespace quell {

namespace {

constexpr int slice_rows = 5'000;
// Below the shortest life of a tombstone, which is a day.
constexpr Millis horizon_of_a_look{std::chrono::hours{12}};

std::uint64_t word_at(const Uuid& id, std::size_t first) {
  std::uint64_t word = 0;
  for (std::size_t i = first; i < first + 8; ++i) word = (word << 8) | id.bytes[i];
  return word;
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t digest_of(const IdRow& row) {
  const std::uint64_t life =
      static_cast<std::uint64_t>(row.epoch) << 8 | static_cast<std::uint64_t>(row.state);
  return mixed(word_at(row.id, 0) + mixed(word_at(row.id, 8) + mixed(life)));
}

Uuid after(Uuid id) {
  for (std::size_t i = id.bytes.size(); i-- > 0;)
    if (++id.bytes[i] != 0) break;
  return id;
}

void add_figures(IdRange& to, const IdRange& one) {
  to.rows += one.rows;
  to.done += one.done;
  to.tombs += one.tombs;
  to.sum += one.sum;
  to.lost += one.lost;
}

}  // namespace

Uuid first_id_of(Instant at) {
  Uuid id;
  auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(at.time_since_epoch().count(), 0));
  for (std::size_t i = 6; i-- > 0; ms >>= 8) id.bytes[i] = static_cast<std::uint8_t>(ms & 0xff);
  return id;
}

RangeWalk::RangeWalk(std::vector<IdRange> before, Uuid frontier, Instant now, RangeBounds bounds)
    : bounds_(bounds), frontier_(frontier), now_(now), before_(std::move(before)) {
  if (before_.empty()) {
    before_.resize(2);  // what was there before anybody looked, and what comes
    before_.back().from = frontier;
    old_frontier_ = id_end;
  } else {
    old_frontier_ = before_.back().from;
  }
  is_done_.assign(before_.size(), false);
  std::vector<std::size_t> unseen, seen;
  for (std::size_t i = 0; i + 1 < before_.size(); ++i)
    (before_[i].is_unseen() ? unseen : seen).push_back(i);
  std::reverse(unseen.begin(), unseen.end());  // the newest first
  std::stable_sort(seen.begin(), seen.end(),
                   [this](auto a, auto b) { return before_[a].seen < before_[b].seen; });
  order_.push_back(before_.size() - 1);
  // In turn, so that neither a large store that is new to us nor its old part waits for the other.
  for (std::size_t i = 0; i < std::max(unseen.size(), seen.size()); ++i) {
    if (i < unseen.size()) order_.push_back(unseen[i]);
    if (i < seen.size()) order_.push_back(seen[i]);
  }
  std::reverse(order_.begin(), order_.end());
}

void RangeWalk::begin(std::size_t which) {
  at_ = which;
  cursor_ = before_[which].from;
  below_ = which + 1 < before_.size() ? before_[which + 1].from : id_end;
  piece_ = whole_ = IdRange{};
  piece_.from = cursor_;
  pieces_.clear();
}

std::optional<RangeWalk::Read> RangeWalk::next() {
  if (!at_) {
    if (order_.empty()) return std::nullopt;
    if (changes_.rows_read >= bounds_.rows_most) {
      changes_.is_partial = true;
      return std::nullopt;
    }
    begin(order_.back());
    order_.pop_back();
  }
  asked_ = slice_rows;
  return Read{cursor_, below_, asked_};
}

void RangeWalk::add(const IdRow& row) {
  const IdRange& old = before_[*at_];
  if (row.is_tomb) {
    if (row.until > now_ + horizon_of_a_look) ++piece_.tombs;
    if (old.is_unseen() || row.until > old.horizon) ++whole_.tombs;
    return;
  }
  ++piece_.rows;
  ++whole_.rows;
  const bool is_done = is_final(row.state);
  piece_.done += is_done ? 1 : 0;
  whole_.done += is_done ? 1 : 0;
  piece_.sum += digest_of(row);
  whole_.sum += digest_of(row);
}

void RangeWalk::cut(Uuid at) {
  piece_.seen = now_;
  piece_.horizon = now_ + horizon_of_a_look;
  pieces_.push_back(std::exchange(piece_, IdRange{}));
  piece_.from = at;
}

void RangeWalk::cut_at_frontier(Uuid before) {
  if (piece_.from < frontier_ && frontier_ <= before && frontier_ < below_) cut(frontier_);
}

void RangeWalk::take(std::span<const IdRow> rows) {
  for (const IdRow& row : rows) {
    cut_at_frontier(row.id);
    add(row);
    cursor_ = after(row.id);
    if (piece_.rows + piece_.tombs >= bounds_.range_rows && cursor_ < below_) cut(cursor_);
  }
  changes_.rows_read += std::ssize(rows);
  if (std::ssize(rows) < asked_) {
    cut_at_frontier(below_);
    cut(below_);
    return finish();
  }
  // The rest of what is new to us waits for the next look; what was seen is read to its end, but
  // for the last range, which grows without end.
  const bool may_wait = before_[*at_].is_unseen() || *at_ + 1 == before_.size();
  if (!may_wait || changes_.rows_read < bounds_.rows_most) return;
  if (cursor_ > piece_.from) cut(cursor_);
  pieces_.push_back(std::exchange(piece_, IdRange{}));  // unseen, from the cursor on
  changes_.is_partial = true;
  finish();
}

void RangeWalk::finish() {
  const IdRange& old = before_[*at_];
  const bool is_whole = !pieces_.back().is_unseen();
  is_done_[*at_] = true;
  ++changes_.ranges_read;
  if (old.is_unseen() || !is_whole) {
    pieces_.front().lost += old.lost;
    // Of what was there before anybody looked, nothing is known to be new.
    if (old.from >= old_frontier_) changes_.added += whole_.rows + whole_.tombs;
    if (old.from >= old_frontier_) changes_.removed += whole_.tombs;
    if (whole_.rows > 0) ++changes_.ranges_changed;
  } else {
    pieces_.front().lost += old.lost;
    changes_.ranges_changed += old.sum != whole_.sum ? 1 : 0;
    changes_.changed += std::max<std::int64_t>(whole_.done - old.done, 0);
    const std::int64_t balance = whole_.rows + whole_.tombs - old.rows - old.tombs;
    // Tombstones may have ended that the last look counted: then nothing can be said.
    if (now_ < old.horizon) {
      changes_.removed += std::max<std::int64_t>(whole_.tombs - old.tombs, 0);
      changes_.added += std::max<std::int64_t>(balance, 0);
      if (balance < 0) {
        changes_.lost.push_back({old.from, below_, -balance});
        pieces_.front().lost -= balance;
      }
    }
  }
  made_.insert(made_.end(), pieces_.begin(), pieces_.end());
  at_.reset();
}

std::vector<IdRange> RangeWalk::ranges() const {
  std::vector<IdRange> all = made_;
  for (std::size_t i = 0; i < before_.size(); ++i)
    if (!is_done_[i]) all.push_back(before_[i]);
  std::sort(all.begin(), all.end(),
            [](const IdRange& a, const IdRange& b) { return a.from < b.from; });
  std::vector<IdRange> merged;
  for (const IdRange& one : all) {
    IdRange* last = merged.empty() ? nullptr : &merged.back();
    if (last && last->seen == now_ && one.seen == now_ && one.from != frontier_ &&
        last->rows + last->tombs + one.rows + one.tombs <= bounds_.range_rows)
      add_figures(*last, one);
    else
      merged.push_back(one);
  }
  return merged;
}

std::vector<RangeDifference> differences(std::span<const IdRange> a, std::span<const IdRange> b) {
  std::vector<RangeDifference> all;
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    IdRange left = a[i++], right = b[j++];
    left.from = right.from = std::min(left.from, right.from);
    const auto end = [](std::span<const IdRange> of, std::size_t at) {
      return at < of.size() ? of[at].from : id_end;
    };
    while (end(a, i) != end(b, j))
      if (end(a, i) < end(b, j)) {
        add_figures(left, a[i++]);
      } else {
        add_figures(right, b[j++]);
      }
    if (left.rows != right.rows || left.tombs != right.tombs || left.sum != right.sum ||
        left.lost != right.lost)
      all.push_back({left.from, end(a, i), left.rows, right.rows, left.tombs, right.tombs,
                     right.lost - left.lost});
  }
  return all;
}

}  // namespace quell
