// A job may have had several holders; its tombstone has one verdict, and it must not sound better
// than the worst of them.
#pragma once

#include <utility>
#include <vector>

#include "runtime/law/delete_protocol.hpp"
#include "storage/batch.hpp"

namespace quell::storage {

// Unproven beats proven, because the promise is only as good as its weakest part. Among proven
// ones the run's own verdict says what happened to the job; deliveries speak where no run did.
inline Verdict joint_verdict(const std::vector<std::pair<HolderKind, Verdict>>& verdicts) {
  Verdict joint = Verdict::not_running;
  bool unproven = false, by_run = false;
  for (const auto& [what, verdict] : verdicts) {
    const bool weak = proof_of(verdict) != Proof::proven;
    const bool run = what == HolderKind::run;
    const bool stronger_claim = weak != unproven         ? weak
                                : !weak && run != by_run ? run
                                                         : joint < verdict;
    if (!stronger_claim) continue;
    joint = verdict;
    unproven = weak;
    by_run = run;
  }
  return joint;
}

}  // namespace quell::storage
