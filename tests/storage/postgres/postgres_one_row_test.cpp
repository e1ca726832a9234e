// A job has one row: in `live` while it can move, in `job` at rest. What that asks of those who
// look while it moves, and of a store that is older.
#include <atomic>
#include <mutex>
#include <thread>

#include "storage/migrate.hpp"
#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

class PostgresOneRow : public PostgresDatabase {
 protected:
  std::string places_of(JobId job) {
    const std::string id = "'" + job.text() + "'";
    return ask("SELECT (SELECT count(*) FROM live WHERE job = " + id +
               ") || ' live, ' || (SELECT count(*) FROM job WHERE id = " + id + ") || ' at rest'");
  }
  void end(Writer& writer, NodeLife node) {
    Batch claim;
    claim.claims = {{"default", 1, node, now(), {}}};
    const ClaimedJob run = applied(writer, claim).claims.at(0).at(0);
    Batch finish;
    finish.finishes = {{run.job, run.epoch, JobEvent::succeed, now()}};
    EXPECT_TRUE(applied(writer, finish).finishes.at(0).written);
  }
  SteerResult steered(Writer& writer, JobId job, JobEvent event) {
    Batch batch;
    batch.steers = {{job, event, "tester", now()}};
    return applied(writer, batch).steers.at(0);
  }
  void expect_sound(Store& store) {
    const auto orphans = reader_of(store)->orphans();
    ASSERT_TRUE(orphans.ok()) << to_string(orphans.error());
    EXPECT_EQ(orphans.value(), std::vector<std::string>{});
  }
};

TEST_F(PostgresOneRow, ItGoesFromOneTableToTheOtherAndBack) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  const JobId job = submitted(*writer);
  EXPECT_EQ(places_of(job), "1 live, 0 at rest");
  EXPECT_EQ(steered(*writer, job, JobEvent::cancel).answer, SteerAnswer::moved);
  EXPECT_EQ(places_of(job), "0 live, 1 at rest");
  EXPECT_EQ(steered(*writer, job, JobEvent::revive).answer, SteerAnswer::moved);
  EXPECT_EQ(places_of(job), "1 live, 0 at rest");
  end(*writer, started(*writer));
  EXPECT_EQ(places_of(job), "0 live, 1 at rest");
  Batch batch;
  batch.marks = {mark({job})};
  EXPECT_EQ(applied(*writer, batch).marks[0][0].answer, MarkAnswer::erased);
  EXPECT_EQ(places_of(job), "0 live, 0 at rest");
  expect_sound(*store);
}

TEST_F(PostgresOneRow, TheIdOfAJobAtRestIsTaken) {
  const auto store = opened();
  const auto writer = writer_of(*store);
  Batch batch;
  batch.enqueues = {submit()};
  applied(*writer, batch);
  end(*writer, started(*writer));
  batch.enqueues.push_back(submit());
  const auto answers = applied(*writer, batch).enqueues;
  EXPECT_EQ(answers.at(0).answer, EnqueueAnswer::id_taken);
  EXPECT_EQ(answers.at(1).answer, EnqueueAnswer::stored);
  EXPECT_EQ(places_of(batch.enqueues[0].job.id), "0 live, 1 at rest");
}

// Between two looks of a mark the job goes from one table to the other; it is there all the time.
TEST_F(PostgresOneRow, AMarkFindsAJobThatComesToRestAndRisesWhileItLooks) {
  constexpr int jobs = 300;
  const auto store = opened();
  const auto marker = writer_of(*store), mover = writer_of(*store);
  std::atomic<bool> done = false;
  JobId shown = submitted(*marker);
  std::mutex mutex;
  std::thread moves([&] {
    while (!done) {
      JobId job;
      {
        const std::lock_guard lock(mutex);
        job = shown;
      }
      steered(*mover, job, JobEvent::cancel);
      steered(*mover, job, JobEvent::revive);
    }
  });
  int erased = 0;
  for (int i = 0; i < jobs; ++i) {
    Batch batch;
    batch.marks = {mark({shown})};
    if (applied(*marker, batch).marks[0][0].answer == MarkAnswer::erased) ++erased;
    const JobId next = submitted(*marker);
    const std::lock_guard lock(mutex);
    shown = next;
  }
  done = true;
  moves.join();
  EXPECT_EQ(erased, jobs);
  expect_sound(*store);
}

// A store of schema 2, as a program of that time left it: a job in each state that it may keep.
class PostgresOlderStore : public PostgresOneRow {
 protected:
  PostgresOlderStore() {
    for (const Migration& one : migrations("postgres"))
      if (one.number <= 2) by_hand(std::string(one.text));
    by_hand(R"(
      CREATE TABLE schema_version (number integer NOT NULL, laws text NOT NULL);
      INSERT INTO schema_version VALUES (2, '');
      INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has, schedule)
        SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'p', 'q', 'noop', 7,
               greatest(n - 2, 0), 1, 0, 0, 0, CASE n WHEN 1 THEN 'nightly' END
          FROM generate_series(0, 5) n;
      INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt, lost, has, due, node,
                        life, since)
        SELECT id, project, queue, kind, 2, n, 1, 0, 0, 0, CASE n WHEN 0 THEN 5 END,
               CASE n WHEN 2 THEN id END, CASE n WHEN 2 THEN 1 END, CASE n WHEN 2 THEN 3 END
          FROM job CROSS JOIN LATERAL (SELECT right(id::text, 1)::int AS n) x WHERE state = 0;
      INSERT INTO tally (project, queue, state, shard, n) SELECT 'p', 'q', n, 0, 1
          FROM generate_series(0, 5) n;)");
  }
};

TEST_F(PostgresOlderStore, IsBroughtAlongAndEachJobKeepsItsState) {
  const auto store = opened();
  EXPECT_EQ(ask("SELECT string_agg(state::text, ' ' ORDER BY id) FROM jobs"), "0 1 2 3 4 5");
  EXPECT_EQ(ask("SELECT count(*) FROM job"), "3");
  ListQuery query;
  query.filter.schedule = "nightly";
  const auto page = reader_of(*store)->list(query);
  ASSERT_TRUE(page.ok()) << to_string(page.error());
  ASSERT_EQ(page->jobs.size(), 1U);
  EXPECT_EQ(page->jobs[0].state, JobState::queued);
  EXPECT_EQ(page->jobs[0].priority, 7);
  expect_sound(*store);
}

// It would not find an open job where that is kept from then on, and say that there is none.
TEST_F(PostgresOlderStore, IsNotTakenFromUnderAProgramThatWorksOnIt) {
  SqlPrompt older(url());
  older.run("SET application_name = 'quell writer'");
  const auto refused = try_open();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::store_schema);
  EXPECT_NE(refused.error().detail.find("stop them all"), std::string::npos)
      << refused.error().detail;
  EXPECT_EQ(ask("SELECT number FROM schema_version"), "2");
}

}  // namespace
}  // namespace quell::storage
