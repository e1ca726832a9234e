#include "runtime/law/deletion_guard.hpp"

#include <gtest/gtest.h>

#include "runtime/settings/settings.hpp"

namespace quell {
namespace {

const DeletionOrigin every_origin[] = {DeletionOrigin::single, DeletionOrigin::bulk,
                                       DeletionOrigin::filter, DeletionOrigin::schedule,
                                       DeletionOrigin::purge,  DeletionOrigin::retention,
                                       DeletionOrigin::resume, DeletionOrigin::force};

// The guard's answer in one word: what it let through, or the wire code of the refusal.
std::string answer(const DeletionRules& rules, const DeletionCall& call) {
  const Result<DeletionPermit> permit = admit_deletion(rules, call);
  if (!permit) return std::string(info(permit.error().code).wire);
  return *permit == DeletionPermit::go ? "go" : "would_delete";
}

DeletionCall through(DeletionOrigin origin) {
  DeletionCall call;
  call.origin = origin;
  return call;
}

// The table of the law: what is asked for, and what becomes of it live, in dry-run mode, frozen.
struct Row {
  DeletionOrigin origin;
  bool dry_run;
  const char *live, *dry, *frozen;
};
const Row law[] = {
    {DeletionOrigin::single, true, "would_delete", "would_delete", "would_delete"},
    {DeletionOrigin::bulk, true, "would_delete", "would_delete", "would_delete"},
    {DeletionOrigin::filter, true, "would_delete", "would_delete", "would_delete"},
    {DeletionOrigin::force, true, "would_delete", "would_delete", "would_delete"},
    {DeletionOrigin::single, false, "go", "would_delete", "deletions-frozen"},
    {DeletionOrigin::bulk, false, "go", "would_delete", "deletions-frozen"},
    {DeletionOrigin::filter, false, "go", "would_delete", "deletions-frozen"},
    {DeletionOrigin::schedule, false, "go", "would_delete", "deletions-frozen"},
    {DeletionOrigin::purge, false, "go", "would_delete", "deletions-frozen"},
    {DeletionOrigin::force, false, "go", "would_delete", "deletions-frozen"},
    {DeletionOrigin::retention, false, "go", "would_delete", "deletions-frozen"},
    {DeletionOrigin::resume, false, "go", "go", "go"},
};

TEST(DeletionGuard, FollowsTheTableRowByRow) {
  for (const Row& row : law) {
    SCOPED_TRACE(std::to_string(static_cast<int>(row.origin)) + (row.dry_run ? " dry" : ""));
    DeletionCall call = through(row.origin);
    call.dry_run = row.dry_run;
    EXPECT_EQ(answer({}, call), row.live);
    EXPECT_EQ(answer({.dry_run = true}, call), row.dry);
    EXPECT_EQ(answer({.frozen = true}, call), row.frozen);
    EXPECT_EQ(answer({.frozen = true, .dry_run = true}, call), row.frozen) << "a freeze wins";
  }
}

TEST(DeletionGuard, IsLiveUnlessToldOtherwise) {
  EXPECT_EQ(DeletionRules::of(Settings().values), DeletionRules{});
  EXPECT_EQ(deletion_mode({}), DeletionMode::live);
  EXPECT_EQ(deletion_mode({.dry_run = true}), DeletionMode::dry_run);
  EXPECT_EQ(deletion_mode({.frozen = true, .dry_run = true}), DeletionMode::frozen);
}

TEST(DeletionGuard, ConfirmationIsAskedOfPeopleAndNotWhereNothingIsDone) {
  DeletionRules rules{.require_confirm = true};
  for (const DeletionOrigin origin : every_origin) {
    const bool machine = origin == DeletionOrigin::retention || origin == DeletionOrigin::resume;
    DeletionCall call = through(origin);
    rules.dry_run = false;
    EXPECT_EQ(answer(rules, call), machine ? "go" : "confirmation-required");
    call.confirm = true;
    EXPECT_EQ(answer(rules, call), "go");
    call.confirm = false;
    rules.dry_run = true;
    EXPECT_EQ(answer(rules, call), origin == DeletionOrigin::resume ? "go" : "would_delete");
  }
}

TEST(DeletionGuard, AsksInOrderFrozenDryRunConfirmationHold) {
  DeletionRules rules{true, true, true, true};
  DeletionCall call;
  call.held = true;
  EXPECT_EQ(answer(rules, call), "deletions-frozen");
  rules.frozen = false;
  EXPECT_EQ(answer(rules, call), "would_delete");
  rules.dry_run = false;
  EXPECT_EQ(answer(rules, call), "confirmation-required");
  call.confirm = true;
  EXPECT_EQ(answer(rules, call), "deletion-hold");
  call.approved = true;
  EXPECT_EQ(answer(rules, call), "go");
}

TEST(DeletionGuard, ABulkCallTakesSoManyIdsAndNoMore) {
  DeletionCall call = through(DeletionOrigin::bulk);
  call.ids = 1'000;
  EXPECT_EQ(answer({}, call), "go");
  call.ids = 1'001;
  EXPECT_EQ(answer({}, call), "too-many-ids");
  call.dry_run = true;
  EXPECT_EQ(answer({}, call), "too-many-ids");
  call = through(DeletionOrigin::filter);
  call.ids = 1'000'000;
  EXPECT_EQ(answer({}, call), "go");
}

TEST(DeletionGuard, AHeldCallWaitsForApprovalIfHoldingIsOn) {
  for (const DeletionOrigin origin : every_origin) {
    DeletionCall call = through(origin);
    call.held = true;
    EXPECT_EQ(answer({}, call), "go");
    const bool never_held = origin == DeletionOrigin::retention ||
                            origin == DeletionOrigin::resume || origin == DeletionOrigin::force;
    EXPECT_EQ(answer({.spike_hold = true}, call), never_held ? "go" : "deletion-hold");
    call.approved = true;
    EXPECT_EQ(answer({.spike_hold = true}, call), "go");
  }
}

// Over every combination of what can be set and sent: nothing is ever let go that some rule
// forbids.
TEST(DeletionGuard, NoCombinationAllowsWhatIsForbidden) {
  for (unsigned bits = 0; bits < 256; ++bits)
    for (const DeletionOrigin origin : every_origin) {
      const DeletionRules rules{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
      DeletionCall call = through(origin);
      call.confirm = (bits & 16) != 0;
      call.dry_run = (bits & 32) != 0;
      call.held = (bits & 64) != 0;
      call.approved = (bits & 128) != 0;
      if (origin == DeletionOrigin::resume) {
        EXPECT_EQ(answer(rules, call), "go") << "what is marked goes on to its end";
        continue;
      }
      if (answer(rules, call) != "go") continue;
      EXPECT_FALSE(call.dry_run);
      EXPECT_FALSE(rules.frozen);
      EXPECT_FALSE(rules.dry_run);
      EXPECT_TRUE(!rules.require_confirm || call.confirm || origin == DeletionOrigin::retention);
    }
}

TEST(DeletionGuard, ModesHaveNames) {
  EXPECT_EQ(to_string(DeletionMode::live), "live");
  EXPECT_EQ(to_string(DeletionMode::dry_run), "dry_run");
  EXPECT_EQ(to_string(DeletionMode::frozen), "frozen");
}

}  // namespace
}  // namespace quell
