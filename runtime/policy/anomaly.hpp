// What is unusual about a store, decided from values alone: the snapshots of the last hour, the new
// one, and the rules of spec/anomaly_rules.def with their settings.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/policy/store_snapshot.hpp"

namespace quell {

struct SettingValues;

enum class AnomalyRule : std::uint8_t {
#define ANOMALY_RULE(name, member, manner, what, advice) name,
#include "runtime/spec/anomaly_rules.def"
#undef ANOMALY_RULE
};
inline constexpr std::array all_anomaly_rules{
#define ANOMALY_RULE(name, member, manner, what, advice) AnomalyRule::name,
#include "runtime/spec/anomaly_rules.def"
#undef ANOMALY_RULE
};
inline constexpr std::size_t anomaly_rule_count = all_anomaly_rules.size();
std::string_view to_string(AnomalyRule rule);
std::optional<AnomalyRule> anomaly_rule(std::string_view name);

// When people work: HH:MM-HH:MM from Monday to Friday, by the wall clock of a zone.
class WorkingHours {
 public:
  static Result<WorkingHours> make(std::string_view hours, std::string_view zone);
  // "" hours: always.
  bool has(Instant at) const;

 private:
  std::string from_, to_, zone_;
};

struct AnomalyLimits {
  std::array<std::int64_t, anomaly_rule_count> from{};  // 0: off
  static AnomalyLimits of(const SettingValues& values);
};

struct Anomaly {
  AnomalyRule rule = AnomalyRule::vanished;
  std::uint64_t value = 0, limit = 0;
  std::string subject = {};
};
std::string sentence_of(const Anomaly& anomaly);  // what it is, and what to do

struct Judgement {
  std::vector<Anomaly> alerts;
  std::vector<std::string> above;  // for the new snapshot: what the next one knows of it
};
// `before`: oldest first, the last one is the new one's neighbour. A rule that was above its line
// is so until its figure is a tenth below it.
Judgement judge(std::span<const StoreSnapshot> before, const StoreSnapshot& now,
                const AnomalyLimits& limits);

inline constexpr Millis anomaly_window{std::chrono::hours{1}};  // `before` need not be older

}  // namespace quell
