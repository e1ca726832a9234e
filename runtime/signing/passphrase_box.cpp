#include "runtime/signing/passphrase_box.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "runtime/signing/wipe.hpp"

namespace quell {

namespace {

constexpr std::uint64_t cost = 1 << 16, block = 8, parallel = 1;
constexpr std::uint64_t memory_max = 128 << 20;

}  // namespace

Result<SecretBox> box_of_passphrase(std::string_view passphrase,
                                    std::span<const std::uint8_t> salt) {
  SecretBox::Key key{};
  const WipedAtEnd wiped(key);
  if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), salt.data(), salt.size(), cost, block,
                     parallel, memory_max, key.data(), key.size()) != 1)
    return Error{ErrorCode::internal, "the passphrase cannot be made a key"};
  return SecretBox(key);
}

Result<std::string> read_passphrase(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorCode::usage, "the passphrase file " + path + " " + why};
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return refuse("cannot be read: " + std::string(std::strerror(errno)));
  struct stat status {};
  std::string text(4096, '\0');
  const bool mine = ::fstat(file, &status) == 0 && (status.st_mode & 077) == 0;
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  if (!mine) return refuse("may be read by others: chmod 600 it");
  if (size < 0) return refuse("cannot be read: " + std::string(std::strerror(errno)));
  text.resize(static_cast<std::size_t>(size));
  text.resize(std::min(text.size(), text.find_first_of("\r\n")));
  if (text.size() < passphrase_least) return refuse("holds less than 12 characters");
  return text;
}

}  // namespace quell
