#include "storage/backup/frames.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace quell::storage {

namespace {

constexpr std::size_t head_bytes = 9;
constexpr int pack_level = 3;

void put_u32(std::string& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

std::size_t get_u32(std::string_view from) {
  std::size_t value = 0;
  for (int at = 3; at >= 0; --at) value = value << 8 | static_cast<std::uint8_t>(from[at]);
  return value;
}

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest digest_of(const Digest& before, std::string_view head, std::string_view payload) {
  std::string all;
  all.reserve(before.size() + head.size() + payload.size());
  all.append(bytes_of(before)).append(head).append(payload);
  return sha256(all);
}

}  // namespace

FrameWriter::FrameWriter(Put put) : put_(std::move(put)), zstd_(ZSTD_createCCtx()) {}

void FrameWriter::Free::operator()(ZSTD_CCtx_s* zstd) const {
  ZSTD_freeCCtx(zstd);
}

Result<void> FrameWriter::frame(FrameType type, std::string_view text) {
  if (text.size() > frame_bytes_max)
    return Error{ErrorCode::body_too_large, "a row is larger than a backup can hold"};
  std::string_view payload = text;
  if (type == FrameType::rows) {
    packed_.resize(ZSTD_compressBound(text.size()));
    const std::size_t size = ZSTD_compressCCtx(zstd_.get(), packed_.data(), packed_.size(),
                                               text.data(), text.size(), pack_level);
    QUELL_ASSERT(!ZSTD_isError(size));
    payload = std::string_view(packed_).substr(0, size);
  }
  std::string head(1, static_cast<char>(type));
  put_u32(head, payload.size());
  put_u32(head, text.size());
  place_.digest = digest_of(place_.digest, head, payload);
  place_.offset += head.size() + payload.size() + place_.digest.size();
  ++place_.frame;
  if (auto put = put_(head); !put) return put;
  if (auto put = put_(payload); !put) return put;
  return put_(bytes_of(place_.digest));
}

FrameReader::FrameReader(int file, std::uint64_t bytes)
    : file_(file), bytes_(bytes), zstd_(ZSTD_createDCtx()) {}

FrameReader::FrameReader(FrameReader&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      bytes_(other.bytes_),
      place_(other.place_),
      zstd_(std::move(other.zstd_)),
      payload_(std::move(other.payload_)) {}

FrameReader::~FrameReader() {
  if (file_ >= 0) ::close(file_);
}

void FrameReader::Free::operator()(ZSTD_DCtx_s* zstd) const {
  ZSTD_freeDCtx(zstd);
}

Result<FrameReader> FrameReader::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return Error{ErrorCode::store_unavailable, fmt::format("{}: {}", path, std::strerror(errno))};
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file);
    return Error{ErrorCode::store_unavailable, path + " is no file"};
  }
  FrameReader reader(file, static_cast<std::uint64_t>(status.st_size));
  std::string magic(backup_magic.size(), '\0');
  const auto taken = reader.take(magic.data(), magic.size());
  if (!taken) return taken.error();
  if (magic != backup_magic)
    return Error{ErrorCode::store_corrupt, path + " is no backup of this format"};
  return reader;
}

Result<void> FrameReader::go_to(const FramePlace& place) {
  if (::lseek(file_, static_cast<off_t>(place.offset), SEEK_SET) < 0)
    return Error{ErrorCode::store_unavailable, "the file cannot be read from its middle"};
  place_ = place;
  return {};
}

Result<bool> FrameReader::take(void* into, std::size_t bytes) {
  auto* at = static_cast<char*>(into);
  std::size_t left = bytes;
  while (left > 0) {
    const ssize_t got = ::read(file_, at, left);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Error{ErrorCode::store_unavailable,
                   fmt::format("the backup cannot be read: {}", std::strerror(errno))};
    if (got == 0 && left == bytes) return false;
    if (got == 0) return damaged("is cut off");
    at += got;
    left -= static_cast<std::size_t>(got);
  }
  return true;
}

Error FrameReader::damaged(const char* what) const {
  return {ErrorCode::store_corrupt,
          fmt::format("frame {} at byte {} of the backup {}", place_.frame, place_.offset, what)};
}

Result<bool> FrameReader::next(Frame& frame) {
  std::string head(head_bytes, '\0');
  auto got = take(head.data(), head.size());
  if (!got || !*got) return got;
  const std::size_t size = get_u32(std::string_view(head).substr(1));
  const std::size_t unpacked = get_u32(std::string_view(head).substr(5));
  const std::uint64_t left = bytes_ - std::min(bytes_, place_.offset + head_bytes);
  if (size > frame_bytes_max || unpacked > frame_bytes_max || size > left)
    return damaged("has a size that cannot be, or is cut off");
  payload_.resize(size);
  Digest digest{};
  if (size > 0) {
    got = take(payload_.data(), size);
    if (!got) return got;
    if (!*got) return damaged("is cut off");
  }
  got = take(digest.data(), digest.size());
  if (!got) return got;
  if (!*got) return damaged("is cut off");
  if (digest != digest_of(place_.digest, head, payload_))
    return damaged("does not match its checksum");
  frame.type = static_cast<FrameType>(head[0]);
  if (frame.type == FrameType::rows) {
    frame.text.resize(unpacked);
    if (ZSTD_decompressDCtx(zstd_.get(), frame.text.data(), unpacked, payload_.data(), size) !=
        unpacked)
      return damaged("cannot be unpacked");
  } else {
    frame.text = payload_;
  }
  place_.digest = digest;
  place_.offset += head_bytes + size + digest.size();
  ++place_.frame;
  return true;
}

}  // namespace quell::storage
