// What PostgreSQL and libpqxx complain of, as one of our errors, and what can be done about it.
#pragma once

#include <string>

#include "storage/fault.hpp"

namespace quell::storage::postgres {

enum class Cure : std::uint8_t {
  none,       // tell the caller
  again,      // a deadlock, a serialization failure, a race for a key: the same batch may pass
  data,       // one operation's values: replay one by one
  reconnect,  // this connection is lost or of no use any more
};

class PgFault : public Fault {
 public:
  PgFault(Error error, Cure cure) : Fault(std::move(error), cure == Cure::data), cure_(cure) {}
  Cure cure() const { return cure_; }

 private:
  Cure cure_;
};

// Of the exception that is being handled. `doing` names the statement.
PgFault fault_in_flight(const std::string& doing);

}  // namespace quell::storage::postgres
