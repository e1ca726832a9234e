#include "storage/postgres/connection/execute_text.hpp"

#include <gtest/gtest.h>

namespace quell::storage::postgres {
namespace {

TEST(ExecuteText, QuotesEachValueSoThatNoneCanEndItsLiteral) {
  EXPECT_EQ(execute_text("a", {"x", nullptr, "it's '); DROP TABLE job; --", "\\' \\x00", ""}),
            "EXECUTE \"a\"('x',NULL,'it''s ''); DROP TABLE job; --','\\'' \\x00','');");
}

TEST(ExecuteText, CallsAStatementWithoutValuesWithoutBrackets) {
  EXPECT_EQ(execute_text("take_shard", {}), "EXECUTE \"take_shard\";");
}

}  // namespace
}  // namespace quell::storage::postgres
