#include "runtime/celery/attempts.hpp"

#include "runtime/base/base64.hpp"
#include "runtime/base/digest.hpp"

namespace quell::celery {

void Attempts::set_door(std::string address) {
  const std::lock_guard lock(mutex_);
  door_ = std::move(address);
}

std::string Attempts::door() const {
  const std::lock_guard lock(mutex_);
  return door_;
}

std::string Attempts::open(Attempt attempt) {
  Digest chance{};
  fill_random(chance);
  std::string token = "attempt-" + base64url(chance);
  const std::lock_guard lock(mutex_);
  open_.emplace(token, std::move(attempt));
  return token;
}

void Attempts::close(const std::string& token) {
  const std::lock_guard lock(mutex_);
  open_.erase(token);
}

std::optional<Attempt> Attempts::find(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(token);
  return found == open_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace quell::celery
