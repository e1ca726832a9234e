// Effects answer here, from their own threads; the actor may be gone, then there is nobody to tell.
#pragma once

#include <atomic>
#include <utility>

#include "actors/messages.hpp"
#include "actors/send.hpp"

namespace quell {

// What pieces take in memory, also empty ones.
inline std::size_t weight_of(const std::string& piece) {
  return piece.size() + 64;
}

class ActorSink final : public EffectSink {
 public:
  explicit ActorSink(caf::weak_actor_ptr actor) : actor_(std::move(actor)) {}
  void head(std::uint64_t id, HttpReply head) override {
    tell(actor_, EffectHead{id, std::move(head)});
  }
  bool pieces(std::uint64_t id, std::vector<std::string> pieces) override {
    std::size_t weight = 0;
    for (const std::string& piece : pieces) weight += weight_of(piece);
    const bool is_enough = (in_mail_ += weight) > mail_max;
    tell(actor_, EffectPieces{id, std::move(pieces), weight, is_enough});
    return !is_enough;
  }
  void taken(const EffectPieces& some) { in_mail_ -= some.weight; }
  void ended(std::uint64_t id, EffectAnswer answer, EffectNote note) override {
    tell(actor_, EffectEnded{id, std::move(answer), note});
  }

 private:
  static constexpr std::size_t mail_max = std::size_t{64} << 10;
  caf::weak_actor_ptr actor_;
  std::atomic<std::size_t> in_mail_{0};  // told and not yet taken
};

}  // namespace quell
