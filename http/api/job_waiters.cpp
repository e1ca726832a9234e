#include "http/api/job_waiters.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/api/api_server.hpp"
#include "http/api/found_job.hpp"

namespace quell::http {

bool WaitFor::matches(JobState state) const {
  // What ended otherwise than hoped for will not come back: waiting on would be in vain.
  return is_final(state) || std::find(states.begin(), states.end(), state) != states.end();
}

Result<WaitFor> read_wait_for(const std::string& text) {
  WaitFor target;
  if (text == "final" || text == "done" || text == "status") return target;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const auto state = parse_state(text.substr(begin, comma - begin));
    if (!state || *state == JobState::gone)
      return Error{ErrorCode::invalid_field,
                   "'wait_for' takes 'final', or statuses joined by commas."};
    target.states.push_back(*state);
    begin = comma + 1;
  }
  return target;
}

JobWaiters::~JobWaiters() {
  close();
}

void JobWaiters::close() {
  const std::lock_guard subscribing(subscribing_);
  std::multimap<JobId, WaiterPtr> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(waiting_);
  }
  if (subscription_) node_.unsubscribe(*std::exchange(subscription_, std::nullopt));
}

void JobWaiters::wait(RequestPtr call, JobId id, WaitFor target, Millis at_most, Answer answer) {
  auto waiter = std::make_shared<Waiter>();
  waiter->call = std::move(call);
  waiter->id = id;
  waiter->target = std::move(target);
  waiter->answer = std::move(answer);
  waiter->is_last = at_most <= Millis{0};
  {
    // Listening begins before looking, so nothing is missed in between.
    const std::lock_guard subscribing(subscribing_);
    {
      const std::lock_guard lock(mutex_);
      waiting_.emplace(id, waiter);
    }
    if (!subscription_)
      subscription_ = node_.subscribe([this](const NodeEvent& event) { on_event(event); });
  }
  if (!waiter->is_last) {
    const std::weak_ptr<Waiter> weak = waiter;
    waiter->call->api.loop().after(at_most, [this, weak] {
      const WaiterPtr late = weak.lock();
      if (!late) return;
      {
        const std::lock_guard lock(mutex_);
        late->is_last = true;
      }
      look(late);
    });
  }
  look(waiter);
}

void JobWaiters::on_event(const NodeEvent& event) {
  if (!event.job) return;
  std::vector<WaiterPtr> told;
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = waiting_.equal_range(*event.job);
    for (auto at = begin; at != end; ++at) told.push_back(at->second);
  }
  for (const WaiterPtr& waiter : told) look(waiter);
}

void JobWaiters::look(const WaiterPtr& waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (waiter->is_done) return;
    if (waiter->is_reading) {
      waiter->read_again = true;
      return;
    }
    waiter->is_reading = true;
  }
  node_.read([this, waiter](storage::Reader& reader) {
    bool is_last = false;
    {
      const std::lock_guard lock(mutex_);
      is_last = waiter->is_last;
    }
    const std::optional<JobView> job = find_job(*waiter->call, reader, waiter->id, true);
    const bool done = !job || is_last || waiter->target.matches(job->state);
    if (job && done) waiter->answer(reader, *job);
    looked(waiter, done);
  });
}

// When nobody waits, let the node save itself the telling.
void JobWaiters::fall_silent() {
  const std::lock_guard subscribing(subscribing_);
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty()) return;
  }
  if (subscription_) node_.unsubscribe(*std::exchange(subscription_, std::nullopt));
}

void JobWaiters::looked(const WaiterPtr& waiter, bool done) {
  bool again = false;
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    waiter->is_reading = false;
    waiter->is_done = done;
    again = !done && std::exchange(waiter->read_again, false);
    if (done) {
      const auto [begin, end] = waiting_.equal_range(waiter->id);
      const auto mine =
          std::find_if(begin, end, [&waiter](const auto& entry) { return entry.second == waiter; });
      if (mine != end) waiting_.erase(mine);
      waiter->call.reset();
      waiter->answer = {};
      last = waiting_.empty();
    }
  }
  if (last) fall_silent();
  if (again) look(waiter);
}

}  // namespace quell::http
