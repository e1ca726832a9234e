#include "runtime/policy/backup_rotation.hpp"

#include <gtest/gtest.h>

#include <set>

namespace quell {
namespace {

using std::chrono::hours;

TEST(BackupRotation, KeepsTheLastOfEachHourDayAndWeekAndTheNewestOfAll) {
  // A backup each twenty minutes for sixty days.
  std::vector<Instant> moments;
  const Instant first{Millis{hours{24 * 20'000}}};
  for (int n = 0; n < 60 * 72; ++n) moments.push_back(first + std::chrono::minutes(20) * n);
  const BackupKeep keep{24, 7, 4};
  const auto gone = backups_to_remove(moments, keep);
  const std::set<std::size_t> removed(gone.begin(), gone.end());
  std::set<std::int64_t> kept_hours, kept_days, kept_weeks;
  std::size_t kept = 0;
  for (std::size_t at = 0; at < moments.size(); ++at) {
    if (removed.contains(at)) continue;
    ++kept;
    kept_hours.insert(moments[at].time_since_epoch() / Millis{hours{1}});
    kept_days.insert(moments[at].time_since_epoch() / Millis{hours{24}});
    kept_weeks.insert((moments[at].time_since_epoch() + Millis{hours{72}}) / Millis{hours{168}});
  }
  EXPECT_FALSE(removed.contains(moments.size() - 1));
  EXPECT_GE(kept_hours.size(), 24U);
  EXPECT_GE(kept_days.size(), 7U);
  EXPECT_GE(kept_weeks.size(), 4U);
  EXPECT_LE(kept, 24U + 7U + 4U);
}

TEST(BackupRotation, NeverTakesTheOnlyOne) {
  EXPECT_TRUE(backups_to_remove({Instant{hours{5}}}, {0, 0, 0}).empty());
  EXPECT_TRUE(backups_to_remove({}, {}).empty());
  EXPECT_EQ(backups_to_remove({Instant{hours{5}}, Instant{hours{6}}}, {0, 0, 0}),
            std::vector<std::size_t>{0});
}

TEST(BackupRotation, IsDueAfterItsTimeAndAfterAFailureAWhileLater) {
  const Instant now{hours{100}};
  EXPECT_EQ(next_backup({}, {}, hours{1}, now), now);
  EXPECT_EQ(next_backup(now - hours{1}, {}, hours{2}, now), now + hours{1});
  EXPECT_EQ(next_backup(now - hours{5}, now, hours{1}, now), now + backup_retry);
  EXPECT_EQ(next_backup(now, now - hours{1}, hours{1}, now), now + hours{1});
}

}  // namespace
}  // namespace quell
