// What a query may say: text, of a length that the store takes.
#include "tests/http/api/api_fixture.hpp"

namespace quell::http {
namespace {

const std::string no_job = "/api/v1/jobs/0198c2c0-0000-7000-8000-000000000001";
const std::string no_schedule = "/api/v1/schedules/0198c2c0-0000-7000-8000-000000000001";

TEST_F(ApiServerTest, RefusesAQueryThatIsNotText) {
  for (const std::string broken : {"%ff", "%C3", "%00", "a%00b", "%zz"}) {
    for (const std::string target : {"/api/v1/jobs?queue=", "/api/v1/archive?queue="})
      EXPECT_EQ(ask("GET", target + broken).code(), "invalid-field") << target << broken;
    for (const std::string& target : {no_job, no_schedule})
      EXPECT_EQ(ask("DELETE", target + "?reason=" + broken).code(), "invalid-field")
          << target << broken;
  }
  EXPECT_EQ(ask("GET", "/api/v1/jobs?queue=%C3%A4").status, 200);
}

TEST_F(ApiServerTest, AReasonMayBeAsLongInAQueryAsInABody) {
  const std::string most(1'024, 'r');
  for (const std::string& target : {no_job, no_schedule}) {
    EXPECT_NE(ask("DELETE", target + "?reason=" + most).status, 400) << target;
    EXPECT_EQ(ask("DELETE", target + "?reason=" + most + "r").code(), "invalid-field") << target;
  }
  EXPECT_EQ(ask("DELETE", no_job, "{\"reason\":\"" + most + "r\"}").code(), "invalid-field");
}

TEST_F(ApiServerTest, AWaitIsANumberOfSecondsWhereverItIsSaid) {
  for (const std::string& target : {no_job, no_schedule})
    for (const std::string wrong : {"31", "-1", "1s", "nan", "+1"})
      EXPECT_EQ(ask("DELETE", target + "?wait=" + wrong).code(), "invalid-field")
          << target << wrong;
  const auto prefer = [this](const std::string& value) {
    return ask_as(admin, "DELETE", no_job, "", {{"Prefer", value}}).status;
  };
  EXPECT_NE(prefer("respond-async, wait=5"), 400);
  EXPECT_NE(prefer("wait=5; x"), 400);
  EXPECT_EQ(prefer("wait=31"), 400);
}

}  // namespace
}  // namespace quell::http
