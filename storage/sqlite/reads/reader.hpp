// Reads on a connection of their own: a snapshot per call, never waiting for the writer.
#pragma once

#include <memory>
#include <string>

#include "storage/reader.hpp"

namespace quell::storage::sqlite {

std::unique_ptr<Reader> make_reader(const std::string& path);

}  // namespace quell::storage::sqlite
