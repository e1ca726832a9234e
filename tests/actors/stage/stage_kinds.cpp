#include "tests/actors/stage/stage_kinds.hpp"

namespace quell {

namespace {

constexpr Millis a_second{1'000};

Task one(JobContext job) {
  co_await job.sleep(a_second);
  co_return std::string("1");
}

Task two(JobContext job) {
  co_await job.sleep(a_second);
  job.progress(0.5, "half");
  co_await job.sleep(a_second);
  co_return std::string("2");
}

Task fails(JobContext job) {
  co_await job.sleep(a_second);
  throw JobError("semantic", "as asked");
}

Async<std::string> remembered_work(JobContext job) {
  co_await job.sleep(a_second);
  co_return std::string("kept");
}

Task steps(JobContext job) {
  auto work = [&job] { return remembered_work(job); };
  std::string kept = co_await job.step("first", work);
  co_await job.sleep(a_second);
  co_return kept;
}

// Opens a stream that nobody reads to its end.
Task race(JobContext job) {
  ByteStream loser = job.open_http(HttpRequest("http://example.com/"));
  co_await job.sleep(a_second);
  co_return std::string("3");
}

}  // namespace

Registry stage_kinds() {
  Registry kinds;
  kinds.add("one", one).add("two", two).add("fails", fails).add("steps", steps).add("race", race);
  return kinds;
}

}  // namespace quell
