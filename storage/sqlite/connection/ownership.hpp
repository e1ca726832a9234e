// One process owns a database file. Two would each "recover" the other's running jobs.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/result.hpp"

namespace quell::storage::sqlite {

// Held as long as it lives; the kernel lets go when the process dies, however it dies.
class Ownership {
 public:
  static Result<std::unique_ptr<Ownership>> take(const std::string& database_path);
  ~Ownership();
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

 private:
  explicit Ownership(int file) : file_(file) {}
  int file_;
};

}  // namespace quell::storage::sqlite
