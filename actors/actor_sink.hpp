// Effects answer here, from their own threads; the actor may be gone, then there is nobody to tell.
#pragma once

#include <utility>

#include "actors/messages.hpp"
#include "actors/send.hpp"

namespace quell {

class ActorSink final : public EffectSink {
 public:
  explicit ActorSink(caf::weak_actor_ptr actor) : actor_(std::move(actor)) {}
  void head(std::uint64_t id, HttpReply head) override {
    tell(actor_, EffectHead{id, std::move(head)});
  }
  void piece(std::uint64_t id, std::string piece) override {
    tell(actor_, EffectPiece{id, std::move(piece)});
  }
  void ended(std::uint64_t id, EffectAnswer answer, EffectNote note) override {
    tell(actor_, EffectEnded{id, std::move(answer), note});
  }

 private:
  caf::weak_actor_ptr actor_;
};

}  // namespace quell
