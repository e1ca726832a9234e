// Where the sources and the built programs lie, for tests that read the one or start the other.
// Known to one translation unit only: all the rest compiles the same in every checkout, and a
// compiler cache can share it.
#pragma once

#include <string>

namespace quell::places {

const std::string& sources();   // the root of the tree
const std::string& programs();  // the folder of the built programs

}  // namespace quell::places
