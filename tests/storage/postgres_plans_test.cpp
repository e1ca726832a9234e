// The hot statements keep their plans whatever the statistics say: seen in the server's own log.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "runtime/id.hpp"
#include "storage/store.hpp"
#include "tests/storage/temporary_postgres.hpp"

namespace quell::storage {
namespace {

constexpr int jobs = 500;

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// What auto_explain wrote of the last run of a statement, up to the next line of the log.
std::string plan_of(const std::string& log, const std::string& statement) {
  const auto at = log.rfind(statement);
  if (at == std::string::npos) return {};
  return log.substr(at, log.find(" LOG: ", at) - at);
}

Batch enqueue(IdSource& ids, Instant now) {
  Batch batch;
  for (int i = 0; i < jobs; ++i) {
    EnqueueOp& op = batch.enqueues.emplace_back();
    op.job.id = ids.next();
    op.job.kind = "noop";
    op.now = now;
  }
  return batch;
}

Batch finish(const std::vector<ClaimedJob>& claimed, Instant now) {
  Batch batch;
  for (const ClaimedJob& job : claimed) {
    FinishOp& op = batch.finishes.emplace_back();
    op.job = job.job;
    op.epoch = job.epoch;
    op.event = JobEvent::succeed;
    op.now = now;
  }
  return batch;
}

TEST(PostgresPlans, AFinishLooksUpEachJobByItsKeyAlsoWhenStatisticsSayThatNothingRuns) {
  TemporaryPostgres server(
      {}, {"session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0"});
  server.create_database("plans");
  auto store = open_store(server.url("plans"), {});
  ASSERT_TRUE(store.ok());
  auto opened = (*store)->open_writer();
  ASSERT_TRUE(opened.ok());
  Writer& writer = **opened;
  const Instant now = system_clock().now();
  IdSource ids(system_clock());
  Batch start;
  start.starts = {{ids.next(), "{}", now}};
  const auto started = writer.apply(start);
  ASSERT_TRUE(started.ok());
  ASSERT_TRUE(writer.apply(enqueue(ids, now)).ok());
  server.run("plans", "VACUUM ANALYZE live");  // all of them wait

  Batch claim;
  claim.claims = {{"default", jobs, started->starts.at(0), now}};
  const auto claimed = writer.apply(claim);
  ASSERT_TRUE(claimed.ok());
  ASSERT_EQ(claimed->claims.at(0).size(), std::size_t{jobs});
  ASSERT_TRUE(writer.apply(finish(claimed->claims.at(0), now)).ok());

  const std::string log = text_of(server.folder() / "log");
  for (const char* statement :
       {"UPDATE job SET state = f.state", "DELETE FROM live USING unnest"}) {
    const std::string plan = plan_of(log, statement);
    EXPECT_NE(plan.find("Function Scan on f"), std::string::npos) << plan;
    EXPECT_NE(plan.find("Index Cond: (job = f."), std::string::npos) << plan;
    EXPECT_EQ(plan.find("live_node"), std::string::npos) << plan;
  }
}

}  // namespace
}  // namespace quell::storage
