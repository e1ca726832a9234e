// For what a test expects to meet no fault of ours.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "actors/fatal.hpp"

namespace quell {

inline std::shared_ptr<FatalHandler> no_fault() {
  return std::make_shared<FatalHandler>(
      [](const FatalFault& fault) { ADD_FAILURE() << sentence_of(fault); });
}

}  // namespace quell
