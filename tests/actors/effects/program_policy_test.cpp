// As whom programs run, and when a start is refused instead.
#include "actors/effects/program_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quell {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uid_t root = 0, somebody = 1000;

SettingValues enabled(const std::string& user = {}) {
  SettingValues values = Settings().values;
  values.exec_enabled = true;
  values.exec_user = user;
  return values;
}

std::string refusal(const SettingValues& values, uid_t server) {
  const Result<ProgramPolicy> policy = program_policy(values, server);
  return policy ? "" : policy.error().detail;
}

TEST(ProgramPolicy, IsOffUnlessEnabledWhoeverStartsTheServer) {
  for (const uid_t server : {root, somebody}) {
    const Result<ProgramPolicy> policy = program_policy(Settings().values, server);
    ASSERT_TRUE(policy.ok());
    EXPECT_FALSE(policy->enabled);
  }
}

TEST(ProgramPolicy, RootMustNameAUserThatIsNotRoot) {
  EXPECT_THAT(refusal(enabled(), root), HasSubstr("--exec-user"));
  EXPECT_THAT(refusal(enabled("root"), root), HasSubstr("root's rights"));
  EXPECT_THAT(refusal(enabled("no-such-user"), root), HasSubstr("no user 'no-such-user'"));
  const Result<ProgramPolicy> policy = program_policy(enabled("nobody"), root);
  ASSERT_TRUE(policy.ok()) << policy.error().detail;
  ASSERT_TRUE(policy->user);
  EXPECT_EQ(policy->user->name, "nobody");
  EXPECT_NE(policy->user->uid, root);
}

TEST(ProgramPolicy, WhoIsNotRootRunsProgramsAsHimselfOnly) {
  const Result<ProgramPolicy> own = program_policy(enabled(), somebody);
  ASSERT_TRUE(own.ok());
  EXPECT_TRUE(own->enabled);
  EXPECT_FALSE(own->user);
  EXPECT_THAT(refusal(enabled("nobody"), somebody), HasSubstr("started by root"));
  const uid_t nobody = find_program_user("nobody")->uid;
  EXPECT_EQ(refusal(enabled("nobody"), nobody), "") << "his own name says nothing new";
}

TEST(ProgramPolicy, HidesWhatIsTheServersWhereverItLies) {
  SettingValues values = enabled();
  values.data_dir = "/d";
  values.store = "sqlite:/s/x.db";
  values.tls_key_file = "/k.pem";
  EXPECT_THAT(
      program_policy(values, somebody)->hidden,
      ElementsAre("/d", "/k.pem", "/s/x.db", "/s/x.db-wal", "/s/x.db-shm", "/s/x.db-journal"));
}

TEST(ProgramPolicy, HasLimitsFromTheStart) {
  const ProgramLimits limits = program_policy(enabled(), somebody)->limits;
  EXPECT_GT(limits.data_bytes, 0U);
  EXPECT_GT(limits.processes, 0U);
  EXPECT_GT(limits.open_files, 0U);
  EXPECT_GT(limits.file_bytes, 0U);
}

}  // namespace
}  // namespace quell
