#include "actors/writes/hint_listener.hpp"

#include <utility>

#include "actors/fatal.hpp"
#include "storage/news.hpp"

namespace quell {

namespace {
constexpr Millis at_most{250};  // also the longest wait for its end
}  // namespace

HintListener::HintListener(std::unique_ptr<storage::Hints> hints, Hear hear,
                           std::shared_ptr<FatalHandler> fatal)
    : hints_(std::move(hints)), hear_(std::move(hear)), fatal_(std::move(fatal)) {
  if (hints_) thread_ = std::thread([this] { listen(); });
}

HintListener::~HintListener() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void HintListener::listen() {
  while (!stopping_) guarded(*fatal_, ControlPlace::hints, [this] { listen_once(); });
}

void HintListener::listen_once() {
  auto heard = hints_->wait(at_most);
  if (!heard) {
    was_away_ = true;
    std::this_thread::sleep_for(at_most);  // the store is away; the looks go on without us
    return;
  }
  if (std::exchange(was_away_, false))
    heard->insert(heard->begin(), std::string(storage::news_lost_hint));
  if (!heard->empty() && !stopping_) hear_(std::move(heard).value());
}

}  // namespace quell
