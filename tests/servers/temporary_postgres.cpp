// Lends a PostgreSQL to a test that is no C++: prints its address, keeps it until its own input
// ends.
//   temporary_postgres [DATABASE]
#include <cstdio>
#include <iostream>

#include "tests/storage/temporary_postgres.hpp"

int main(int argc, char** argv) {
  try {
    quell::storage::TemporaryPostgres server;
    const std::string database = argc > 1 ? argv[1] : "quell";
    server.create_database(database);
    std::cout << server.url(database) << std::endl;
    while (std::getchar() != EOF) {
    }
  } catch (const std::exception& fault) {
    std::cerr << fault.what() << "\n";
    return 1;
  }
  return 0;
}
