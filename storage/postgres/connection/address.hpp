// The store's address: a libpq URI, plus what only we understand (and libpq would refuse).
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace quell::storage::postgres {

struct Address {
  std::string uri;                 // for libpq, without our own parameters
  bool notify = true;              // ?notify=off: no LISTEN, no NOTIFY
  bool keeps_session = true;       // ?pooler=transaction: each transaction may meet another session
  int statement_timeout = 30'000;  // ?statement_timeout=MS; readers take a shorter one
  int lock_timeout = 5'000;        // ?lock_timeout=MS
  // ?idle_in_transaction_timeout=MS: a process that is frozen in a transaction must not hold its
  // locks for as long as it sleeps.
  int idle_in_transaction_timeout = 10'000;
};

Result<Address> parse_address(const std::string& url);

}  // namespace quell::storage::postgres
