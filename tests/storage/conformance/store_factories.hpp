// Which stores the conformance suite runs on. A store joins by one line in store_factories.cpp; it
// must pass everything the oracle passes.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace quell::storage {

// One fresh, empty store, taken away with all it wrote when this is destroyed.
class TestStore {
 public:
  virtual ~TestStore() = default;
  virtual Store& store() = 0;
  // As after a restart. Writers and readers opened before must be gone.
  virtual void reopen() = 0;
  // While set, nothing can be written, as on a full disk. False: this store has no such seam, and
  // whoever adds the store tests it elsewhere.
  virtual bool refuse_writes(bool) { return false; }
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<TestStore>()> open_fresh;
};
inline std::ostream& operator<<(std::ostream& out, const StoreFactory& factory) {
  return out << factory.name;
}

const std::vector<StoreFactory>& store_factories();

}  // namespace quell::storage
