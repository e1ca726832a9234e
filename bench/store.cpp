// What the SQLite store costs beside the bare statements for the same rows: jobs per second of
// enqueue, claim + finish, and mark + erase, per batch size, in one thread, in one run. Both sides
// commit durably (synchronous=FULL); the ratio is of processor time, which a busy disk does not
// blur.
//   bench_store [--jobs 100000]
#include <fmt/core.h>
#include <sqlite3.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bench/measure/run.hpp"
#include "bench/measure/store_under_test.hpp"
#include "runtime/base/assert.hpp"
#include "storage/store.hpp"

namespace quell::storage {
namespace {

struct Cost {
  double wall = 0, processor = 0;  // seconds
};

double clock_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Cost cost_of(const std::function<void()>& work) {
  const Cost start{clock_of(CLOCK_MONOTONIC), clock_of(CLOCK_THREAD_CPUTIME_ID)};
  work();
  return {clock_of(CLOCK_MONOTONIC) - start.wall,
          clock_of(CLOCK_THREAD_CPUTIME_ID) - start.processor};
}

struct Metrics {
  Cost enqueue, run, erase;
};

template <class T>
T checked(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", to_string(result.error()));
    std::exit(1);
  }
  return std::move(*result);
}

// ---- the store's verbs

Metrics through_the_store(const std::string& path, const std::vector<JobId>& ids,
                          std::size_t batch_size) {
  const auto store = checked(open_store("sqlite:" + path, {}));
  const auto writer = checked(store->open_writer());
  const Instant now = system_clock().now();
  IdSource source(system_clock());
  Batch start;
  start.starts = {{source.next(), "{}", now}};
  const NodeLife node = checked(writer->apply(start)).starts.at(0);
  const auto slices = [&](const std::function<void(std::size_t, std::size_t)>& slice) {
    for (std::size_t from = 0; from < ids.size(); from += batch_size)
      slice(from, std::min(from + batch_size, ids.size()));
  };
  Metrics figures;
  const auto enqueue_all = [&] {
    slices([&](std::size_t from, std::size_t to) {
      Batch batch;
      for (std::size_t i = from; i < to; ++i) {
        EnqueueOp& op = batch.enqueues.emplace_back();
        op.job.id = ids[i];
        op.job.kind = "noop";
        op.now = now;
      }
      checked(writer->apply(batch));
    });
  };
  figures.enqueue = cost_of(enqueue_all);
  figures.run = cost_of([&] {
    Batch batch;  // finish n and claim n + 1 in one commit, as the Clerk does
    for (std::size_t done = 0; done < ids.size();) {
      batch.claims = {{"default", static_cast<int>(batch_size), node, now}};
      const Outcome out = checked(writer->apply(batch));
      batch = {};
      for (const ClaimedJob& job : out.claims.at(0)) {
        FinishOp& op = batch.finishes.emplace_back();
        op.job = job.job;
        op.epoch = job.epoch;
        op.event = JobEvent::succeed;
        op.now = now;
      }
      done += batch.finishes.size();
    }
    checked(writer->apply(batch));
  });
  figures.erase = cost_of([&] {
    slices([&](std::size_t from, std::size_t to) {
      Batch batch;
      MarkOp& op = batch.marks.emplace_back();
      op.delete_id = source.next();
      op.now = op.tomb_until = now;
      op.jobs.assign(ids.begin() + static_cast<std::ptrdiff_t>(from),
                     ids.begin() + static_cast<std::ptrdiff_t>(to));
      checked(writer->apply(batch));
    });
  });
  return figures;
}

// ---- the same rows by bare statements

class Bare {
 public:
  explicit Bare(const std::string& path) {
    QUELL_ASSERT(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
    run("PRAGMA synchronous=FULL");
    run("PRAGMA wal_autocheckpoint=4000");
    run("PRAGMA cache_size=-65536");
  }
  ~Bare() {
    for (sqlite3_stmt* one : prepared_) sqlite3_finalize(one);
    sqlite3_close(db_);
  }
  void run(const char* sql) {
    QUELL_ASSERT(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* one = nullptr;
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &one, nullptr) != SQLITE_OK) {
      fmt::print(stderr, "{}\n", sqlite3_errmsg(db_));
      std::exit(1);
    }
    prepared_.push_back(one);
    return one;
  }
  static void bind(sqlite3_stmt* statement, const JobId& id, int at = 1) {
    sqlite3_bind_blob(statement, at, id.bytes.data(), 16, SQLITE_STATIC);
  }
  static void finish(sqlite3_stmt* statement) {
    while (sqlite3_step(statement) == SQLITE_ROW) {
    }
    QUELL_ASSERT(sqlite3_reset(statement) == SQLITE_OK);
  }

 private:
  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> prepared_;
};

constexpr const char* tally_sql =
    "INSERT INTO tally VALUES ('default', 'default', ?1, ?2)"
    " ON CONFLICT DO UPDATE SET n = n + ?2";

class BareVerbs {
 public:
  BareVerbs(const std::string& path, const std::vector<JobId>& ids, std::size_t batch_size)
      : db_(path), tally_(db_.prepare(tally_sql)), ids_(ids), batch_size_(batch_size) {}

  Cost enqueue() {
    sqlite3_stmt* job = db_.prepare(
        "INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has)"
        " VALUES (?, 'default', 'default', 'noop', 5, 0, 0, 0, 0, 0)");
    sqlite3_stmt* live = db_.prepare(
        "INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt, lost, has)"
        " VALUES (?, 'default', 'default', 'noop', 4, 1, 0, 0, 0, 0)");
    return cost_of_slices([&](const JobId* from, const JobId* to) {
      each(job, from, to);
      each(live, from, to);
      count(1, to - from);
    });
  }

  Cost run() {
    sqlite3_stmt* claim = db_.prepare(
        "UPDATE live SET place = 2, epoch = epoch + 1, life = 1, since = 1700000000000,"
        " node = x'00112233445566778899aabbccddeeff' WHERE job IN"
        " (SELECT job FROM live WHERE place = 1 AND queue = 'default' ORDER BY pk, job LIMIT ?)"
        " RETURNING job, epoch, kind, project");
    sqlite3_stmt* end = db_.prepare(
        "UPDATE job SET state = 1, epoch = 1, attempt = 1, started = 1700000000000,"
        " finished = 1700000000000 WHERE id = ?1 AND EXISTS"
        " (SELECT 1 FROM live WHERE job = ?1 AND epoch = 1 AND place = 2)");
    sqlite3_stmt* unlive = db_.prepare("DELETE FROM live WHERE job = ?");
    return cost_of_slices([&](const JobId* from, const JobId* to) {
      sqlite3_bind_int64(claim, 1, to - from);
      Bare::finish(claim);
      each(end, from, to);
      each(unlive, from, to);
      count(1, from - to);
      count(3, to - from);
    });
  }

  Cost erase() {
    sqlite3_stmt* mark = db_.prepare(
        "UPDATE job SET state = 4, epoch = epoch + 1,"
        " delete_id = x'00112233445566778899aabbccddeeff' WHERE id = ?");
    sqlite3_stmt* tomb = db_.prepare(
        "INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict) VALUES"
        " (?, x'00112233445566778899aabbccddeeff', 2, 1700000000000, 1700000000000, 3, 0)");
    sqlite3_stmt* gone = db_.prepare("DELETE FROM job WHERE id = ?");
    return cost_of_slices([&](const JobId* from, const JobId* to) {
      each(mark, from, to);
      each(gone, from, to);
      each(tomb, from, to);
      count(3, from - to);
    });
  }

 private:
  void count(int state, std::int64_t n) {
    sqlite3_bind_int(tally_, 1, state);
    sqlite3_bind_int64(tally_, 2, n);
    Bare::finish(tally_);
  }
  static void each(sqlite3_stmt* statement, const JobId* from, const JobId* to) {
    for (; from != to; ++from) {
      Bare::bind(statement, *from);
      Bare::finish(statement);
    }
  }
  Cost cost_of_slices(const std::function<void(const JobId*, const JobId*)>& slice) {
    return cost_of([&] {
      for (std::size_t from = 0; from < ids_.size(); from += batch_size_) {
        db_.run("BEGIN IMMEDIATE");
        slice(ids_.data() + from, ids_.data() + std::min(from + batch_size_, ids_.size()));
        db_.run("COMMIT");
      }
    });
  }

  Bare db_;
  sqlite3_stmt* tally_;
  const std::vector<JobId>& ids_;
  std::size_t batch_size_;
};

Metrics by_bare_statements(const std::string& path, const std::vector<JobId>& ids,
                           std::size_t batch_size) {
  checked(open_store("sqlite:" + path, {}));  // for the schema and the laws; closed at once
  BareVerbs verbs(path, ids, batch_size);
  const Cost enqueue = verbs.enqueue();
  const Cost run = verbs.run();
  return {enqueue, run, verbs.erase()};
}

// 100,000 queued jobs, deleted in slices as an operation does it.
Cost bulk_delete(const std::string& path, std::size_t jobs, std::size_t slice, bool copy) {
  const auto store = checked(open_store("sqlite:" + path, {}));
  const auto writer = checked(store->open_writer());
  IdSource source(system_clock());
  const Instant now = system_clock().now();
  std::vector<JobId> ids;
  for (std::size_t made = 0; made < jobs;) {
    Batch batch;
    for (int i = 0; i < 1'000 && made < jobs; ++i, ++made) {
      EnqueueOp& op = batch.enqueues.emplace_back();
      op.job.id = ids.emplace_back(source.next());
      op.job.kind = "http";
      op.job.args = R"({"method":"GET","url":"http://127.0.0.1/"})";
      op.now = now;
    }
    checked(writer->apply(batch));
  }
  const DeleteId call = source.next();
  return cost_of([&] {
    for (std::size_t from = 0; from < jobs; from += slice) {
      Batch batch;
      MarkOp& op = batch.marks.emplace_back();
      op.delete_id = call;
      op.now = op.tomb_until = now;
      if (copy) op.copy_until = now;
      op.jobs.assign(ids.begin() + static_cast<std::ptrdiff_t>(from),
                     ids.begin() + static_cast<std::ptrdiff_t>(std::min(from + slice, jobs)));
      checked(writer->apply(batch));
    }
  });
}

void line(const bench::Run& run, const char* what, std::size_t batch, double jobs, const Cost& ours,
          const Cost& bare) {
  using bench::Better;
  const std::string name = fmt::format("{}, batches of {}", what, batch);
  run.figure(name, jobs / ours.wall, "jobs/s", Better::higher);
  run.figure(name + ": bare SQL", jobs / bare.wall, "jobs/s", Better::neither);
  run.figure(name + ": processor", ours.processor / jobs * 1e6, "us/job", Better::lower);
  run.figure(name + ": bare SQL / ours, processor", bare.processor / ours.processor, "ratio",
             Better::higher);
}

void verbs(const bench::Run& run, const std::filesystem::path& folder) {
  const auto jobs = static_cast<std::size_t>(run.number("jobs", 100'000, 1'000));
  for (const std::size_t batch : {1U, 10U, 100U, 500U}) {
    // Small batches wait for the disk: fewer jobs say as much.
    const std::size_t n = std::min(jobs, batch * (run.quick() ? 20 : 400));
    IdSource source(system_clock());
    std::vector<JobId> ids(n);
    for (JobId& id : ids) id = source.next();
    const auto name = [&](const char* side) {
      return (folder / fmt::format("{}-{}.db", side, batch)).string();
    };
    const Metrics ours = through_the_store(name("store"), ids, batch);
    const Metrics bare = by_bare_statements(name("bare"), ids, batch);
    const auto count = static_cast<double>(n);
    line(run, "enqueue", batch, count, ours.enqueue, bare.enqueue);
    line(run, "claim + finish", batch, count, ours.run, bare.run);
    line(run, "mark + erase", batch, count, ours.erase, bare.erase);
  }
  for (const std::size_t slice : {500U, 1'000U})
    for (const bool copy : {false, true}) {
      const std::string file = fmt::format("bulk-{}-{}.db", slice, copy);
      const Cost cost = bulk_delete((folder / file).string(), jobs, slice, copy);
      const std::string name = fmt::format("delete {} queued, {} copy, slices of {}", jobs,
                                           copy ? "with a" : "without", slice);
      run.figure(name, cost.wall, "s", bench::Better::lower);
      run.figure(name + ": processor", cost.processor, "s", bench::Better::lower);
    }
}

}  // namespace
}  // namespace quell::storage

int main(int argc, char** argv) {
  const quell::bench::Run run("store", argc, argv);
  const quell::bench::Scratch folder;
  quell::storage::verbs(run, folder.path());
}
