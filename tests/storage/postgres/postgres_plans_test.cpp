// The hot statements keep their plans whatever the statistics say: seen in the server's own log.
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "runtime/base/id.hpp"
#include "storage/store.hpp"
#include "tests/storage/postgres/temporary_postgres.hpp"

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
  TemporaryPostgres server(std::filesystem::path(), {"session_preload_libraries = 'auto_explain'",
                                                     "auto_explain.log_min_duration = 0"});
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
  const std::string plan = plan_of(log, "DELETE FROM live l USING");
  for (const char* step : {"Function Scan on f", "Index Cond: (job = f."})
    EXPECT_NE(plan.find(step), std::string::npos) << plan;
  EXPECT_EQ(plan.find("live_node"), std::string::npos) << plan;
  const std::string claims = plan_of(log, "UPDATE live l SET place = 2");
  EXPECT_NE(claims.find("TID Cond: (ctid = c.at)"), std::string::npos) << claims;
}

// The number behind `label` in a line, or nothing.
std::optional<long> number_behind(const std::string& line, const std::string& label) {
  const auto at = line.find(label);
  if (at == std::string::npos) return {};
  return std::strtol(line.c_str() + at + label.size(), nullptr, 10);
}

// Plans in the log with a node that touched more rows than `most`, as auto_explain counts them.
std::string wasteful(const std::string& log, long most) {
  std::string found, text;
  std::istringstream lines(log);
  long loops = 1;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("Query Text: ") != std::string::npos) text = line;
    std::optional<long> rows = number_behind(line, "(actual rows=");
    if (rows)
      loops = number_behind(line, " loops=").value_or(1);
    else if (line.find("Rows Removed by") != std::string::npos)
      rows = number_behind(line, ": ");
    if (rows.value_or(0) * loops > most) found += text + "\n" + line + "\n";
  }
  return found;
}

class Worker {
 public:
  Worker(Writer& writer, Reader& reader) : writer_(writer), reader_(reader) {
    Batch start;
    start.starts = {{ids_.next(), "{}", now_}};
    node_ = apply(start).starts.at(0);
  }
  Outcome apply(const Batch& batch) {
    const auto outcome = writer_.apply(batch);
    EXPECT_TRUE(outcome.ok()) << to_string(outcome.error());
    return *outcome;
  }
  void submit(int slices, const std::string& key) {
    for (int i = 0; i < slices; ++i) {
      Batch batch = enqueue(ids_, now_);
      for (EnqueueOp& op : batch.enqueues)
        op.job.options.limit_key = key.empty() ? key : key + op.job.id.text().substr(34);
      apply(batch);
    }
  }
  std::vector<ClaimedJob> claim(QueueLimits limits = {}) {
    Batch batch;
    batch.claims = {{"default", few, node_, now_, limits}};
    return apply(batch).claims.at(0);
  }
  void look_at(const std::vector<ClaimedJob>& runs) {
    std::vector<JobId> ids;
    for (const ClaimedJob& run : runs) ids.push_back(run.job);
    EXPECT_EQ(reader_.get(ids, true)->size(), runs.size());
    ListQuery query;
    query.limit = few;
    EXPECT_EQ(reader_.list(query)->jobs.size(), std::size_t{few});
    for (const JobState state : {JobState::succeeded, JobState::failed}) {
      query.filter.states = {state};
      EXPECT_TRUE(reader_.list(query).ok());
    }
    query.filter = {};
    query.filter.schedule = "none";
    EXPECT_TRUE(reader_.list(query)->jobs.empty());
  }
  void end(const std::vector<ClaimedJob>& runs) { apply(finish(runs, now_)); }
  // Running, finished or waiting: marked, and erased when the last holder has answered.
  void erase(const std::vector<ClaimedJob>& runs) {
    Batch batch;
    MarkOp& op = batch.marks.emplace_back();
    op.delete_id = ids_.next();
    op.now = op.tomb_until = now_;
    for (const ClaimedJob& run : runs) op.jobs.push_back(run.job);
    const Outcome marked = apply(batch);
    Batch answers;
    for (const MarkedJob& one : marked.marks.at(0))
      for (const Holder& holder : one.open)
        answers.verdicts.push_back(
            {one.job, holder.what, holder.ref, holder.owner, holder.epoch, Verdict::stopped, now_});
    if (!answers.verdicts.empty()) apply(answers);
    EXPECT_TRUE(reader_.trace_rows(runs.front().job, "", few)->tomb.has_value());
    EXPECT_FALSE(reader_.erased_groups(op.delete_id, ids_.next(), few)->empty());
  }

  static constexpr int few = 100;

 private:
  Writer& writer_;
  Reader& reader_;
  IdSource ids_{system_clock()};
  Instant now_ = system_clock().now();
  NodeLife node_;
};

TEST(PostgresPlans, NoStatementTouchesMoreThanItsRowsAlsoWhenVacuumSawAnEmptyQueue) {
  TemporaryPostgres server(
      std::filesystem::path(),
      {"session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0",
       "auto_explain.log_analyze = on", "auto_explain.log_timing = off",
       "auto_explain.log_nested_statements = on", "autovacuum = off"});
  server.create_database("plans");
  auto store = open_store(server.url("plans"), {});
  ASSERT_TRUE(store.ok());
  const auto work = [&](const char* before) {
    auto opened = (*store)->open_writer();
    ASSERT_TRUE(opened.ok());
    auto reader = (*store)->open_reader();
    ASSERT_TRUE(reader.ok());
    Worker worker(**opened, **reader);
    worker.submit(4, "");
    server.run("plans", before);
    worker.submit(4, "");
    for (int i = 0; i < 5; ++i) {
      const auto runs = worker.claim();
      ASSERT_EQ(runs.size(), std::size_t{Worker::few});
      worker.look_at(runs);
      worker.end(runs);
      worker.erase(runs);
      worker.erase(worker.claim());
    }
    while (true) {  // to the end: the next round begins with an empty queue
      const auto runs = worker.claim();
      if (runs.empty()) break;
      worker.erase(runs);
    }
    const QueueLimits limits{.per_key = 1'000, .key_rate = {1'000'000, 1}};
    worker.submit(1, "");
    server.run("plans", before);
    worker.submit(7, "k");
    for (auto runs = worker.claim(limits); !runs.empty(); runs = worker.claim(limits))
      worker.erase(runs);
  };
  work("VACUUM (TRUNCATE OFF, ANALYZE) live");
  work("VACUUM (TRUNCATE OFF, ANALYZE) job");
  server.run("plans", "VACUUM (TRUNCATE OFF, ANALYZE) live, job, ticket, holder, tomb, payload");
  work("SELECT 1");  // everything is empty, and known to be
  EXPECT_EQ(wasteful(text_of(server.folder() / "log"), 8 * Worker::few), "");
}

}  // namespace
}  // namespace quell::storage
