// Which backups of a timetable stay: the last of each of the newest hours, days and weeks that have
// one, and the newest of all.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "runtime/base/clock.hpp"

namespace quell {

struct BackupKeep {
  int hourly = 24, daily = 7, weekly = 4;
};

// `moments` rise. Places in it of those that go.
std::vector<std::size_t> backups_to_remove(const std::vector<Instant>& moments,
                                           const BackupKeep& keep);

// When the next one is due. `last`: of the newest, if there is one. A backup that failed is tried
// again after a while, not at once.
inline constexpr Millis backup_retry{std::chrono::minutes{5}};
Instant next_backup(std::optional<Instant> last, std::optional<Instant> failed, Millis every,
                    Instant now);

}  // namespace quell
