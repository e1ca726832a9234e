#include "tests/places.hpp"

namespace quell::places {

const std::string& sources() {
  static const std::string path = QUELL_SOURCE_DIR;
  return path;
}

const std::string& programs() {
  static const std::string path = QUELL_BIN_DIR;
  return path;
}

}  // namespace quell::places
