#include "bench/measure/raw.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include "bench/measure/run.hpp"
#include "bench/measure/stopwatch.hpp"
#include "runtime/base/id.hpp"
#include "storage/store.hpp"

namespace quell::bench {

namespace {

using namespace storage;

constexpr std::size_t batch_size = 500;

template <class T>
T checked(Result<T> result) {
  if (!result) fail(to_string(result.error()));
  return std::move(result).value();
}

class Raw {
 public:
  Raw(const std::string& url, std::size_t jobs)
      : store_(checked(open_store(url, {.unsafe = true}))),
        writer_(checked(store_->open_writer())),
        now_(system_clock().now()),
        ids_(system_clock()),
        jobs_(jobs) {
    for (JobId& id : jobs_) id = ids_.next();
  }

  void enqueue() {
    in_slices([this](std::size_t from, std::size_t to) {
      Batch batch;
      for (std::size_t i = from; i < to; ++i) {
        EnqueueOp& op = batch.enqueues.emplace_back();
        op.job.id = jobs_[i];
        op.job.kind = "noop";
        op.now = now_;
      }
      checked(writer_->apply(batch));
    });
  }

  // Who claims is a node; nobody else needs to be one.
  void join() {
    Batch start;
    start.starts = {{ids_.next(), "{}", now_}};
    node_ = checked(writer_->apply(start)).starts.at(0);
    writer_->upkeep(now_).ok();  // sees that it is alone: no NOTIFY
  }

  // Finish n and claim n + 1 in one commit, as the Clerk does.
  void run() {
    Batch batch;
    for (std::size_t done = 0; done < jobs_.size();) {
      batch.claims = {{"default", static_cast<int>(batch_size), node_, now_}};
      const Outcome out = checked(writer_->apply(batch));
      batch = {};
      for (const ClaimedJob& job : out.claims.at(0)) {
        FinishOp& op = batch.finishes.emplace_back();
        op.job = job.job;
        op.epoch = job.epoch;
        op.event = JobEvent::succeed;
        op.now = now_;
        op.expires = now_ + Millis{604'800'000};
      }
      done += batch.finishes.size();
    }
    checked(writer_->apply(batch));
  }

  void erase() {
    in_slices([this](std::size_t from, std::size_t to) {
      Batch batch;
      MarkOp& op = batch.marks.emplace_back();
      op.delete_id = ids_.next();
      op.now = op.tomb_until = now_;
      op.jobs.assign(jobs_.begin() + static_cast<std::ptrdiff_t>(from),
                     jobs_.begin() + static_cast<std::ptrdiff_t>(to));
      checked(writer_->apply(batch));
    });
  }

 private:
  void in_slices(const std::function<void(std::size_t, std::size_t)>& slice) {
    for (std::size_t from = 0; from < jobs_.size(); from += batch_size)
      slice(from, std::min(from + batch_size, jobs_.size()));
  }

  std::unique_ptr<Store> store_;
  std::unique_ptr<Writer> writer_;
  Instant now_;
  IdSource ids_;
  NodeLife node_;
  std::vector<JobId> jobs_;
};

}  // namespace

void fill(const std::string& store, std::size_t jobs) {
  Raw(store, jobs).enqueue();
}

RawRates raw_rates(const std::string& store, std::size_t jobs, bool erase) {
  Raw raw(store, jobs);
  const auto count = static_cast<double>(jobs);
  RawRates rates;
  const Stopwatch enqueue;
  raw.enqueue();
  rates.enqueue = count / enqueue.seconds();
  if (!erase) {
    raw.join();
    const Stopwatch run;
    raw.run();
    rates.run = count / run.seconds();
  } else {
    const Stopwatch marks;
    raw.erase();
    rates.erase = count / marks.seconds();
  }
  return rates;
}

}  // namespace quell::bench
