#include "http/api/event_streams.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/node/event_hub.hpp"
#include "http/api/views/json_writer.hpp"

namespace quell::http {

namespace {

constexpr std::size_t kept_events = 10'000;
constexpr std::size_t slow_bytes = std::size_t{1} << 20;
constexpr Millis tick{250};
const std::string_view deletion = told_to_watchers(JobEvent::erase);
constexpr int keep_alive_ticks = 60;  // 15 s
constexpr int patience_ticks = 240;   // a minute without a stream, then nobody listens

// What may be told later, and only as it last was.
bool is_coalesced(const std::string& type) {
  return type == "job.progress" || type == "job.phase" ||
         (type.size() > 8 && type.compare(type.size() - 8, 8, ".updated") == 0);
}

bool type_fits(const std::string& pattern, const std::string& type) {
  if (pattern.size() >= 2 && pattern.compare(pattern.size() - 2, 2, ".*") == 0)
    return type.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
  return pattern == type;
}

}  // namespace

bool EventFilter::lets(const NodeEvent& event) const {
  if (job && event.job != job) return false;
  if (!queue.empty() && event.queue != queue) return false;
  return types.empty() || std::any_of(types.begin(), types.end(), [&event](const auto& pattern) {
           return type_fits(pattern, event.type);
         });
}

EventStreams::~EventStreams() {
  close();
}

void EventStreams::close() {
  const std::lock_guard subscribing(subscribing_);
  std::vector<Stream> ended;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ended.swap(streams_);
  }
  if (subscription_) node_.unsubscribe(*std::exchange(subscription_, std::nullopt));
  for (const Stream& stream : ended) {
    stream.sink->send("event: system.draining\ndata: {}\n\n");
    stream.sink->close();
  }
}

std::size_t EventStreams::count() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

std::size_t EventStreams::count_of(const std::string& token_id) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(streams_.begin(), streams_.end(),
                    [&](const Stream& stream) { return stream.token_id == token_id; }));
}

void EventStreams::end_those_of_the_revoked() {
  const std::lock_guard lock(mutex_);
  end_the_revoked();
}

void EventStreams::end_the_revoked() {
  std::erase_if(streams_, [this](const Stream& stream) {
    if (may_listen_(stream.token_id)) return false;
    stream.sink->send("event: unauthenticated\ndata: {}\n\n");
    stream.sink->close();
    return true;
  });
}

void EventStreams::add(std::shared_ptr<EventSink> sink, EventFilter filter,
                       const std::string& token_id, const std::string& last_event_id) {
  const std::lock_guard subscribing(subscribing_);
  if (!subscription_) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return sink->close();
      kept_.clear();
      line_ = node_.ids().next().text();
      idle_ticks_ = 0;
    }
    subscription_ = node_.subscribe_to_fleet([this](const NodeEvent& event) { on_event(event); });
    loop_.after(tick, [this] { heartbeat(); });
  }
  const std::lock_guard lock(mutex_);
  if (closed_) return sink->close();
  sink->send("retry: 2000\n\n");
  Stream stream{std::move(sink), std::move(filter), token_id};
  if (!last_event_id.empty()) replay(stream, last_event_id);
  streams_.push_back(std::move(stream));
}

// Ids are "<line>.<seq>": of another line, or of before what is kept, nothing is known.
void EventStreams::replay(const Stream& stream, const std::string& last_event_id) {
  const std::size_t dot = last_event_id.rfind('.');
  const std::uint64_t seen =
      dot == std::string::npos ? 0 : std::strtoull(last_event_id.c_str() + dot + 1, nullptr, 10);
  const std::uint64_t oldest = kept_.empty() ? seq_ + 1 : kept_.front().seq;
  if (dot == std::string::npos || last_event_id.compare(0, dot, line_) != 0 || seen > seq_ ||
      seen + 1 < oldest)
    return stream.sink->send(fmt::format("id: {}.{}\nevent: reset\ndata: {{}}\n\n", line_, seq_));
  // Of a job that is deleted only its deletion is told again.
  std::map<JobId, std::uint64_t> deleted;
  for (const Kept& kept : kept_)
    if (kept.event.job && kept.event.type == deletion) deleted[*kept.event.job] = kept.seq;
  const auto is_over = [&deleted](const Kept& kept) {
    const auto end = kept.event.job ? deleted.find(*kept.event.job) : deleted.end();
    return end != deleted.end() && kept.seq < end->second;
  };
  for (const Kept& kept : kept_)
    if (kept.seq > seen && stream.filter.lets(kept.event) && !is_over(kept))
      stream.sink->send(text_of(kept.seq, kept.event));
}

std::string EventStreams::text_of(std::uint64_t seq, const NodeEvent& event) const {
  std::string data;
  {
    ObjectWriter view(data);
    view.text("time", time_text(event.at));
    view.text("type", event.type);
    if (event.job) view.text("job_id", event.job->text());
    if (!event.queue.empty()) view.text("queue", event.queue);
    if (!event.data.empty()) view.json("data", event.data);
  }
  return fmt::format("id: {}.{}\nevent: {}\ndata: {}\n\n", line_, seq, event.type, data);
}

void EventStreams::on_event(const NodeEvent& event) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (event.type == reset_event) return begin_anew();
  if (!is_coalesced(event.type)) {
    tell_what_waits_of(event);
    return tell(event);
  }
  const Quiet key{event.job, event.type};
  const auto last = told_.find(key);
  if (last != told_.end() && event.at < last->second + tick) {
    waiting_.insert_or_assign(key, event);
    return;
  }
  told_[key] = event.at;
  tell(event);
}

// Some were not heard: whoever follows reads everything anew, and no earlier id is known any more.
void EventStreams::begin_anew() {
  kept_.clear();
  waiting_.clear();
  told_.clear();
  line_ = node_.ids().next().text();
  for (const Stream& stream : streams_)
    stream.sink->send(fmt::format("id: {}.{}\nevent: reset\ndata: {{}}\n\n", line_, seq_));
}

// What waits came before, so it is told before; after a deletion nothing of the job is.
void EventStreams::tell_what_waits_of(const NodeEvent& event) {
  if (!event.job) return;
  for (auto at = waiting_.lower_bound({event.job, ""});
       at != waiting_.end() && at->first.first == event.job; at = waiting_.erase(at))
    if (event.type != deletion) tell(at->second);
}

void EventStreams::tell(const NodeEvent& event) {
  kept_.push_back({++seq_, event});
  if (kept_.size() > kept_events) kept_.pop_front();
  std::string text;
  for (const Stream& stream : streams_) {
    if (!stream.filter.lets(event)) continue;
    if (text.empty()) text = text_of(seq_, event);
    stream.sink->send(text);
  }
}

void EventStreams::heartbeat() {
  bool bored = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    end_the_revoked();  // also of those that expired, or were revoked at another node
    tell_waiting();
    const bool greet = ++ticks_ % keep_alive_ticks == 0;
    for (Stream& stream : streams_) {
      if (stream.sink->unsent() > slow_bytes) {
        stream.sink->send("event: reset\ndata: {}\n\n");
        stream.sink->close();
      } else if (greet) {
        stream.sink->send(": keep-alive\n\n");
      }
    }
    std::erase_if(streams_, [](const Stream& stream) { return !stream.sink->is_open(); });
    idle_ticks_ = streams_.empty() ? idle_ticks_ + 1 : 0;
    bored = idle_ticks_ > patience_ticks;
  }
  if (bored && fall_silent()) return;
  loop_.after(tick, [this] { heartbeat(); });
}

void EventStreams::tell_waiting() {
  told_.clear();
  const Instant now = system_clock().now();
  for (const auto& [key, event] : std::exchange(waiting_, {})) {
    told_[key] = now;
    tell(event);
  }
}

// False: someone came in the meantime.
bool EventStreams::fall_silent() {
  const std::lock_guard subscribing(subscribing_);
  {
    const std::lock_guard lock(mutex_);
    if (!streams_.empty()) return false;
  }
  if (subscription_) node_.unsubscribe(*std::exchange(subscription_, std::nullopt));
  return true;
}

}  // namespace quell::http
