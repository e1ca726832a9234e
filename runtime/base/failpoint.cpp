#include "runtime/base/failpoint.hpp"

#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <stdexcept>
#include <string>

#include "runtime/base/nearest_name.hpp"

namespace quell {

namespace {

enum class Strike : std::uint8_t { none, crash, error, fling, delay };

struct Plan {
  Strike strike = Strike::none;
  unsigned on_visit = 0;  // 0: every one
  int delay_ms = 100;
  std::atomic<unsigned> visits{0};
};

constexpr int points_each[] = {
#define QUELL_DURABLE_ACT(name, sentence) 3,
#define QUELL_FAILPOINT(name, wire, can_fail, meaning) 1,
#define QUELL_CONTROL(name, who) 1,
#include "runtime/spec/failpoints.def"
#undef QUELL_DURABLE_ACT
#undef QUELL_FAILPOINT
#undef QUELL_CONTROL
};
constexpr std::size_t count = [] {
  std::size_t sum = 0;
  for (const int points : points_each) sum += static_cast<std::size_t>(points);
  return sum;
}();

std::array<Plan, count> plans;

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc{} && end == text.data() + text.size() && number > 0;
}

Error wrong(std::string_view part, const std::string& why) {
  return {ErrorCode::usage, "QUELL_FAILPOINTS: '" + std::string(part) + "' " + why};
}

Result<Failpoint> point_named(std::string_view part, std::string_view name) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(failpoint_infos()[i].name);
    if (names.back() == name) return static_cast<Failpoint>(i);
  }
  return wrong(part, "names no failpoint" + did_you_mean(name, names));
}

struct Order {
  Strike strike = Strike::none;
  unsigned on_visit = 0;
  int delay_ms = 100;
};

Result<Order> order_of(std::string_view part, std::string_view action) {
  Order order;
  if (const auto at = action.find('@'); at != std::string_view::npos) {
    if (!read_whole(action.substr(at + 1), order.on_visit))
      return wrong(part, "needs the number of a visit behind @");
    action = action.substr(0, at);
  }
  if (action == "crash") {
    order.strike = Strike::crash;
  } else if (action == "error") {
    order.strike = Strike::error;
  } else if (action == "throw") {
    order.strike = Strike::fling;
  } else if (action == "delay") {
    order.strike = Strike::delay;
  } else if (action.starts_with("delay:") && read_whole(action.substr(6), order.delay_ms)) {
    order.strike = Strike::delay;
  } else {
    return wrong(part, "needs crash, error, throw, delay or delay:MILLISECONDS behind =");
  }
  return order;
}

Result<void> arm_one(std::string_view part) {
  const auto equals = part.find('=');
  if (equals == std::string_view::npos) return wrong(part, "needs the form NAME=ACTION");
  const auto point = point_named(part, part.substr(0, equals));
  if (!point) return point.error();
  const auto order = order_of(part, part.substr(equals + 1));
  if (!order) return order.error();
  const auto index = static_cast<std::size_t>(point.value());
  const FailpointInfo& place = failpoint_infos()[index];
  if (order->strike == Strike::error && !place.can_fail)
    return wrong(part, std::string("cannot fail there: ") +
                           (place.can_throw ? "throw, crash or delay" : "crash or delay") + " it");
  if (order->strike == Strike::fling && !place.can_throw)
    return wrong(part, "catches no throw there: only the control.… points do");
  plans[index].strike = order->strike;
  plans[index].on_visit = order->on_visit;
  plans[index].delay_ms = order->delay_ms;
  return {};
}

// The last words of a process that may be about to die: one write, no buffer.
void say(std::string_view name, std::string_view deed) {
  const std::string line = "failpoint " + std::string(name) + " " + std::string(deed) + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void wait(int milliseconds) {
  timespec left{milliseconds / 1'000, (milliseconds % 1'000) * 1'000'000L};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace

std::atomic<bool> failpoints::armed{false};

const std::vector<FailpointInfo>& failpoint_infos() {
  static const std::vector<FailpointInfo> infos{
#define QUELL_DURABLE_ACT(name, sentence) {#name ".before"}, {#name ".within"}, {#name ".after"},
#define QUELL_FAILPOINT(name, wire, can_fail, meaning) {wire, can_fail},
#define QUELL_CONTROL(name, who) {"control." #name, false, true},
#include "runtime/spec/failpoints.def"
#undef QUELL_DURABLE_ACT
#undef QUELL_FAILPOINT
#undef QUELL_CONTROL
  };
  return infos;
}

Result<void> arm_failpoints(std::string_view text) {
  failpoints::armed = false;
  for (Plan& plan : plans) {
    plan.strike = Strike::none;
    plan.visits = 0;
  }
  const bool any = !text.empty();
#ifdef QUELL_NO_FAILPOINTS
  if (any) return Error{ErrorCode::usage, "this build has no failpoints: QUELL_FAILPOINTS"};
#endif
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (auto done = arm_one(text.substr(0, comma)); !done) return done;
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  failpoints::armed = any;
  return {};
}

bool failpoints::visit(Failpoint point) {
  const auto index = static_cast<std::size_t>(point);
  Plan& plan = plans[index];
  if (plan.strike == Strike::none) return false;
  const unsigned number = ++plan.visits;
  if (plan.on_visit != 0 && plan.on_visit != number) return false;
  const std::string_view name = failpoint_infos()[index].name;
  switch (plan.strike) {
    case Strike::crash:
      say(name, "crash");
      // As a machine dies: no destructor, no flush, no farewell to anyone.
      ::kill(::getpid(), SIGKILL);
      for (;;) ::pause();
    case Strike::error:
      say(name, "error");
      return true;
    case Strike::fling:
      say(name, "throw");
      throw std::runtime_error("failpoint " + std::string(name));
    case Strike::delay:
      say(name, "delay");
      wait(plan.delay_ms);
      return false;
    case Strike::none:
      break;
  }
  return false;
}

}  // namespace quell
