// Servers that were told to be careful with deletes.
#include "tests/http/door_fixture.hpp"

namespace quell::http {
namespace {

using Json = nlohmann::json;

const std::string unseen = "0198c2c0-0000-7000-8000-000000000001";

class GuardedDoorTest : public DoorTest {
 protected:
  explicit GuardedDoorTest(DoorSettings settings) : DoorTest(std::move(settings)) {}
};

class ConfirmingDoorTest : public GuardedDoorTest {
 protected:
  ConfirmingDoorTest() : GuardedDoorTest({.confirm_deletes = true}) {}
};

TEST_F(ConfirmingDoorTest, DeletesNothingUnconfirmed) {
  const std::string id = submit();
  const std::string ids = Json{{"job_ids", {id}}}.dump();
  for (const Reply& reply :
       {ask("DELETE", "/api/v1/jobs/" + id), ask("DELETE", "/api/v1/jobs/bulk", ids),
        ask("POST", "/api/v1/jobs/bulk-delete", ids),
        ask("DELETE", "/api/v1/jobs/" + id + "?confirm=false")}) {
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.code(), "confirmation-required");
  }
  EXPECT_TRUE(node.erased.empty());
  EXPECT_EQ(
      ask("DELETE", "/api/v1/jobs/bulk", Json{{"job_ids", {unseen}}, {"confirm", true}}.dump())
          .status,
      200);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + id + "?confirm=true").status, 200);
}

class FrozenDoorTest : public GuardedDoorTest {
 protected:
  FrozenDoorTest() : GuardedDoorTest({.frozen = true}) {}
};

TEST_F(FrozenDoorTest, RefusesEveryDelete) {
  const std::string id = submit();
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + id).status, 423);
  EXPECT_EQ(ask("POST", "/api/v1/jobs/bulk-delete", Json{{"job_ids", {id}}}.dump()).code(),
            "deletions-frozen");
  EXPECT_TRUE(node.erased.empty());
}

class DryDoorTest : public GuardedDoorTest {
 protected:
  DryDoorTest() : GuardedDoorTest({.dry_run = true}) {}
};

TEST_F(DryDoorTest, SaysWhatWouldGo) {
  const std::string id = submit();
  const Reply reply = ask("DELETE", "/api/v1/jobs/" + id);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body["success"], false);
  EXPECT_EQ(reply.body["outcome"], "would_delete");
  EXPECT_EQ(ask("GET", "/api/v1/jobs/" + id).status, 200);
}

}  // namespace
}  // namespace quell::http
