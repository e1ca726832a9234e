// What the door answers: each command of the closed list, over the node. Knows no sockets; lives on
// one loop, and what the store answers comes back there.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/node/node.hpp"
#include "http/server/server.hpp"
#include "runtime/celery/attempts.hpp"
#include "runtime/celery/resp.hpp"
#include "runtime/signing/token.hpp"

namespace quell::http::celery {

using quell::celery::Attempt;
using quell::celery::Attempts;
using quell::celery::Words;

// Who speaks: a client with a token of the API, or the process of a task with its attempt's.
struct Caller {
  std::string project = "default", who;
  ScopeSet scopes;
  std::optional<Attempt> attempt;
};

// One command, or the commands of one EXEC: what the first of them saw counts for all.
struct Turn {
  Caller caller;
  int protocol = 2;
  std::map<std::string, std::size_t> parts_seen = {};  // of chords, by key
};
using TurnPtr = std::shared_ptr<Turn>;
using Done = std::function<void(std::string)>;  // the answer as it goes over the wire

// A connection that hears channels.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void hear(const std::string& channel, const std::string& payload) = 0;
  virtual void hear_pattern(const std::string& pattern, const std::string& channel,
                            const std::string& payload) = 0;
};

// A task's alias: which job it is, kept beside the job and longer than its tombstone.
struct Alias {
  std::string id;  // Celery's
  std::int64_t version = 0;
  std::optional<JobId> job;
  bool is_forgotten = false;  // by the client: its result is not told any more
};

struct Known {
  Alias alias;
  std::optional<JobView> job;
  bool has_tomb = false;
  std::optional<std::string> meta, part;  // what the job remembers
};

class Desk {
 public:
  Desk(Node& node, Loop& loop, std::size_t message_max);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void begin();  // watches the node's events
  void close();

  void run(const TurnPtr& turn, const Words& words, Done done);
  // Waits for a message on one of the lists; the returned function gives up the wait.
  std::function<void()> pop(const TurnPtr& turn, const Words& words, Done done);

  // Of the run of this job that is going now; none: there is none.
  void epoch_of(const JobId& job, std::function<void(std::optional<int>)> answer);

  std::optional<std::string> refused_channel(const std::string& channel) const;
  void subscribe(const std::string& project, const std::string& channel,
                 const std::shared_ptr<Listener>& listener);
  void unsubscribe(const std::string& project, const std::string& channel,
                   const Listener* listener);

  // Events of tasks, for a pattern that names their exchange.
  void listen(const std::string& project, const std::string& pattern,
              const std::shared_ptr<Listener>& listener);
  void unlisten(const Listener* listener, const std::string& pattern);

  std::size_t message_max() const { return message_max_; }

 private:
  using Command = void (Desk::*)(const TurnPtr&, const Words&, Done);
  struct Row;
  static const std::map<std::string, Row, std::less<>>& table();

  // births.cpp
  void push(const TurnPtr& turn, const Words& words, Done done);
  void birth(const TurnPtr& turn, const std::string& queue, const std::string& envelope, Done done);
  void keep_retry(const TurnPtr& turn, const std::string& envelope, Done done);
  void enqueue(const TurnPtr& turn, NewJob job, const std::string& id, Done done);
  void born_before(const TurnPtr& turn, NewJob job, const std::string& id, Done done);
  void length(const TurnPtr& turn, const Words& words, Done done);
  void purge(const TurnPtr& turn, const std::string& queue, Done done);
  storage::DocOp alias_doc(const Alias& alias, const std::string& project,
                           std::optional<Instant> run_at = {}) const;

  // results.cpp
  void get(const TurnPtr& turn, const Words& words, Done done);
  void get_many(const TurnPtr& turn, const Words& words, Done done);
  void set(const TurnPtr& turn, const Words& words, Done done);
  void set_for(const TurnPtr& turn, const Words& words, Done done);
  void flush(storage::FlushOp op, Done done);
  void keep(const TurnPtr& turn, const std::string& key, const std::string& value, Millis ttl,
            Done done);
  void remove(const TurnPtr& turn, const Words& words, Done done);
  void forget(const TurnPtr& turn, const std::string& id, Done done);
  void publish(const TurnPtr& turn, const Words& words, Done done);

  // groups.cpp
  void add_part(const TurnPtr& turn, const Words& words, Done done);
  void count_parts(const TurnPtr& turn, const Words& words, Done done);
  void read_parts(const TurnPtr& turn, const Words& words, Done done);
  void add_number(const TurnPtr& turn, const Words& words, Done done);
  void bind(const TurnPtr& turn, const Words& words, Done done);
  void unbind(const TurnPtr& turn, const Words& words, Done done);
  void bindings(const TurnPtr& turn, const Words& words, Done done);
  // Changes a stored value: reads, writes if nobody was faster, else again.
  using Change = std::function<std::optional<std::string>(const std::optional<std::string>&)>;
  void change(const std::string& kind, const std::string& id, const std::string& project,
              Change change, std::optional<Instant> until, int tries,
              std::function<void(Result<std::string>)> answer);

  // control.cpp
  void control(const TurnPtr& turn, const std::string& envelope, Done done);
  void revoke(const TurnPtr& turn, const std::vector<std::string>& ids, bool terminate,
              std::function<void(std::string)> answer);
  void list_tasks(const TurnPtr& turn, JobState state, std::function<void(std::string)> answer);
  void reply(const std::string& project, const std::string& list, std::string message);

  // desk.cpp
  void one(const TurnPtr& turn, const Words& words, Done done);
  void nothing_there(const TurnPtr& turn, const Words& words, Done done);
  void script(const TurnPtr& turn, const Words& words, Done done);
  void worker(const TurnPtr& turn, const Words& words, Done done);

  void look_up(std::string project, std::string id, bool with_steps,
               std::function<void(Result<Known>)> answer);
  using Place = std::pair<std::string, std::string>;  // project, name
  static Result<Known> look(storage::Reader& reader, const std::string& project,
                            const std::string& id, bool with_steps);
  void write(storage::Batch batch, std::function<void(Result<storage::Outcome>)> answer);
  template <class T>
  void read(std::function<T(storage::Reader&)> work, std::function<void(T)> then);
  Instant now() const { return quell::system_clock().now(); }

  // channels.cpp
  void tell(const std::string& project, const std::string& channel, const std::string& payload);
  void watch(const JobId& job, const std::string& project, const std::string& id);
  void on_event(const NodeEvent& event);
  void tell_end(const JobId& job, bool was_deleted);
  void look_again();
  void found(const Place& place, const std::string& id, const Known& known);

  // task_events.cpp
  void send_event(const std::string& project, const std::string& type, nlohmann::json event);
  void beat();
  void pass_on(const NodeEvent& event);
  void tell_event(const JobId& job, const std::string& type);

  Node& node_;
  Loop& loop_;
  std::size_t message_max_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::optional<std::uint64_t> subscription_;

  struct Watched {
    std::string project, id;
  };
  std::mutex watching_;
  std::unordered_map<JobId, Watched> watched_;

  std::map<Place, std::vector<std::weak_ptr<Listener>>> channels_;
  std::set<Place> told_;  // those that have heard how their task ended
  struct Waiter {
    std::vector<std::string> lists;
    int protocol;
    Done done;
  };
  struct ReplyList {
    std::deque<std::string> messages;
    Instant since;
  };
  struct EventListener {
    std::string project, pattern;
    std::weak_ptr<Listener> listener;
  };
  std::vector<EventListener> event_listeners_;
  std::atomic<bool> hears_events_{false};
  std::int64_t event_clock_ = 0;
  std::map<Place, ReplyList> lists_;
  std::map<std::uint64_t, std::pair<std::string, Waiter>> waiters_;  // the project beside each
  std::uint64_t last_waiter_ = 0;
};

template <class T>
void Desk::read(std::function<T(storage::Reader&)> work, std::function<void(T)> then) {
  node_.read([this, alive = std::weak_ptr<bool>(alive_), work = std::move(work),
              then = std::move(then)](storage::Reader& reader) {
    auto result = std::make_shared<T>(work(reader));
    if (alive.expired()) return;
    loop_.post([alive, result, then] {
      if (!alive.expired()) then(std::move(*result));
    });
  });
}

inline constexpr std::string_view task_key = "celery-task-meta-";
inline constexpr std::string_view group_key = "celery-taskset-meta-";
inline constexpr std::string_view binding_key = "_kombu.binding.";
inline constexpr std::string_view reply_key = ".reply.celery.pidbox";
inline constexpr std::string_view priority_mark = "\x06\x16";  // between a queue and its priority

// A queue's name without the priority that kombu adds to it.
std::string queue_of(std::string_view key);
std::string stored_name(const std::string& project, std::string_view name);
std::string refusal(const Error& error);

}  // namespace quell::http::celery
