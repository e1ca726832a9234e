// A key that others can read is no key, and a key that is made twice loses what the first one
// sealed: files of keys are created once, whole, for their owner alone.
#pragma once

#include <functional>
#include <string>

#include "runtime/base/result.hpp"

namespace quell {

// The file's content. A missing file is created with what `make` returns; of two that create at
// once, one wins and both read the same. Refuses a file that group or others may read or write.
Result<std::string> load_or_create_key_file(const std::string& path,
                                            const std::function<std::string()>& make);

}  // namespace quell
