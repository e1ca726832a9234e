// The numbers of codes.hpp, at hand in this folder.
#pragma once

#include "storage/codes.hpp"

namespace quell::storage::sqlite {
using namespace codes;
}
