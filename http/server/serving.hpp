// A node with its API server: everything that `quell serve` runs, startable from anywhere.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/node/node.hpp"
#include "http/api/api_server.hpp"
#include "http/server/server.hpp"
#include "runtime/settings/settings.hpp"

namespace quell::http {

// What a node tells its process; see NodeSettings. Each may be empty.
struct NodeHooks {
  decltype(NodeSettings::log) log = {};
  std::function<void()> leave = {};
  std::function<void()> end = {};
  decltype(NodeSettings::on_fatal) on_fatal = {};
  bool take_work = true;
};

class Serving {
 public:
  // Binds, opens the store, recovers, serves.
  static Result<std::unique_ptr<Serving>> start(const Settings& settings, Registry registry,
                                                std::shared_ptr<Keeper> keeper, NodeHooks hooks);
  ~Serving();
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  std::string url() const;
  std::uint16_t port() const { return server_->port(); }
  // Of the first administrator, when this start made it.
  const std::optional<std::string>& new_admin_token() const { return admin_token_; }
  Node& node() { return *node_; }
  Auth& auth() { return api_->auth(); }
  Result<void> reload_certificate() { return server_->reload_certificate(); }
  // Ends requests, then runs. False: a run did not end, so the process must not be left politely.
  bool stop(Millis deadline);

 private:
  Serving() = default;

  // In this order: what is below may still answer into what is above while it ends.
  std::unique_ptr<Server> server_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<Node> node_;
  std::optional<std::string> admin_token_;
  std::string listen_, data_dir_;
  bool tls_ = false, stopped_ = false;
};

NodeSettings node_settings(const SettingValues& values, NodeHooks hooks = {});

}  // namespace quell::http
