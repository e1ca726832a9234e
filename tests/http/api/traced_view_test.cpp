#include "http/api/traced.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace quell::http {
namespace {

TEST(TracedView, TellsTheLifeOfAnOperationByTimeThoughItsAuditWasCommittedInAnotherOrder) {
  Traced traced;
  traced.what = Traced::What::deletion;
  const Uuid id = *Uuid::parse("01890000-0000-7000-8000-000000000001");
  traced.facts.audit.push_back({1, Instant(std::chrono::milliseconds(3)), "", "operation", "", ""});
  traced.facts.audit.push_back({2, Instant(std::chrono::milliseconds(1)), "", "delete", "", ""});
  traced.facts.audit.push_back({3, Instant(std::chrono::milliseconds(3)), "", "done", "", ""});
  const auto seen = nlohmann::json::parse(traced_json(traced, id));
  std::vector<std::string> told;
  for (const auto& event : seen["life"]) told.push_back(event["what"]);
  EXPECT_EQ(told, (std::vector<std::string>{"delete", "operation", "done"}));
}

}  // namespace
}  // namespace quell::http
