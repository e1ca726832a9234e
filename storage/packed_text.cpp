#include "storage/packed_text.hpp"

#include <zstd.h>

#include "runtime/base/assert.hpp"
#include "runtime/base/bounded_json.hpp"
#include "storage/fault.hpp"

namespace quell::storage {

namespace {

constexpr std::size_t long_text = 16 << 10;
// Where every frame begins. No JSON and no UTF-8 text has these bytes.
constexpr std::string_view frame_begins{"\x28\xb5\x2f\xfd", 4};

}  // namespace

Packer::Packer() : zstd_(ZSTD_createCCtx()) {}

void Packer::Free::operator()(ZSTD_CCtx_s* zstd) const {
  ZSTD_freeCCtx(zstd);
}

std::string Packer::pack(std::string_view text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compressCCtx(zstd_.get(), packed.data(), packed.size(), text.data(), text.size(), 1);
  QUELL_ASSERT(!ZSTD_isError(size));
  packed.resize(size);
  return packed;
}

std::string packed_if_long(const std::string& text) {
  return text.size() < long_text ? text : Packer().pack(text);
}

std::string unpacked(std::string stored) {
  if (!stored.starts_with(frame_begins)) return stored;
  const auto size = ZSTD_getFrameContentSize(stored.data(), stored.size());
  const auto damaged = [] {
    return Fault(Error{ErrorCode::store_corrupt, "a packed text cannot be read"}, false);
  };
  // The frame says its size itself; none of ours is larger (and the two signs for "unknown" are).
  if (size > own_json_bytes_limit) throw damaged();
  std::string text(size, '\0');
  if (ZSTD_decompress(text.data(), text.size(), stored.data(), stored.size()) != size)
    throw damaged();
  return text;
}

}  // namespace quell::storage
