// The audit chain as the sealer makes it, and as the receipts carry its head away.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "storage/audit_entry.hpp"
#include "tests/actors/stage.hpp"

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
