#include "runtime/policy/backup_rotation.hpp"

#include <algorithm>
#include <cstdint>

namespace quell {

namespace {

constexpr Millis hour{std::chrono::hours{1}}, day{std::chrono::hours{24}};
constexpr Millis week{std::chrono::hours{24 * 7}};
// Weeks begin on Monday; time began on a Thursday.
constexpr Millis thursday{std::chrono::hours{24 * 3}};

// From the newest on: the last of each period, until so many periods were met.
void keep_last_of(const std::vector<Instant>& moments, Millis period, Millis shift, int periods,
                  std::vector<bool>& kept) {
  std::int64_t met = -1;
  for (std::size_t at = moments.size(); at-- > 0 && periods > 0;) {
    const std::int64_t which = (moments[at].time_since_epoch() + shift) / period;
    if (which == met) continue;
    met = which;
    kept[at] = true;
    --periods;
  }
}

}  // namespace

std::vector<std::size_t> backups_to_remove(const std::vector<Instant>& moments,
                                           const BackupKeep& keep) {
  std::vector<bool> kept(moments.size(), false);
  if (!kept.empty()) kept.back() = true;
  keep_last_of(moments, hour, Millis{0}, keep.hourly, kept);
  keep_last_of(moments, day, Millis{0}, keep.daily, kept);
  keep_last_of(moments, week, thursday, keep.weekly, kept);
  std::vector<std::size_t> gone;
  for (std::size_t at = 0; at < kept.size(); ++at)
    if (!kept[at]) gone.push_back(at);
  return gone;
}

Instant next_backup(std::optional<Instant> last, std::optional<Instant> failed, Millis every,
                    Instant now) {
  Instant due = last ? *last + every : now;
  if (failed && (!last || *failed > *last)) due = std::max(due, *failed + backup_retry);
  return due;
}

}  // namespace quell
