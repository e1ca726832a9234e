// The world of `quell demo --serve`: the last day of a firm that never was, lived through the
// store's own verbs, so that what the pages show is what a day leaves. One seed, one world.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "actors/node/node.hpp"
#include "runtime/task/task.hpp"
#include "storage/store.hpp"

namespace quell::cli {

// A kind of its jobs: which queue and pool, how long it takes, how many of a hundred fail.
struct DemoKind {
  std::string_view name, queue, pool;
  int seconds_min, seconds_max;
  int share, fails;  // of a hundred
  std::string_view sentence;
};
inline constexpr std::array demo_kinds{
    DemoKind{"render-report", "default", "default", 8, 90, 22, 3,
             "Renders a report as a PDF, page by page."},
    DemoKind{"import-customers", "imports", "default", 30, 240, 16, 6,
             "Reads a file of customers, in batches of a thousand."},
    DemoKind{"send-invoice", "mail", "default", 1, 4, 30, 2, "Sends one invoice by mail."},
    DemoKind{"transcode-video", "media", "media", 90, 600, 8, 4, "Turns a video into three sizes."},
    DemoKind{"summarise-ticket", "summaries", "llm", 4, 40, 19, 5,
             "Has a language model sum up a ticket; its words come as they are said."},
    DemoKind{"rebuild-index", "nightly", "batch", 120, 900, 5, 2,
             "Builds a search index anew, shard by shard."},
};

struct DemoPool {
  std::string_view name;
  int slots;
};
inline constexpr std::array demo_pools{DemoPool{"default", 24}, DemoPool{"llm", 12},
                                       DemoPool{"media", 8}, DemoPool{"batch", 16}};

// Chance that is the same on every machine, which the distributions of the library are not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  int between(int low, int high) { return low + below(high - low + 1); }
  bool percent(int n) { return below(100) < n; }
  const DemoKind& kind();
  Uuid id(Instant at);  // version 7, of that time

 private:
  std::mt19937_64 engine_;
};

std::string demo_args(const DemoKind& kind, Dice& dice);  // JSON, believable
std::vector<std::string> demo_tags(const DemoKind& kind, Dice& dice);
std::string demo_sentence(std::size_t n);  // of a summary, one after the other

struct WorldOptions {
  std::uint64_t seed = 7;
  Instant now;
  // True: what runs stays where it runs, on workers that stand still, as on a picture. False: it
  // waits for the node that is about to start, except what a delete is stuck on.
  bool frozen = false;
};

// Fills an empty store. The answer: the workers as the last beat shows them.
Result<std::vector<FleetNode>> live_a_day(storage::Writer& writer, const WorldOptions& options);

// Kinds that do what they say without leaving this machine: they wait, and tell how far they are.
Registry& add_demo_kinds(Registry& registry);

}  // namespace quell::cli
