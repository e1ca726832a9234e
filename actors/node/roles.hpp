// What exactly one node of a fleet does: written by the Registrar, asked by whoever has such a
// duty, each time it is about to do it.
//   if (context->roles->leads(Role::sealer)) …
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "actors/fleet/lease.hpp"

namespace quell {

enum class Role : std::uint8_t { janitor, timekeeper, sealer };
inline constexpr std::array<std::string_view, 3> role_names{"janitor", "timekeeper", "sealer"};

class Roles {
 public:
  // `alone`: no other node can be there, so every duty is ours.
  Roles(const Lease& lease, bool alone) : lease_(lease) {
    for (auto& one : mine_) one.store(alone, std::memory_order_relaxed);
  }
  bool leads(Role role) const {
    return mine_[static_cast<std::size_t>(role)].load(std::memory_order_acquire) && lease_.holds();
  }
  void set(std::size_t role, bool mine) { mine_[role].store(mine, std::memory_order_release); }

 private:
  const Lease& lease_;
  std::array<std::atomic<bool>, role_names.size()> mine_;
};

}  // namespace quell
