// Named secrets of jobs, opened in memory and nowhere else. A secret is bound to hosts and to a
// project: whoever may submit a job must not be able to send somebody's key to a server of their
// own.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "actors/effects/outbound_url.hpp"
#include "actors/node/node.hpp"
#include "runtime/signing/secret_box.hpp"

namespace quell {

class SecretRegistry {
 public:
  explicit SecretRegistry(SecretBox box) : box_(box) {}

  const SecretBox& box() const { return box_; }
  Result<void> load(storage::Reader& reader);  // replaces what was known
  // The sealed document to store; the registry knows the secret only when `put` has been told that
  // it is stored.
  storage::DocOp sealed(const SecretSetting& secret) const;
  void put(SecretSetting secret);
  void remove(const std::string& project, const std::string& name);
  static storage::DocOp removal(const std::string& project, const std::string& name);

  std::vector<SecretView> list() const;
  Result<std::string> find(const std::string& name, const std::string& project,
                           const OutboundUrl& url) const;

 private:
  static std::string id_of(const std::string& project, const std::string& name) {
    return project + "/" + name;
  }

  SecretBox box_;
  mutable std::mutex mutex_;
  std::map<std::string, SecretSetting> secrets_;  // by project/name
};

}  // namespace quell
