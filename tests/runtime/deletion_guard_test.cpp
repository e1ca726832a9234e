#include "runtime/deletion_guard.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

const DeletionDoor every_door[] = {
    DeletionDoor::single,    DeletionDoor::bulk,   DeletionDoor::filter, DeletionDoor::schedule,
    DeletionDoor::retention, DeletionDoor::resume, DeletionDoor::force};

// The guard's answer in one word: what it let through, or the wire code of the refusal.
std::string answer(const SettingValues& values, const DeletionCall& call) {
  const Result<DeletionPermit> permit = admit_deletion(values, call);
  if (!permit) return std::string(info(permit.error().code).wire);
  return *permit == DeletionPermit::go ? "go" : "would_delete";
}

DeletionCall through(DeletionDoor door) {
  DeletionCall call;
  call.door = door;
  return call;
}

TEST(DeletionGuard, LetsEverythingThroughByDefault) {
  for (const DeletionDoor door : every_door)
    EXPECT_EQ(answer(Settings().values, through(door)), "go");
  EXPECT_EQ(deletion_mode(Settings().values), DeletionMode::live);
}

TEST(DeletionGuard, AFreezeRefusesNewMarksAndLetsMarkedJobsGoOn) {
  SettingValues values = Settings().values;
  values.frozen = true;
  for (const DeletionDoor door : every_door) {
    const bool marked = door == DeletionDoor::resume || door == DeletionDoor::force;
    EXPECT_EQ(answer(values, through(door)), marked ? "go" : "deletions-frozen");
  }
}

TEST(DeletionGuard, AFreezeWinsOverADryRun) {
  SettingValues values = Settings().values;
  values.frozen = values.dry_run = true;
  EXPECT_EQ(deletion_mode(values), DeletionMode::frozen);
  EXPECT_EQ(answer(values, through(DeletionDoor::single)), "deletions-frozen");
}

TEST(DeletionGuard, ADryRunChangesNothingThroughAnyDoor) {
  SettingValues values = Settings().values;
  values.dry_run = true;
  for (const DeletionDoor door : every_door)
    EXPECT_EQ(answer(values, through(door)), "would_delete");
}

TEST(DeletionGuard, AskingWhatWouldGoIsAlwaysAllowed) {
  SettingValues values = Settings().values;
  values.frozen = values.require_confirm = values.spike_hold = true;
  for (const DeletionDoor door : every_door) {
    DeletionCall call = through(door);
    call.dry_run = call.held = true;
    EXPECT_EQ(answer(values, call), "would_delete");
  }
}

TEST(DeletionGuard, ConfirmationIsAskedOfPeopleOnly) {
  SettingValues values = Settings().values;
  values.require_confirm = true;
  for (const DeletionDoor door : every_door) {
    const bool machine = door == DeletionDoor::retention || door == DeletionDoor::resume;
    DeletionCall call = through(door);
    EXPECT_EQ(answer(values, call), machine ? "go" : "confirmation-required");
    call.confirm = true;
    EXPECT_EQ(answer(values, call), "go");
  }
}

TEST(DeletionGuard, ABulkCallTakesSoManyIdsAndNoMore) {
  DeletionCall call = through(DeletionDoor::bulk);
  call.ids = 1'000;
  EXPECT_EQ(answer(Settings().values, call), "go");
  call.ids = 1'001;
  EXPECT_EQ(answer(Settings().values, call), "too-many-ids");
  call.dry_run = true;
  EXPECT_EQ(answer(Settings().values, call), "too-many-ids");
  call = through(DeletionDoor::filter);
  call.ids = 1'000'000;
  EXPECT_EQ(answer(Settings().values, call), "go");
}

TEST(DeletionGuard, AHeldCallWaitsForApprovalIfHoldingIsOn) {
  SettingValues values = Settings().values;
  for (const DeletionDoor door : every_door) {
    DeletionCall call = through(door);
    call.held = true;
    values.spike_hold = false;
    EXPECT_EQ(answer(values, call), "go");
    values.spike_hold = true;
    const bool never_held = door == DeletionDoor::retention || door == DeletionDoor::resume ||
                            door == DeletionDoor::force;
    EXPECT_EQ(answer(values, call), never_held ? "go" : "deletion-hold");
    call.approved = true;
    EXPECT_EQ(answer(values, call), "go");
  }
}

TEST(DeletionGuard, AProtectedJobFailsForPeopleAndIsSkippedByRetention) {
  for (const DeletionDoor door : every_door) EXPECT_EQ(judge_job(door, false), JobFate::deleted);
  for (const DeletionDoor door :
       {DeletionDoor::single, DeletionDoor::bulk, DeletionDoor::filter, DeletionDoor::schedule})
    EXPECT_EQ(judge_job(door, true), JobFate::failed);
  EXPECT_EQ(judge_job(DeletionDoor::retention, true), JobFate::skipped);
  EXPECT_EQ(judge_job(DeletionDoor::resume, true), JobFate::deleted);
  EXPECT_EQ(judge_job(DeletionDoor::force, true), JobFate::deleted);
}

// Over every combination of what can be set and sent: nothing is ever let go that some rule
// forbids.
TEST(DeletionGuard, NoCombinationOpensAForbiddenDoor) {
  for (unsigned bits = 0; bits < 256; ++bits)
    for (const DeletionDoor door : every_door) {
      SettingValues values = Settings().values;
      values.frozen = (bits & 1) != 0;
      values.dry_run = (bits & 2) != 0;
      values.require_confirm = (bits & 4) != 0;
      values.spike_hold = (bits & 8) != 0;
      DeletionCall call = through(door);
      call.confirm = (bits & 16) != 0;
      call.dry_run = (bits & 32) != 0;
      call.held = (bits & 64) != 0;
      call.approved = (bits & 128) != 0;
      if (answer(values, call) != "go") continue;
      const bool marked = door == DeletionDoor::resume || door == DeletionDoor::force;
      EXPECT_FALSE(call.dry_run);
      EXPECT_TRUE(!values.frozen || marked);
      EXPECT_TRUE(!values.dry_run || values.frozen);
      EXPECT_TRUE(!values.require_confirm || call.confirm || door == DeletionDoor::retention ||
                  door == DeletionDoor::resume);
    }
}

TEST(DeletionGuard, ModesHaveNames) {
  EXPECT_EQ(to_string(DeletionMode::live), "live");
  EXPECT_EQ(to_string(DeletionMode::dry_run), "dry_run");
  EXPECT_EQ(to_string(DeletionMode::frozen), "frozen");
}

}  // namespace
}  // namespace quell
