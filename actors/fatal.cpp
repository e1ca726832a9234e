#include "actors/fatal.hpp"

#include <array>

namespace quell {

namespace {

constexpr std::array control_names{
#define QUELL_CONTROL(name, who) #name,
#include "runtime/spec/failpoints.def"
#undef QUELL_CONTROL
};

constexpr std::array control_points{
#define QUELL_CONTROL(name, who) Failpoint::control_##name,
#include "runtime/spec/failpoints.def"
#undef QUELL_CONTROL
};

std::string words_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& fault) {
    return fault.what();
  } catch (...) {
    return "something that is no exception was thrown";
  }
}

}  // namespace

const char* name_of(ControlPlace place) {
  return control_names.at(static_cast<std::size_t>(place));
}

Failpoint failpoint_of(ControlPlace place) {
  return control_points.at(static_cast<std::size_t>(place));
}

std::string sentence_of(const FatalFault& fault) {
  std::string text = "a fault of quell's own has ended this node: " + fault.place;
  if (!fault.at.empty()) text += ", at " + fault.at;
  return text + ": " + fault.what;
}

void FatalHandler::fell(std::string place, std::string at, std::string what) {
  FatalFault fault{std::move(place), std::move(at), std::move(what)};
  {
    const std::lock_guard lock(mutex_);
    if (first_) return;
    first_ = fault;
  }
  act_(fault);
}

void FatalHandler::threw(std::string place, std::string at, const std::exception_ptr& thrown) {
  fell(std::move(place), std::move(at), words_of(thrown));
}

std::optional<FatalFault> FatalHandler::first() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

}  // namespace quell
