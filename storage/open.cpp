// The one place where a store's address is told apart.
#include "storage/memory/memory_store.hpp"
#include "storage/postgres/postgres_store.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "storage/store.hpp"

namespace quell::storage {

Result<std::unique_ptr<Store>> open_store(const std::string& url, const OpenOptions& options) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite)) return open_sqlite(url.substr(sqlite.size()), options);
  if (url.starts_with("postgres://") || url.starts_with("postgresql://"))
    return open_postgres(url, options);
  if (url == "memory:") {
    auto opened = open_memory(options);
    if (!opened) return opened.error();
    return std::unique_ptr<Store>(std::move(*opened));
  }
  return Error{ErrorCode::usage, "a store is sqlite:PATH, postgres://… or memory:, not " + url};
}

}  // namespace quell::storage
