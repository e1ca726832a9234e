#include "runtime/deletion_guard.hpp"

#include "runtime/assert.hpp"

namespace quell {

namespace {

// What is marked can never run again, so a freeze protects nothing by stopping it half way.
bool marks_new_jobs(DeletionDoor door) {
  return door != DeletionDoor::resume && door != DeletionDoor::force;
}

bool asked_by_a_person(DeletionDoor door) {
  return door != DeletionDoor::retention && door != DeletionDoor::resume;
}

}  // namespace

DeletionMode deletion_mode(const SettingValues& values) {
  if (values.frozen) return DeletionMode::frozen;
  return values.dry_run ? DeletionMode::dry_run : DeletionMode::live;
}

std::string_view to_string(DeletionMode mode) {
  switch (mode) {
    case DeletionMode::live:
      return "live";
    case DeletionMode::dry_run:
      return "dry_run";
    case DeletionMode::frozen:
      return "frozen";
  }
  QUELL_ASSERT(!"a mode outside the list");
  return {};
}

Result<DeletionPermit> admit_deletion(const SettingValues& values, const DeletionCall& call) {
  if (call.door == DeletionDoor::bulk && call.ids > static_cast<std::uint64_t>(values.ids_max))
    return Error{ErrorCode::too_many_ids, std::to_string(call.ids) + " ids were sent, " +
                                              std::to_string(values.ids_max) + " are taken"};
  // Asking what would go changes nothing: no freeze, confirmation or hold stands against it.
  if (call.dry_run) return DeletionPermit::would_delete;
  const DeletionMode mode = deletion_mode(values);
  if (mode == DeletionMode::frozen && marks_new_jobs(call.door))
    return Error{ErrorCode::deletions_frozen, {}};
  if (values.require_confirm && asked_by_a_person(call.door) && !call.confirm)
    return Error{ErrorCode::confirmation_required, {}};
  // In the system's dry-run mode callers see the same refusals as they would live.
  if (mode == DeletionMode::dry_run) return DeletionPermit::would_delete;
  if (values.spike_hold && call.held && !call.approved && marks_new_jobs(call.door) &&
      asked_by_a_person(call.door))
    return Error{ErrorCode::deletion_hold, {}};
  return DeletionPermit::go;
}

JobFate judge_job(DeletionDoor door, bool is_protected) {
  // A mark that was made stays made: protection set afterwards came too late.
  if (!is_protected || !marks_new_jobs(door)) return JobFate::deleted;
  return door == DeletionDoor::retention ? JobFate::skipped : JobFate::failed;
}

}  // namespace quell
