// Server-sent events. Every stream hears what its filter lets through; one that reconnects is given
// what it missed, or told to reload (`reset`) when that is no longer known. Of a job nothing is
// told after its deletion.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/node/node.hpp"
#include "http/server/server.hpp"

namespace quell::http {

struct EventFilter {
  std::vector<std::string> types;  // `job.deleted`, `job.*`; empty: all
  std::string queue = {};
  std::optional<JobId> job = {};
  bool lets(const NodeEvent& event) const;
};

class EventStreams {
 public:
  // `may_listen`: whether a token still lets anybody in.
  using MayListen = std::function<bool(const std::string& token_id)>;
  EventStreams(Node& node, Loop& loop, MayListen may_listen)
      : node_(node), loop_(loop), may_listen_(std::move(may_listen)) {}
  ~EventStreams();
  EventStreams(const EventStreams&) = delete;
  EventStreams& operator=(const EventStreams&) = delete;

  void add(std::shared_ptr<EventSink> sink, EventFilter filter, const std::string& token_id,
           const std::string& last_event_id);
  std::size_t count() const;
  std::size_t count_of(const std::string& token_id) const;
  void end_those_of_the_revoked();
  void close();  // says `system.draining` and ends every stream

 private:
  struct Stream {
    std::shared_ptr<EventSink> sink;
    EventFilter filter;
    std::string token_id;
  };
  struct Kept {
    std::uint64_t seq = 0;
    NodeEvent event;
  };
  using Quiet =
      std::pair<std::optional<JobId>, std::string>;  // what is told at most 4 times a second

  void on_event(const NodeEvent& event);
  void tell(const NodeEvent& event);
  void begin_anew();
  void tell_what_waits_of(const NodeEvent& event);
  void replay(const Stream& stream, const std::string& last_event_id);
  std::string text_of(std::uint64_t seq, const NodeEvent& event) const;
  void heartbeat();
  void tell_waiting();
  bool fall_silent();
  void end_the_revoked();  // under mutex_

  Node& node_;
  Loop& loop_;
  MayListen may_listen_;
  std::mutex subscribing_;  // taken before the node's lock and before mutex_; never by an event
  mutable std::mutex mutex_;
  std::vector<Stream> streams_;
  std::deque<Kept> kept_;
  std::uint64_t seq_ = 0;
  std::string line_;  // names this unbroken row of events; a new one begins after each silence
  std::map<Quiet, NodeEvent> waiting_;
  std::map<Quiet, Instant> told_;
  std::optional<std::uint64_t> subscription_;
  int ticks_ = 0, idle_ticks_ = 0;
  bool closed_ = false;
};

}  // namespace quell::http
