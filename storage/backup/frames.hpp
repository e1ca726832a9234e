// The outer form of a backup file: eight bytes of magic, then frames.
//   type (1 byte) · bytes of the payload (4) · bytes unpacked (4), numbers little-endian
//   payload · SHA-256 over the digest of the frame before, those nine bytes and the payload
// So a digest stands for all that was before it, and the last one for the whole file. A byte that
// was changed, a frame that is missing, swapped or cut is found where it is.
// docs/reference/backup-format.md describes it for whoever has no quell.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/digest.hpp"
#include "runtime/base/result.hpp"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace quell::storage {

enum class FrameType : char { header = 'H', rows = 'R', trailer = 'T' };

inline constexpr std::string_view backup_magic{"QUELLBK1", 8};
inline constexpr std::size_t frame_bytes_max = 512 << 20;  // a row is whole in one

// Where a file has been read to, all that is needed to go on there.
struct FramePlace {
  std::uint64_t offset = backup_magic.size(), frame = 0;
  Digest digest{};
};

class FrameWriter {
 public:
  using Put = std::function<Result<void>(std::string_view bytes)>;
  explicit FrameWriter(Put put);
  Result<void> begin() { return put_(backup_magic); }
  Result<void> frame(FrameType type, std::string_view text);  // rows are packed
  const FramePlace& place() const { return place_; }

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* zstd) const;
  };
  Put put_;
  FramePlace place_;
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;
  std::string packed_;
};

struct Frame {
  FrameType type = FrameType::header;
  std::string text;  // unpacked
};

class FrameReader {
 public:
  ~FrameReader();
  FrameReader(FrameReader&& other) noexcept;
  FrameReader& operator=(FrameReader&&) = delete;
  // Checks the magic.
  static Result<FrameReader> open(const std::string& path);
  // False at the end of the file, which is an end only behind a trailer: the caller knows.
  Result<bool> next(Frame& frame);
  const FramePlace& place() const { return place_; }
  Result<void> go_to(const FramePlace& place);
  std::uint64_t file_bytes() const { return bytes_; }

 private:
  FrameReader(int file, std::uint64_t bytes);
  Result<bool> take(void* into, std::size_t bytes);  // false: nothing was there
  Error damaged(const char* what) const;
  struct Free {
    void operator()(ZSTD_DCtx_s* zstd) const;
  };
  int file_ = -1;
  std::uint64_t bytes_ = 0;
  FramePlace place_;
  std::unique_ptr<ZSTD_DCtx_s, Free> zstd_;
  std::string payload_;
};

}  // namespace quell::storage
