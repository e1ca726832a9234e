// The one fate of our own faults. What keeps a node going (control actors, threads, loops) may not
// end or miss a message in silence: a throw that nobody catches there is the end of the node, said
// once, by name, with the message it was at. What is durable is safe, and the next start recovers.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "actors/node/fatal_fault.hpp"
#include "runtime/base/failpoint.hpp"

namespace quell {

enum class ControlPlace : std::uint8_t {
#define QUELL_CONTROL(name, who) name,
#include "runtime/spec/failpoints.def"
#undef QUELL_CONTROL
};
const char* name_of(ControlPlace place);
Failpoint failpoint_of(ControlPlace place);

// "a fault of quell's own has ended this node: clerk, at WriteOps: out of memory"
std::string sentence_of(const FatalFault& fault);

// From any thread.
class FatalHandler {
 public:
  using Act = std::function<void(const FatalFault&)>;

  // `act` hears of the first fault only: what falls after it fell because of it.
  explicit FatalHandler(Act act) : act_(std::move(act)) {}
  FatalHandler(const FatalHandler&) = delete;
  FatalHandler& operator=(const FatalHandler&) = delete;

  void fell(std::string place, std::string at, std::string what);
  void threw(std::string place, std::string at, const std::exception_ptr& thrown);
  std::optional<FatalFault> first() const;

 private:
  const Act act_;
  mutable std::mutex mutex_;
  std::optional<FatalFault> first_;
};

// Does one thing on a thread that goes on with the next.
template <class Work>
void guarded(FatalHandler& fatal, ControlPlace place, Work&& work) {
  try {
    static_cast<void>(fails_here(failpoint_of(place)));
    std::forward<Work>(work)();
  } catch (...) {
    fatal.threw(name_of(place), {}, std::current_exception());
  }
}

}  // namespace quell
