// What the PostgreSQL store costs beside bare statements for the same rows: jobs per second of
// enqueue, claim + finish, and mark + erase, per batch size, on one connection, in one run; and
// whether a drain stays as fast as it starts. The server is a temporary one, with fsync on.
//   bench_postgres [--jobs 50000] [--churn 60]
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure/run.hpp"
#include "storage/postgres/connection/array_literal.hpp"
#include "storage/store.hpp"
#include "tests/storage/postgres/temporary_postgres.hpp"

namespace quell::storage {
namespace {

using postgres::ArrayLiteral;

struct Seconds {
  double enqueue = 0, run = 0, erase = 0;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class T>
T checked(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", to_string(result.error()));
    std::exit(1);
  }
  return std::move(*result);
}

using Slice = std::vector<JobId>;

void in_slices(const std::vector<JobId>& ids, std::size_t size,
               const std::function<void(const Slice&)>& work) {
  for (std::size_t from = 0; from < ids.size(); from += size) {
    const std::size_t to = std::min(from + size, ids.size());
    work(Slice(ids.begin() + static_cast<std::ptrdiff_t>(from),
               ids.begin() + static_cast<std::ptrdiff_t>(to)));
  }
}

Batch enqueue_batch(const Slice& ids, Instant now) {
  Batch batch;
  for (const JobId& id : ids) {
    EnqueueOp& op = batch.enqueues.emplace_back();
    op.job.id = id;
    op.job.kind = "noop";
    op.now = now;
  }
  return batch;
}

// Finish n and claim n + 1 in one commit, as the Clerk does. Returns how many were finished.
std::size_t run_all(Writer& writer, NodeLife node, std::size_t batch_size, std::size_t jobs,
                    Instant now) {
  Batch batch;
  std::size_t done = 0;
  while (done < jobs) {
    batch.claims = {{"default", static_cast<int>(batch_size), node, now}};
    const Outcome out = checked(writer.apply(batch));
    batch = {};
    for (const ClaimedJob& job : out.claims.at(0)) {
      FinishOp& op = batch.finishes.emplace_back();
      op.job = job.job;
      op.epoch = job.epoch;
      op.event = JobEvent::succeed;
      op.now = now;
    }
    if (batch.finishes.empty()) break;
    done += batch.finishes.size();
  }
  checked(writer.apply(batch));
  return done;
}

NodeLife start_node(Writer& writer, Instant now) {
  Batch start;
  start.starts = {{IdSource(system_clock()).next(), "{}", now}};
  const NodeLife node = checked(writer.apply(start)).starts.at(0);
  if (!writer.upkeep(now).ok()) std::exit(1);  // sees that it is alone: no NOTIFY
  return node;
}

Seconds through_the_store(const std::string& url, const std::vector<JobId>& ids,
                          std::size_t batch_size) {
  const auto store = checked(open_store(url, {}));
  const auto writer = checked(store->open_writer());
  const Instant now = system_clock().now();
  IdSource source(system_clock());
  const NodeLife node = start_node(*writer, now);
  Seconds took;
  took.enqueue = seconds_of([&] {
    in_slices(ids, batch_size,
              [&](const Slice& slice) { checked(writer->apply(enqueue_batch(slice, now))); });
  });
  took.run = seconds_of([&] { run_all(*writer, node, batch_size, ids.size(), now); });
  took.erase = seconds_of([&] {
    in_slices(ids, batch_size, [&](const Slice& slice) {
      Batch batch;
      MarkOp& op = batch.marks.emplace_back();
      op.delete_id = source.next();
      op.now = op.tomb_until = now;
      op.jobs = slice;
      checked(writer->apply(batch));
    });
  });
  return took;
}

// ---- the same rows by bare statements

class Bare {
 public:
  explicit Bare(const std::string& url) : db_(url), session_(db_) {
    session_.exec(
        "SET synchronous_commit = on; SET enable_hashjoin = off;"
        "SET enable_seqscan = off; SET jit = off;"
        "SET plan_cache_mode = force_generic_plan");
    db_.prepare("live",
                "INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt,"
                " lost, has) SELECT id, 'default', 'default', 'noop', 4, 1, 0, 0, 0, 0"
                " FROM unnest($1::uuid[]) f(id)");
    db_.prepare("claim",
                "WITH c AS MATERIALIZED (SELECT job FROM live WHERE place = 1 AND queue ="
                " 'default' AND (pk, job) > (4, $2::uuid) ORDER BY pk, job LIMIT $1::int FOR UPDATE"
                " SKIP LOCKED) UPDATE live l SET place = 2, epoch = l.epoch + 1, node ="
                " '00112233-4455-6677-8899-aabbccddeeff', life = 1, since = 1 FROM c LEFT JOIN"
                " payload p ON p.job = c.job WHERE l.job = c.job RETURNING l.job, l.epoch, p.args");
    db_.prepare("end",
                "WITH g AS (DELETE FROM live l USING unnest($1::uuid[], $2::int[], $3::smallint[])"
                " f(id, epoch, state) WHERE l.job = f.id AND l.epoch = f.epoch AND l.place = 2"
                " RETURNING f.state, l.*)"
                " INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost,"
                " has, started, finished) SELECT job, project, queue, kind, 9 - pk, state, epoch,"
                " 1, lost, has, since, 1 FROM g");
    db_.prepare("lock_job",
                "SELECT id, state FROM job WHERE id = ANY($1::uuid[]) ORDER BY id"
                " FOR UPDATE");
    db_.prepare("lock_live",
                "SELECT job, place, node, life, epoch FROM live WHERE job ="
                " ANY($1::uuid[]) ORDER BY job FOR UPDATE");
    db_.prepare("mark",
                "UPDATE job SET state = 4, epoch = epoch + 1, delete_id ="
                " '00112233-4455-6677-8899-aabbccddeeff' WHERE id = ANY($1::uuid[])");
    db_.prepare("tomb",
                "INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict) SELECT"
                " id, '00112233-4455-6677-8899-aabbccddeeff', 2, 1, 1, 3, 0"
                " FROM unnest($1::uuid[]) f(id)");
    db_.prepare("erase", "DELETE FROM job WHERE id = ANY($1::uuid[])");
    db_.prepare("tally",
                "INSERT INTO tally (project, queue, state, shard, n) VALUES ('default',"
                " 'default', $1::smallint, 0, $2::bigint) ON CONFLICT (project, queue,"
                " state, shard) DO UPDATE SET n = tally.n + excluded.n");
  }

  Seconds all(const std::vector<JobId>& ids, std::size_t size) {
    Seconds took;
    took.enqueue = seconds_of([&] {
      in_slices(ids, size, [&](const Slice& slice) {
        committed([&] {
          const std::string array = literal(slice);
          session_.exec_prepared("live", array);
          count(1, slice.size());
        });
      });
    });
    took.run = seconds_of([&] {
      std::string cursor = "00000000-0000-0000-0000-000000000000";
      for (std::size_t done = 0; done < ids.size();) done += claim_and_finish(size, cursor);
    });
    took.erase = seconds_of([&] {
      in_slices(ids, size, [&](const Slice& slice) {
        committed([&] {
          const std::string array = literal(slice);
          for (const char* step : {"lock_job", "lock_live", "mark", "erase", "tomb"})
            session_.exec_prepared(step, array);
          count(3, slice.size());
        });
      });
    });
    return took;
  }

 private:
  static std::string literal(const Slice& ids) {
    ArrayLiteral array;
    for (const JobId& id : ids) array.add(id);
    return array.literal();
  }
  void committed(const std::function<void()>& work) {
    session_.exec("BEGIN");
    work();
    session_.exec("COMMIT");
  }
  void count(int state, std::size_t n) {
    session_.exec_prepared("tally", state, static_cast<long long>(n));
  }
  std::size_t claim_and_finish(std::size_t size, std::string& cursor) {
    std::size_t n = 0;
    committed([&] {
      const pqxx::result rows = session_.exec_prepared("claim", static_cast<int>(size), cursor);
      std::string jobs = "{", epochs = "{", states = "{";
      for (pqxx::result::size_type i = 0; i < rows.size(); ++i) {
        const pqxx::row row = rows[i];
        const char* comma = n++ ? "," : "";
        jobs += comma + std::string(row[0].c_str());
        epochs += comma + std::string(row[1].c_str());
        states += comma + std::string("1");
        cursor = std::max(cursor, std::string(row[0].c_str()));
      }
      session_.exec_prepared("end", jobs + "}", epochs + "}", states + "}");
      count(1, n);
      count(3, n);
    });
    return n;
  }

  pqxx::connection db_;
  pqxx::nontransaction session_;
};

void line(const bench::Run& run, const char* what, std::size_t batch, double jobs, double ours,
          double bare) {
  using bench::Better;
  const std::string name = fmt::format("{}, batches of {}", what, batch);
  run.figure(name, jobs / ours, "jobs/s", Better::higher);
  run.figure(name + ": bare SQL", jobs / bare, "jobs/s", Better::neither);
  run.figure(name + ": of bare SQL", bare / ours, "ratio", Better::higher);
}

void compare(const bench::Run& run, TemporaryPostgres& server) {
  const auto jobs = static_cast<std::size_t>(run.number("jobs", 50'000, 1'000));
  for (const std::size_t batch : {1U, 10U, 100U, 500U}) {
    // Small batches wait for the disk: fewer jobs say as much.
    const std::size_t n = std::min(jobs, batch * (run.quick() ? 20 : 1'000));
    Seconds ours{1e9, 1e9, 1e9}, bare = ours;
    const auto keep_best = [](Seconds& best, const Seconds& one) {
      best.enqueue = std::min(best.enqueue, one.enqueue);
      best.run = std::min(best.run, one.run);
      best.erase = std::min(best.erase, one.erase);
    };
    // By turns, the better of two: other work on the machine spares neither side.
    for (long round = 0; round < run.rounds(2); ++round) {
      IdSource source(system_clock());
      std::vector<JobId> ids(n);
      for (JobId& id : ids) id = source.next();
      server.create_database("ours");
      keep_best(ours, through_the_store(server.url("ours"), ids, batch));
      server.drop_database("ours");
      server.create_database("bare");
      checked(open_store(server.url("bare"), {}));  // for the schema and the laws
      keep_best(bare, Bare(server.url("bare")).all(ids, batch));
      server.drop_database("bare");
    }
    const auto count = static_cast<double>(n);
    line(run, "enqueue", batch, count, ours.enqueue, bare.enqueue);
    line(run, "claim + finish", batch, count, ours.run, bare.run);
    line(run, "mark + erase", batch, count, ours.erase, bare.erase);
  }
}

// One connection brings in what another claims and finishes, in batches of 200.
void churn(const bench::Run& run, TemporaryPostgres& server) {
  const long period_s = run.quick() ? 1 : 10;
  const long seconds = std::max(run.number("churn", 60, 2), period_s);
  const auto store = checked(open_store(server.url("postgres"), {}));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::atomic<std::size_t> in = 0, out = 0;
  const auto goes_on = [&] { return std::chrono::steady_clock::now() < until; };
  std::thread producer([&] {
    const auto writer = checked(store->open_writer());
    IdSource source(system_clock());
    while (goes_on()) {
      if (in > out + 5'000) {
        std::this_thread::yield();
        continue;
      }
      Slice slice(200);
      for (JobId& id : slice) id = source.next();
      checked(writer->apply(enqueue_batch(slice, system_clock().now())));
      in += slice.size();
    }
  });
  const auto writer = checked(store->open_writer());
  const NodeLife node = start_node(*writer, system_clock().now());
  std::vector<double> rates;
  for (long period = 0; period < seconds / period_s; ++period) {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t before = out;
    while (std::chrono::steady_clock::now() < start + std::chrono::seconds(period_s) && goes_on())
      out += run_all(*writer, node, 200, 200, system_clock().now());
    rates.push_back(static_cast<double>(out - before) / static_cast<double>(period_s));
  }
  producer.join();
  run.figure("churn", rates, "jobs/s", bench::Better::higher);
  run.figure("churn: last period / first", rates.back() / rates.front(), "ratio",
             bench::Better::higher);
}

}  // namespace
}  // namespace quell::storage

int main(int argc, char** argv) {
  const quell::bench::Run run("postgres", argc, argv);
  quell::storage::TemporaryPostgres server(run.quick() ? std::filesystem::path()
                                                       : std::filesystem::temp_directory_path());
  quell::storage::compare(run, server);
  quell::storage::churn(run, server);
}
