// The real world of a job: timers, HTTP, programs, blocking work. Each effect owns what it needs
// and answers by id.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/runs/effect_runner.hpp"
#include "actors/timers.hpp"
#include "runtime/base/result.hpp"
#include "runtime/settings/settings.hpp"

namespace quell {

class ChildProcesses;
class HttpClient;
class OffloadPool;
struct OutboundUrl;

// The secret's value, if `project` may send it there.
using SecretSource = std::function<Result<std::string>(
    const std::string& name, const std::string& project, const OutboundUrl& url)>;

class LocalEffects final : public EffectRunner {
 public:
  // `programs` is null where exec is off: a program that is asked for then is refused.
  LocalEffects(const SettingValues& settings, Timers& timers, HttpClient& http,
               ChildProcesses* programs, OffloadPool& offload, SecretSource secrets);
  std::unique_ptr<RunningEffect> start(std::shared_ptr<EffectSink> sink, std::uint64_t id,
                                       EffectRequest request, const EffectOrigin& origin) override;

 private:
  const SettingValues& settings_;
  Timers& timers_;
  HttpClient& http_;
  ChildProcesses* programs_;
  OffloadPool& offload_;
  SecretSource secrets_;
};

}  // namespace quell
