#include "runtime/law/deletion_guard.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/settings/settings.hpp"

namespace quell {

namespace {

bool asked_by_a_person(DeletionOrigin origin) {
  return origin != DeletionOrigin::retention && origin != DeletionOrigin::resume;
}

// Force takes what is marked already, so it can be no part of a spike.
bool may_be_held(DeletionOrigin origin) {
  return asked_by_a_person(origin) && origin != DeletionOrigin::force;
}

}  // namespace

DeletionRules DeletionRules::of(const SettingValues& values) {
  return {values.frozen, values.dry_run, values.require_confirm, values.spike_hold,
          static_cast<std::uint64_t>(values.ids_max)};
}

DeletionMode deletion_mode(const DeletionRules& rules) {
  if (rules.frozen) return DeletionMode::frozen;
  return rules.dry_run ? DeletionMode::dry_run : DeletionMode::live;
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

Result<DeletionPermit> admit_deletion(const DeletionRules& rules, const DeletionCall& call) {
  // What is marked can never run again: a freeze that left it half done would be the lie.
  if (call.origin == DeletionOrigin::resume) return DeletionPermit::go;
  if (call.origin == DeletionOrigin::bulk && call.ids > rules.ids_max)
    return Error{ErrorCode::too_many_ids, std::to_string(call.ids) + " ids were sent, " +
                                              std::to_string(rules.ids_max) + " are taken"};
  // Asking what would go changes nothing: nothing stands against it.
  if (call.dry_run) return DeletionPermit::would_delete;
  // An emergency freeze has no exception: it holds for force too.
  if (rules.frozen) return Error{ErrorCode::deletions_frozen, {}};
  if (rules.dry_run) return DeletionPermit::would_delete;
  if (rules.require_confirm && asked_by_a_person(call.origin) && !call.confirm)
    return Error{ErrorCode::confirmation_required, {}};
  if (rules.spike_hold && call.held && !call.approved && may_be_held(call.origin))
    return Error{ErrorCode::deletion_hold, {}};
  return DeletionPermit::go;
}

}  // namespace quell
