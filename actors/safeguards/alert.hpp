// An alert of the spike guard or of the sentinel, as it is stored; and the delete that the former
// may hold until somebody approves it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/deletes/delete_report.hpp"
#include "actors/operations/operation.hpp"
#include "actors/schedules/task_delete.hpp"
#include "runtime/policy/anomaly.hpp"
#include "runtime/policy/spike_monitor.hpp"

namespace quell {

enum class AlertState : std::uint8_t { raised, acked, approved };
std::string_view to_string(AlertState state);

struct Alert {
  Uuid id;  // of the call that crossed the line, or of the snapshot: so many nodes raise it once
  SpikeAlert spike;
  std::optional<Anomaly> anomaly = {};  // then it is no spike
  AlertState state = AlertState::raised;
  bool holds = false;  // a delete waits for it
  Instant at = {};
  std::string who = {}, path = {}, project = {};
  std::string by = {};  // who acted on it
  std::optional<Instant> acted = {};
};

struct HeldTasks {
  std::vector<Uuid> tasks;
  TaskDeleteRequest asked;
};

struct HeldDelete {
  std::optional<DeleteRequest> request = {};
  std::optional<OperationOrder> operation = {};
  std::optional<HeldTasks> tasks = {};
  // It was approved and is being made; when somebody has made it, it is not kept any more.
  std::optional<Instant> approved = {};
};

inline constexpr const char *alert_kind = "alert", *held_kind = "held_delete";
inline constexpr Millis alert_keep{std::chrono::hours{24 * 30}};
inline constexpr std::size_t held_max = 100;

storage::DocOp alert_doc(const Alert& alert, std::optional<std::int64_t> if_version);
std::optional<Alert> alert_of(const storage::Doc& doc);
storage::DocOp held_doc(const Alert& alert, const HeldDelete& held);
std::optional<HeldDelete> held_of(const storage::Doc& doc);

// "more than 5 delete calls in a minute"
std::string sentence_of(const SpikeAlert& spike);
std::string sentence_of(const Alert& alert);  // of the sentinel's also what to do
std::string_view cause_of(const Alert& alert);
std::uint64_t count_of(const Alert& alert);
std::uint64_t limit_of(const Alert& alert);

}  // namespace quell
