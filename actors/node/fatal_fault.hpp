// What fell: a part of a node, by a throw that nobody caught, or without a word.
#pragma once

#include <string>

namespace quell {

struct FatalFault {
  std::string place;  // clerk, reader, timers, …: see runtime/spec/failpoints.def
  std::string at;     // the message that it was at, or ""
  std::string what;
};

}  // namespace quell
