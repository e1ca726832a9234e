// Long polls: `GET /jobs/{id}?wait_for=final` answers when the job gets there, so that a client
// without event streams need not ask again and again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "http/api/request_context.hpp"

namespace quell::http {

// Which states end the wait.
struct WaitFor {
  std::vector<JobState> states;  // empty: any final state
  bool matches(JobState state) const;
};
// `final`, `done`, or statuses joined by commas.
Result<WaitFor> read_wait_for(const std::string& text);

class JobWaiters {
 public:
  using Answer = std::function<void(storage::Reader&, const JobView&)>;

  explicit JobWaiters(Node& node) : node_(node) {}
  ~JobWaiters();
  JobWaiters(const JobWaiters&) = delete;
  JobWaiters& operator=(const JobWaiters&) = delete;

  void close();
  // Answers with the job as it is when it matches, is gone, or the time is up.
  void wait(RequestPtr call, JobId id, WaitFor target, Millis at_most, Answer answer);

 private:
  struct Waiter {
    RequestPtr call;
    JobId id;
    WaitFor target;
    Answer answer;
    bool is_last = false;  // the time is up: answer with whatever is there
    bool is_reading = false, read_again = false, is_done = false;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;

  void look(const WaiterPtr& waiter);
  void looked(const WaiterPtr& waiter, bool done);
  void fall_silent();
  void on_event(const NodeEvent& event);

  Node& node_;
  // The node tells events under a lock of its own, so subscribing happens outside of `mutex_`,
  // which an event takes: held one in the other both ways round, the two would wait for each other.
  std::mutex subscribing_;
  std::mutex mutex_;
  std::multimap<JobId, WaiterPtr> waiting_;
  std::optional<std::uint64_t> subscription_;
};

}  // namespace quell::http
