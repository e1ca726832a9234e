#include "runtime/policy/beat_watch.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

NodeId node(std::uint8_t n) {
  NodeId id;
  id.bytes[15] = n;
  return id;
}

constexpr Millis lease{15'000}, widest{5'000};

// Every history of eight looks, a second apart each, in which the other node is seen to beat, to
// stand, to be away, to begin a new life, or nobody looks for six seconds: it is called dead
// exactly when the same beat was seen throughout looks without a gap that span the lease.
TEST(BeatWatch, CallsDeadExactlyWhatItWatchedStandStillForTheLease) {
  enum Step { beats, stands, away, reborn, gap, steps };
  const Millis short_lease{3'000}, narrow{2'000};
  int dead_ones = 0;
  for (int history = 0; history < 390'625; ++history) {  // 5^8
    BeatWatch watch(short_lease, narrow);
    Millis now{1'000'000};
    NodeBeat other{node(1), 1, 1};
    Millis since = Millis::max();  // when the present beat was first seen, if watched since
    int rest = history;
    for (int look = 0; look < 8; ++look, rest /= steps) {
      const int step = rest % steps;
      now += step == gap ? Millis{6'000} : Millis{1'000};
      if (step == beats) ++other.beat;
      if (step == reborn) other = {other.node, other.life + 1, 0};
      const bool fresh = step == beats || step == reborn || step == gap || since == Millis::max();
      if (step == away)
        since = Millis::max();
      else if (fresh)
        since = now;
      std::vector<NodeBeat> seen;
      if (step != away) seen.push_back(other);
      const auto dead = watch.look(now, now, seen);
      const bool expected = step != away && now - since >= short_lease;
      ASSERT_EQ(!dead.empty(), expected) << "history " << history << ", look " << look;
      dead_ones += expected ? 1 : 0;
    }
  }
  EXPECT_GT(dead_ones, 1'000);
}

TEST(BeatWatch, CountsFromTheEndOfALookToTheStartOfTheNext) {
  BeatWatch watch(lease, widest);
  const std::vector<NodeBeat> seen{{node(1), 1, 7}};
  EXPECT_TRUE(watch.look(Millis{0}, Millis{900}, seen).empty());
  EXPECT_TRUE(watch.look(Millis{1'000}, Millis{1'900}, seen).empty());
  EXPECT_EQ(watch.still(node(1)), Millis{100});  // a slow read proves nothing
}

TEST(BeatWatch, AStoreThatWasAwayForEveryoneKillsNobody) {
  BeatWatch watch(lease, widest);
  const std::vector<NodeBeat> seen{{node(1), 1, 7}, {node(2), 3, 1}};
  watch.look(Millis{0}, Millis{0}, seen);
  EXPECT_TRUE(watch.look(Millis{60'000}, Millis{60'000}, seen).empty());
  EXPECT_EQ(watch.still(node(1)), Millis{0});
}

TEST(BeatWatch, TellsOneNodeFromAnother) {
  BeatWatch watch(lease, widest);
  for (int second = 0; second < 15; ++second)
    EXPECT_TRUE(watch
                    .look(Millis{second * 1'000}, Millis{second * 1'000},
                          {{node(1), 1, 7}, {node(2), 1, second}})
                    .empty());
  const auto dead = watch.look(Millis{15'000}, Millis{15'000}, {{node(1), 1, 7}, {node(2), 1, 99}});
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead.front(), (NodeBeat{node(1), 1, 7}));
}

}  // namespace
}  // namespace quell
