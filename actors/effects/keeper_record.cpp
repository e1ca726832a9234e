#include "actors/effects/keeper_record.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace quell {

// In the file as it stands: shared by all who were forked after it was opened.
struct KeeperRecord::Page {
  using Boot = std::array<char, 36>;
  std::array<char, 8> format;
  std::atomic<std::int32_t> keeper;
  std::atomic<std::uint32_t> nonce;
  std::atomic<std::uint64_t> begun, over;
  std::atomic<std::uint32_t> doubt;
  Boot boot;
};

namespace {
constexpr std::array<char, 8> format{'q', 'u', 'e', 'l', 'l', 'k', '2', '\n'};

Error record_fault(const std::string& what) {
  return Error{ErrorCode::internal, what + ": " + std::strerror(errno)};
}

template <class Boot>
Boot boot_of_machine() {
  Boot boot{};
  const OwnedFd file{::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)};
  [[maybe_unused]] const ssize_t size = ::read(file.get(), boot.data(), boot.size());
  return boot;
}
}  // namespace

Result<KeeperRecord> KeeperRecord::open(const std::filesystem::path& data_dir) {
  const auto path = data_dir / "keeper.lock";
  OwnedFd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock) return record_fault("open " + path.string());
  // Written, not only lengthened: a full disk must be an error here, not a signal later.
  struct stat info {};
  if (::fstat(lock.get(), &info) != 0) return record_fault("look at " + path.string());
  if (info.st_size < static_cast<off_t>(sizeof(Page))) {
    const std::array<char, sizeof(Page)> nothing{};
    if (::pwrite(lock.get(), nothing.data(), nothing.size(), 0) != std::ssize(nothing))
      return record_fault("write " + path.string());
  }
  void* page = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, lock.get(), 0);
  if (page == MAP_FAILED) return record_fault("map " + path.string());
  return KeeperRecord{std::move(lock), static_cast<Page*>(page)};
}

KeeperRecord::KeeperRecord(KeeperRecord&& other) noexcept
    : lock_(std::move(other.lock_)), page_(std::exchange(other.page_, nullptr)) {}

KeeperRecord::~KeeperRecord() {
  if (page_ != nullptr) ::munmap(page_, sizeof(Page));
}

bool KeeperRecord::try_lock() const {
  return ::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0;
}

int KeeperRecord::keeper() const {
  return page_->format == format ? page_->keeper.load() : 0;
}

unsigned KeeperRecord::nonce() const {
  return page_->nonce;
}

bool KeeperRecord::saw_every_end() const {
  return page_->begun == page_->over || page_->boot != boot_of_machine<Page::Boot>();
}

void KeeperRecord::take(int keeper, unsigned nonce) {
  const auto boot = boot_of_machine<Page::Boot>();
  if (page_->format != format || page_->boot != boot) page_->doubt = 0;
  page_->format = format;
  page_->boot = boot;
  page_->begun = page_->over = 0;
  page_->nonce = nonce;
  page_->keeper = keeper;
}

void KeeperRecord::name_keeper(int keeper) {
  page_->keeper = keeper;
}

void KeeperRecord::release() {
  page_->keeper = 0;
}

void KeeperRecord::guard_begun() {
  ++page_->begun;
}

void KeeperRecord::guard_over() {
  ++page_->over;
}

void KeeperRecord::all_over() {
  page_->over = page_->begun.load();
}

bool KeeperRecord::is_in_doubt() const {
  return page_->format == format && page_->doubt != 0;
}

void KeeperRecord::set_doubt(bool doubt) {
  page_->doubt = doubt ? 1 : 0;
}

}  // namespace quell
