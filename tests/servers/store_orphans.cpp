// Prints what the store's own query for orphans finds, a line each, beside a running server.
//   store_orphans URL
#include <iostream>

#include "storage/sqlite/connection/connection.hpp"
#include "storage/sqlite/verbs/orphans.hpp"
#include "storage/store.hpp"

namespace {

using namespace quell;
using namespace quell::storage;

// The store's own door would ask for the ownership of the file, which the server has.
std::vector<std::string> orphans_of(const std::string& url) {
  const std::string scheme = "sqlite:";
  if (url.starts_with(scheme)) {
    sqlite::Connection db(url.substr(scheme.size()), sqlite::Access::read);
    return sqlite::find_orphans(db);
  }
  OpenOptions options;
  options.migrate = false;
  auto store = open_store(url, options);
  if (!store) throw std::runtime_error(to_string(store.error()));
  auto reader = (*store)->open_reader();
  if (!reader) throw std::runtime_error(to_string(reader.error()));
  auto found = (*reader)->orphans();
  if (!found) throw std::runtime_error(to_string(found.error()));
  return *found;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: store_orphans URL\n", 2;
  try {
    for (const std::string& line : orphans_of(argv[1])) std::cout << line << "\n";
  } catch (const std::exception& fault) {
    std::cerr << fault.what() << "\n";
    return 1;
  }
  return 0;
}
