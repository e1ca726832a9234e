// A delete cannot be taken back, so every one of them, wherever it comes from, is asked the same
// questions first.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/settings/setting_types.hpp"

namespace quell {

struct SettingValues;

// How careful a node is with deletes at this moment.
struct DeletionRules {
  bool frozen = false;   // of the whole fleet, or by this node's setting
  bool dry_run = false;  // every delete answers what would go
  bool require_confirm = false;
  bool spike_hold = false;
  std::uint64_t ids_max = setting_default::ids_max;  // of one bulk call

  static DeletionRules of(const SettingValues& values);
  bool operator==(const DeletionRules&) const = default;
};

enum class DeletionMode : std::uint8_t { live, dry_run, frozen };

// A freeze wins over a dry run: it was the last thing somebody in trouble asked for.
DeletionMode deletion_mode(const DeletionRules& rules);
std::string_view to_string(DeletionMode mode);

enum class DeletionOrigin : std::uint8_t {
  single,     // DELETE of one job
  bulk,       // a list of ids
  filter,     // an operation over all that match
  schedule,   // a task and its runs
  purge,      // expired jobs, by a person
  retention,  // expired jobs, by the clock
  resume,     // retry of a delete that is marked already
  force,      // erase of a job that is marked already, without proof
};

struct DeletionCall {
  DeletionOrigin origin = DeletionOrigin::single;
  std::uint64_t ids = 1;  // as sent, for single and bulk
  bool confirm = false;
  bool dry_run = false;
  bool held = false;      // the spike guard wants it held
  bool approved = false;  // an administrator released it
};

enum class DeletionPermit : std::uint8_t { go, would_delete };

// May the call delete? `would_delete`: answer what would go, and change nothing. Asked in this
// order: frozen, dry run, confirmation, spike hold. Whether a job is protected the store sees, in
// the transaction that marks it.
Result<DeletionPermit> admit_deletion(const DeletionRules& rules, const DeletionCall& call);

}  // namespace quell
