#include "storage/postgres/postgres_store.hpp"

#include "storage/postgres/connection/hints.hpp"
#include "storage/postgres/reads/reader.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/verbs/writer.hpp"

namespace quell::storage {

namespace {

using postgres::Address;
using postgres::Connection;

class PostgresStore final : public Store {
 public:
  PostgresStore(Address address, const std::string& acknowledged)
      : address_(std::move(address)), shared_(address_) {
    shared_.history.load(acknowledged);
  }

  Result<std::unique_ptr<Writer>> open_writer() override {
    return made([&] { return postgres::make_writer(address_, shared_); });
  }
  Result<std::unique_ptr<Reader>> open_reader() override {
    return made([&] { return postgres::make_reader(address_, shared_.history); });
  }
  Result<std::unique_ptr<Hints>> open_hints() override {
    if (!address_.notify) return std::unique_ptr<Hints>();
    return made([&] { return postgres::make_hints(address_); });
  }
  Durability at_best() const override {
    return shared_.standbys.awaited() ? Durability::replicated : Durability::local;
  }
  std::string acknowledged() const override { return shared_.history.text(); }
  std::string lost() const override { return shared_.history.lost(); }
  void accept_history() override { shared_.history.forget(); }
  bool shared() const override { return true; }
  int writers_wanted() const override { return 2; }

 private:
  template <class Make>
  static auto made(Make make) -> Result<decltype(make())> {
    try {
      return make();
    } catch (const Fault& fault) {
      return fault.error();
    }
  }

  Address address_;
  postgres::SharedState shared_;
};

std::string setting(Connection& db, const std::string& name) {
  return db.plain("SELECT current_setting('" + name + "')")[0].text(0);
}

}  // namespace

Result<std::unique_ptr<Store>> open_postgres(const std::string& url, const OpenOptions& options) {
  const Result<Address> address = postgres::parse_address(url);
  if (!address) return address.error();
  try {
    Connection db(*address, Connection::Use::upkeep);
    if (setting(db, "fsync") == "off" && !options.unsafe)
      return Error{ErrorCode::usage,
                   "the server runs with fsync=off: a crash could undo what was acknowledged"};
    postgres::bring_up_to_date(db, options.migrate);
    return std::unique_ptr<Store>(std::make_unique<PostgresStore>(*address, options.acknowledged));
  } catch (const Fault& fault) {
    return fault.error();
  }
}

}  // namespace quell::storage
