// Lends a PostgreSQL to a test that is no C++: prints its address, keeps it until its own input
// ends. A line `crash` on the input stops it as `pg_ctl stop -m immediate` does, `start` starts it
// again; each is answered by a line when it has happened.
//   temporary_postgres [DATABASE]
#include <iostream>
#include <string>

#include "tests/storage/temporary_postgres.hpp"

int main(int argc, char** argv) {
  try {
    quell::storage::TemporaryPostgres server;
    const std::string database = argc > 1 ? argv[1] : "quell";
    server.create_database(database);
    std::cout << server.url(database) << std::endl;
    for (std::string order; std::getline(std::cin, order);) {
      if (order == "crash") server.crash();
      if (order == "start") server.start();
      std::cout << order << std::endl;
    }
  } catch (const std::exception& fault) {
    std::cerr << fault.what() << "\n";
    return 1;
  }
  return 0;
}
