#include "actors/world.hpp"

#include "actors/effects/child_process.hpp"
#include "actors/effects/http_client.hpp"
#include "actors/effects/io_thread.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/effects/offload_pool.hpp"

namespace quell {

namespace {
constexpr int offload_threads = 16;
}  // namespace

struct World::Sockets {
  IoThread io;
};

Result<std::unique_ptr<World>> World::open(const NodeSettings& settings, Keeper* keeper,
                                           const Lease& lease, Figures& figures,
                                           SecretSource secrets) {
  HttpClientSettings http;
  http.may_connect = [&lease] { return lease.holds(); };
  for (const std::string& text : settings.outbound_allow) {
    auto block = Cidr::parse(text);
    if (!block) return block.error();
    http.allow.push_back(*block);
  }
  std::unique_ptr<World> world(new World);
  world->sockets_ = std::make_unique<Sockets>();
  auto& io = world->sockets_->io.context();
  world->http_ = std::make_unique<HttpClient>(io, std::move(http));
  if (keeper != nullptr) world->programs_ = std::make_unique<ChildProcesses>(io, *keeper);
  world->offload_ = std::make_unique<OffloadPool>(offload_threads);
  world->effects_ = std::make_unique<LocalEffects>(
      world->timers_, *world->http_, world->programs_.get(), *world->offload_, std::move(secrets));
  world->leased_ = std::make_unique<LeasedEffects>(*world->effects_, lease, figures);
  return world;
}

void World::stop() {
  http_->stop();
  if (programs_) programs_->shutdown();
}

// The sockets' thread ends last but for the timers: what it still runs belongs to the clients above
// it.
World::~World() {
  stop();
  offload_.reset();
  leased_.reset();
  effects_.reset();
  programs_.reset();
  http_.reset();
  sockets_.reset();
}

}  // namespace quell
