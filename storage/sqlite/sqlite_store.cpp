#include "storage/sqlite/sqlite_store.hpp"

#include <sqlite3.h>

#include "storage/sqlite/connection/checkpointer.hpp"
#include "storage/sqlite/connection/ownership.hpp"
#include "storage/sqlite/reads/reader.hpp"
#include "storage/sqlite/schema.hpp"
#include "storage/sqlite/verbs/writer.hpp"

namespace quell::storage {

namespace {

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<sqlite::Ownership> ownership)
      : path_(std::move(path)), ownership_(std::move(ownership)), checkpointer_(path_) {}

  Result<std::unique_ptr<Writer>> open_writer() override {
    try {
      return sqlite::make_writer(path_, checkpointer_);
    } catch (const Fault& fault) {
      return fault.error();
    }
  }
  Result<std::unique_ptr<Reader>> open_reader() override {
    try {
      return sqlite::make_reader(path_);
    } catch (const Fault& fault) {
      return fault.error();
    }
  }
  Result<std::unique_ptr<Hints>> open_hints() override { return std::unique_ptr<Hints>(); }
  Durability at_best() const override { return Durability::local; }
  bool shared() const override { return false; }
  int writers_wanted() const override { return 1; }

 private:
  std::string path_;
  std::unique_ptr<sqlite::Ownership> ownership_;  // released last
  sqlite::Checkpointer checkpointer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, const OpenOptions& options) {
  if (path.empty() && options.data_dir.empty())
    return Error{ErrorCode::usage, "sqlite: without a path needs a data directory"};
  std::string file = path.empty() ? options.data_dir + "/quell.db" : path;
  auto ownership = sqlite::Ownership::take(file);
  if (!ownership) return ownership.error();
  try {
    {
      sqlite::Connection db(file, sqlite::Access::write);
      sqlite::bring_up_to_date(db, options.migrate);
    }
    return std::unique_ptr<Store>(
        std::make_unique<SqliteStore>(std::move(file), std::move(*ownership)));
  } catch (const Fault& fault) {
    return fault.error();
  }
}

}  // namespace quell::storage
