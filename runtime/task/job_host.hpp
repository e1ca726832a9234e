// What stands behind a JobContext: the job's actor in the product, a scripted host in tests.
// Everything here happens on the job's own actor, one call at a time, so nothing is locked.
#pragma once

#include <coroutine>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/id.hpp"
#include "runtime/task/effects.hpp"

namespace quell {

class Registry;
struct SettingValues;

// One effect in flight. The host's table and the awaiting frame share it; the outside never sees
// it, it answers by id.
struct EffectSlot {
  std::uint64_t id = 0;
  bool has_head = false;
  HttpReply head;                      // of a stream: status and headers, no body
  std::deque<std::string> pieces;      // of a stream, not yet read
  std::optional<EffectAnswer> answer;  // ended
  std::coroutine_handle<> waiter;  // null when nobody waits; cleared by the awaiter's destructor
};

class JobHost {
 public:
  virtual ~JobHost() = default;

  virtual JobId job_id() const = 0;
  virtual int attempt() const = 0;
  virtual const std::string& args_text() const = 0;  // JSON object, "" means {}
  virtual const std::string& project() const = 0;
  virtual bool has_steps() const = 0;                     // earlier attempts remembered results
  virtual std::string step_prefix() const { return {}; }  // before each step's name, in the store
  virtual const Registry& registry() const = 0;           // for kinds that run others
  virtual const SettingValues& settings() const = 0;      // of the node that runs it

  // Starts an effect; on a closed gate the slot comes back ended, with a failure.
  virtual std::shared_ptr<EffectSlot> begin(EffectRequest request) = 0;
  // The frame no longer wants it: abort, if it has not ended.
  virtual void let_go(EffectSlot& slot) = 0;
  // A piece was taken: the sender may go on (backpressure).
  virtual void consumed(EffectSlot& slot) = 0;

  virtual void progress(double fraction, std::string phase) = 0;
  virtual void partial(std::string json) = 0;
  virtual void log(std::string level, std::string text) = 0;
  virtual void usage(std::string json) = 0;     // replaces what was said before
  virtual const std::string& used() const = 0;  // what was said before, "" at first
};

}  // namespace quell
