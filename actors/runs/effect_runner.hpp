// What starts the outside acts of a job and ends them on demand. An effect owns everything it
// touches and answers by id; nothing out here points into a job's frame. A fake of this is how the
// tests make the world slow, late or dead.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/id.hpp"
#include "runtime/task/effects.hpp"

namespace quell {

struct EffectOrigin {
  JobId job;
  int epoch = 0;
  std::string project;
};

// What is known of an effect when it has ended.
struct EffectNote {
  bool aborted = false;        // by us, before it ended by itself
  bool reaped = false;         // it was a process tree, and nothing of it is left
  std::uint64_t bytes_in = 0;  // received until then
};

// Where an effect answers; called from any thread. `ended` comes exactly once, last, when the
// socket is closed, the process tree reaped, the timer gone: only then may the job be called down.
class EffectSink {
 public:
  virtual ~EffectSink() = default;
  virtual void head(std::uint64_t id, HttpReply head) = 0;
  // Some of a stream, in order. False: that is enough, and the effect sends no more until it is
  // told `pause(false)`; one that cannot wait is paused later, by who reads.
  virtual bool pieces(std::uint64_t id, std::vector<std::string> pieces) = 0;
  virtual void ended(std::uint64_t id, EffectAnswer answer, EffectNote note) = 0;
};

enum class AbortHow : std::uint8_t {
  at_once,  // delete: no grace
  gently    // cancel, timeout, drain: a program gets SIGTERM and 500 ms
};

class RunningEffect {
 public:
  virtual ~RunningEffect() =
      default;  // says nothing to the effect: it ends when it has answered `ended`
  virtual void abort(AbortHow how) = 0;
  virtual void pause(bool /*paused*/) {}  // backpressure of a stream
};

class EffectRunner {
 public:
  virtual ~EffectRunner() = default;
  virtual std::unique_ptr<RunningEffect> start(std::shared_ptr<EffectSink> sink, std::uint64_t id,
                                               EffectRequest request,
                                               const EffectOrigin& origin) = 0;
};

}  // namespace quell
