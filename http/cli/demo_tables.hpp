// Who works in the demo's world, what comes again and again there, and what is deleted on its day.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "http/cli/demo_world.hpp"

namespace quell::cli {

inline constexpr std::string_view silent_worker = "fra-4";

struct DemoShare {
  std::string_view pool;
  int slots, used;
};
// A worker and what it gives to each pool. The first of a pool is filled first, so that the silent
// one has something to be stuck on.
struct DemoWorker {
  std::string_view name, host;
  int pid;
  std::vector<DemoShare> shares;
  storage::NodeLife life = {};
  bool gives(std::string_view pool) const {
    return std::any_of(shares.begin(), shares.end(),
                       [pool](const DemoShare& one) { return one.pool == pool; });
  }
};

inline std::vector<DemoWorker> workers_of_the_world() {
  return {{"fra-4", "fra-4.internal", 2214, {{"default", 6, 0}}},
          {"fra-1", "fra-1.internal", 1931, {{"default", 6, 0}}},
          {"fra-2", "fra-2.internal", 1874, {{"default", 6, 0}}},
          {"fra-3", "fra-3.internal", 1902, {{"default", 6, 0}}},
          {"gpu-1", "gpu-1.internal", 771, {{"llm", 6, 0}, {"media", 4, 0}}},
          {"gpu-2", "gpu-2.internal", 768, {{"llm", 6, 0}, {"media", 4, 0}}},
          {"ams-1", "ams-1.internal", 3120, {{"batch", 8, 0}}},
          {"ams-2", "ams-2.internal", 3098, {{"batch", 8, 0}}}};
}

struct DemoPlan {
  std::string_view name, group, cron, zone;
  int every_minutes;
  const DemoKind& kind;
  bool paused = false;
};
inline const std::array plans_of_the_world{
    DemoPlan{"nightly report", "reports", "30 2 * * mon-fri", "Europe/Berlin", 0, demo_kinds[0]},
    DemoPlan{"month end", "reports", "0 6 1,15 * *", "America/New_York", 0, demo_kinds[0], true},
    DemoPlan{"weekly numbers", "reports", "0 7 * * mon", "Europe/Berlin", 0, demo_kinds[0]},
    DemoPlan{"import from the shops", "imports", "", "UTC", 60, demo_kinds[1]},
    DemoPlan{"import from partners", "imports", "15 */6 * * *", "Europe/Lisbon", 0, demo_kinds[1]},
    DemoPlan{"invoices of the day", "mail", "0 18 * * *", "Europe/Berlin", 0, demo_kinds[2]},
    DemoPlan{"reminders", "mail", "0 9 * * mon-fri", "Europe/Berlin", 0, demo_kinds[2]},
    DemoPlan{"thumbnails", "media", "", "UTC", 120, demo_kinds[3]},
    DemoPlan{"sum up yesterday", "support", "0 5 * * *", "Europe/Berlin", 0, demo_kinds[4]},
    DemoPlan{"search index, team", "nightly", "10 1 * * *", "UTC", 0, demo_kinds[5]},
    DemoPlan{"search index, business", "nightly", "40 1 * * *", "UTC", 0, demo_kinds[5]},
    DemoPlan{"search index, archive", "nightly", "0 3 * * sun", "UTC", 0, demo_kinds[5], true},
};

// A delete of the day: who, why, when before now, and how many of which jobs.
struct DemoOrder {
  Millis before;
  std::string_view who, reason, path;
  int running, ended;
  bool on_silent = false, fails = false;
};
inline constexpr std::array orders_of_the_world{
    DemoOrder{std::chrono::hours{22}, "alice", "the customer asked for erasure", "bulk", 0, 12},
    DemoOrder{std::chrono::hours{19}, "ci-bot", "load test is over", "bulk", 0, 40},
    DemoOrder{std::chrono::hours{15}, "bob", "imported twice", "bulk", 0, 6},
    DemoOrder{std::chrono::hours{11}, "ci-bot", "wrong prompt template", "bulk", 3, 0},
    DemoOrder{std::chrono::hours{8}, "alice", "wrong month", "bulk", 0, 9},
    DemoOrder{std::chrono::hours{5}, "ci-bot", "left over from a smoke test", "bulk", 0, 25},
    DemoOrder{std::chrono::minutes{150}, "bob", "runs again with the new mapping", "bulk", 4, 0},
    DemoOrder{std::chrono::minutes{55}, "bob", "hangs since the upgrade", "api", 1, 0, true, true},
    DemoOrder{std::chrono::minutes{40}, "ci-bot", "load test, second round", "bulk", 0, 130},
    DemoOrder{std::chrono::minutes{12}, "alice", "the customer asked for erasure", "bulk", 0, 7},
    DemoOrder{std::chrono::minutes{6}, "bob", "wrong source file", "bulk", 2, 0, true},
};

}  // namespace quell::cli
