#include "runtime/signing/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "runtime/signing/wipe.hpp"

namespace quell {

namespace {

constexpr std::size_t key_file_bytes_max = 64 * 1024;

Error fault(const std::string& path, const std::string& what) {
  return Error{ErrorCode::internal, "the key file " + path + " " + what};
}

Error failed(const std::string& path, const char* verb) {
  return fault(path, std::string("cannot be ") + verb + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Nothing if there is no such file.
Result<std::optional<std::string>> read_key(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0 && errno == ENOENT) return std::optional<std::string>{};
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return failed(path, "read");
  if (!S_ISREG(status.st_mode)) return fault(path, "is not a plain file");
  if ((status.st_mode & 077) != 0) return fault(path, "can be read by others; run chmod 600 on it");
  std::string text;
  std::array<char, 4096> block;
  const WipedAtEnd wiped(block);
  for (;;) {
    const ssize_t got = ::read(file.number(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, "read");
    if (got == 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > key_file_bytes_max) return fault(path, "is too large for a key");
  }
  if (text.empty()) return fault(path, "is empty");
  return std::optional<std::string>{std::move(text)};
}

Result<void> create_key(const std::string& path, const std::string& text) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkstemp(temporary.data()));  // made with mode 0600
  if (file.number() < 0) return failed(path, "created");
  const bool written = write_all(file.number(), text) && ::fsync(file.number()) == 0;
  // link, not rename: it never replaces a key that somebody else made in the meantime.
  const bool linked = written && (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int reason = errno;
  ::unlink(temporary.c_str());
  errno = reason;
  if (!linked) return failed(path, "created");
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() < 0 || ::fsync(folder.number()) != 0) return failed(path, "made durable");
  return {};
}

}  // namespace

Result<std::string> load_or_create_key_file(const std::string& path,
                                            const std::function<std::string()>& make) {
  Result<std::optional<std::string>> present = read_key(path);
  if (!present) return present.error();
  if (*present) return std::move(**present);
  std::string made = make();
  const WipedAtEnd wiped(made);
  if (const Result<void> created = create_key(path, made); !created) return created.error();
  present = read_key(path);
  if (!present) return present.error();
  if (!*present) return fault(path, "vanished while it was made");
  return std::move(**present);
}

}  // namespace quell
