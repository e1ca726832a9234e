// The audit chain as the sealer makes it, and as the receipts carry its head away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <caf/all.hpp>
#include <nlohmann/json.hpp>

#include "actors/send.hpp"
#include "storage/audit_entry.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

class SealerTest : public testing::Test {
 protected:
  void act(int times) {
    for (int i = 0; i < times; ++i) {
      auto ops = std::make_shared<storage::Batch>();
      ops->audits.push_back({stage.clock.now(), "ann", "looked", std::to_string(i), "{}"});
      stage.write(std::move(ops));
    }
    stage.run();
  }
  void a_second() {
    for (int i = 0; i < 10; ++i) {
      stage.turn(Millis{100});
      stage.run();
    }
  }
  AuditCheck verify(std::vector<AuditHead> known = {}) {
    AuditVerifier verifier({}, std::move(known));
    const auto rows = std::move(stage.reader().audit(0, 100'000)).value();
    for (const auto& row : rows)
      verifier.add(storage::entry_of(row), storage::digest_of_hex(row.hash));
    return verifier.finish();
  }

  Stage stage;
};

TEST_F(SealerTest, SealsEveryRowWithinASecond) {
  act(3);
  a_second();
  const AuditCheck check = verify();
  EXPECT_FALSE(check.fault.has_value());
  EXPECT_EQ(check.sealed, 3);
  EXPECT_EQ(check.waiting, 0);
}

TEST_F(SealerTest, CatchesUpWithALongLog) {
  act(1'700);
  a_second();
  EXPECT_EQ(verify().sealed, 1'700);
}

TEST_F(SealerTest, GoesOnWhereAnEarlierLifeStopped) {
  act(2);
  a_second();
  stage.crash();
  act(2);
  a_second();
  const AuditCheck check = verify();
  EXPECT_FALSE(check.fault.has_value());
  EXPECT_EQ(check.sealed, 4);
}

TEST_F(SealerTest, AReceiptCarriesTheHead) {
  act(2);
  a_second();
  const JobId id = stage.submit("one");
  stage.run();
  const auto call = stage.erase({id});
  stage.run();
  const auto head = nlohmann::json::parse(call->reports.at(0).receipt)["audit_head"];
  EXPECT_EQ(head["no"], 2);
  const auto hash = storage::digest_of_hex(head["hash"].get<std::string>());
  ASSERT_TRUE(hash.has_value());
  EXPECT_FALSE(verify({AuditHead{2, *hash}}).fault.has_value());
  EXPECT_EQ(verify({AuditHead{9, *hash}}).fault, AuditFault::tail_cut);
}

// The head is read, another sealer commits, the rows behind that head are read.
TEST_F(SealerTest, SealsNothingOnAHeadThatIsNotTheLastOneAnyMore) {
  act(2);
  a_second();
  const auto old_head = std::move(stage.reader().audit_head()).value();
  act(2);
  a_second();
  act(2);
  AuditRead read{stage.reader().audit(old_head->no, 500), old_head};
  tell(stage.context().sealer, std::move(read));
  stage.run();
  EXPECT_FALSE(verify().fault.has_value());
  a_second();
  const AuditCheck check = verify();
  EXPECT_FALSE(check.fault.has_value());
  EXPECT_EQ(check.sealed, 6);
}

TEST_F(SealerTest, AStoreThatDoesNotAnswerIsNotCalledTamperedWith) {
  stage.keep_log();
  stage.fate = [](const storage::Batch& batch) {
    storage::CommitFate fate;
    if (!batch.seals.empty()) fate.kind = storage::CommitFate::Kind::refuse;
    fate.error = Error{ErrorCode::store_unavailable, "away"};
    return fate;
  };
  act(2);
  for (int i = 0; i < 10; ++i) a_second();
  EXPECT_THAT(stage.said, testing::IsEmpty());
  stage.fate = {};
  a_second();
  a_second();
  EXPECT_EQ(verify().sealed, 2);
}

// Rows of other transactions appear below those that were read, time and again.
TEST_F(SealerTest, RefusedSealsOfAChainThatHoldsAreNotCalledTampering) {
  stage.keep_log();
  act(2);
  a_second();
  for (int i = 0; i < 10; ++i) {
    act(2);
    const auto head = std::move(stage.reader().audit_head()).value();
    auto rows = std::move(stage.reader().audit(head->no, 500)).value();
    rows.erase(rows.begin());
    tell(stage.context().sealer, AuditRead{std::move(rows), head});
    stage.run();
  }
  EXPECT_THAT(stage.said, testing::IsEmpty());
  EXPECT_FALSE(verify().fault.has_value());
}

TEST_F(SealerTest, AForgedSealIsNamedInTheLog) {
  stage.keep_log();
  act(2);
  a_second();
  const auto head = std::move(stage.reader().audit_head()).value();
  auto writer = std::move(stage.store().open_writer()).value();
  storage::Batch forged;
  forged.audits.push_back({stage.clock.now(), "eve", "looked", "x", "{}"});
  forged.audits.push_back({stage.clock.now(), "eve", "looked", "y", "{}"});
  ASSERT_TRUE(writer->apply(forged).ok());
  storage::Batch seal;
  seal.seals.push_back({{{head->no + 1, std::string(64, '0')}}, head->no});
  ASSERT_TRUE(writer->apply(seal)->seals.at(0));
  for (int i = 0; i < 3; ++i) {
    auto rows = std::move(stage.reader().audit(head->no, 500)).value();
    rows.erase(rows.begin());
    tell(stage.context().sealer, AuditRead{std::move(rows), head});
    stage.run();
  }
  ASSERT_THAT(stage.said, testing::SizeIs(1));
  EXPECT_THAT(stage.said[0], testing::HasSubstr("row " + std::to_string(head->no + 1)));
}

TEST_F(SealerTest, LeavesTheWorkToTheNodeThatLeads) {
  const auto lead = [this](bool leads) {
    stage.life().roles.set(static_cast<std::size_t>(Role::sealer), leads);
  };
  lead(false);
  act(2);
  a_second();
  EXPECT_EQ(verify().sealed, 0);
  lead(true);
  a_second();
  EXPECT_EQ(verify().sealed, 2);
}

}  // namespace
}  // namespace quell
