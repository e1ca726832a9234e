// Long texts as they are stored: one zstd frame. A database squeezes what it is given by slower
// means, and sends and logs all of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct ZSTD_CCtx_s;

namespace quell::storage {

class Packer {
 public:
  Packer();
  std::string pack(std::string_view text);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* zstd) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;  // made once: making it costs more than a small text
};

// A short text stays as it is, for whoever looks at the table; `unpacked` takes either. It throws a
// Fault when a frame is damaged.
std::string packed_if_long(const std::string& text);
std::string unpacked(std::string stored);

}  // namespace quell::storage
