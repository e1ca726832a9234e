#include "actors/effects/effect_host.hpp"

#include <utility>

#include "actors/effects/child_process.hpp"
#include "actors/effects/http_client.hpp"
#include "actors/effects/io_thread.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/effects/offload_pool.hpp"
#include "actors/effects/own_addresses.hpp"

namespace quell {

struct EffectHost::Sockets {
  explicit Sockets(std::shared_ptr<FatalHandler> fatal) : io(std::move(fatal)) {}
  IoThread io;
};

EffectHost::EffectHost(std::shared_ptr<FatalHandler> fatal) : timers_(std::move(fatal)) {}

Result<std::unique_ptr<EffectHost>> EffectHost::open(const NodeSettings& settings, Keeper* keeper,
                                                     std::function<void()> keeper_died,
                                                     std::shared_ptr<FatalHandler> fatal,
                                                     const Lease& lease, Metrics& metrics,
                                                     SecretSource secrets) {
  HttpClientSettings http;
  http.own = own_public_addresses();
  http.may_connect = [&lease] { return lease.holds(); };
  for (const std::string& text : settings.outbound_allow) {
    auto block = Cidr::parse(text);
    if (!block) return block.error();
    http.allow.push_back(*block);
  }
  std::unique_ptr<EffectHost> effect_host(new EffectHost(fatal));
  effect_host->sockets_ = std::make_unique<Sockets>(fatal);
  auto& io = effect_host->sockets_->io.context();
  effect_host->http_ = std::make_unique<HttpClient>(io, std::move(http));
  if (keeper != nullptr)
    effect_host->programs_ = std::make_unique<ChildProcesses>(
        io, *keeper, std::move(keeper_died), [log = settings.log](const std::string& line) {
          if (log) log(LogLevel::warning, "the app of the tasks: " + line, "");
        });
  effect_host->offload_ = std::make_unique<OffloadPool>(settings.offload_threads, std::move(fatal));
  effect_host->effects_ = std::make_unique<LocalEffects>(
      settings, effect_host->timers_, *effect_host->http_, effect_host->programs_.get(),
      *effect_host->offload_, std::move(secrets));
  effect_host->leased_ = std::make_unique<LeasedEffects>(*effect_host->effects_, lease, metrics);
  return effect_host;
}

void EffectHost::reload_tasks() {
  if (programs_) programs_->reload_fork_server();
}

void EffectHost::stop() {
  http_->stop();
  if (programs_) programs_->shutdown();
}

// The sockets' thread ends last but for the timers: what it still runs belongs to the clients above
// it.
EffectHost::~EffectHost() {
  stop();
  offload_.reset();
  leased_.reset();
  effects_.reset();
  programs_.reset();
  http_.reset();
  sockets_.reset();
}

}  // namespace quell
