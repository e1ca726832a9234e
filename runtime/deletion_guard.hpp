// A delete cannot be taken back, so every one of them, by whatever door, is asked the same
// questions first.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/result.hpp"
#include "runtime/settings.hpp"

namespace quell {

enum class DeletionMode : std::uint8_t { live, dry_run, frozen };

// A freeze wins over a dry run: it was the last thing somebody in trouble asked for.
DeletionMode deletion_mode(const SettingValues& values);
std::string_view to_string(DeletionMode mode);

enum class DeletionDoor : std::uint8_t {
  single,     // DELETE of one job
  bulk,       // a list of ids
  filter,     // an operation over all that match
  schedule,   // a task and its runs
  retention,  // expiry and purge
  resume,     // retry of a delete that is marked already
  force,      // erase of a job that is marked already, without proof
};

struct DeletionCall {
  DeletionDoor door = DeletionDoor::single;
  std::uint64_t ids = 1;  // as sent, for single and bulk
  bool confirm = false;
  bool dry_run = false;
  bool held = false;      // the spike guard wants it held
  bool approved = false;  // an administrator released it
};

enum class DeletionPermit : std::uint8_t { go, would_delete };

// May the call mark jobs? `would_delete`: answer what would go, and change nothing.
Result<DeletionPermit> admit_deletion(const SettingValues& values, const DeletionCall& call);

enum class JobFate : std::uint8_t { deleted, failed, skipped };

// What becomes of one job of an admitted call: a person is told that it is protected, retention
// passes over it.
JobFate judge_job(DeletionDoor door, bool is_protected);

}  // namespace quell
