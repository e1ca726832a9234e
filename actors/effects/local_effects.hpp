// The real world of a job: timers, HTTP, programs, blocking work. Each effect owns what it needs
// and answers by id.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/effect_runner.hpp"
#include "actors/timers.hpp"
#include "runtime/result.hpp"

namespace quell {

class ChildProcesses;
class HttpClient;
class OffloadPool;

// The secret's value, if `project` may send it to `host`.
using SecretSource = std::function<Result<std::string>(
    const std::string& name, const std::string& project, const std::string& host)>;

class LocalEffects final : public EffectRunner {
 public:
  // `programs` may be null: `exec` is refused then.
  LocalEffects(Timers& timers, HttpClient& http, ChildProcesses* programs, OffloadPool& offload,
               SecretSource secrets);
  std::unique_ptr<RunningEffect> start(std::shared_ptr<EffectSink> sink, std::uint64_t id,
                                       EffectRequest request, const EffectOrigin& origin) override;

 private:
  Timers& timers_;
  HttpClient& http_;
  ChildProcesses* programs_;
  OffloadPool& offload_;
  SecretSource secrets_;
};

}  // namespace quell
