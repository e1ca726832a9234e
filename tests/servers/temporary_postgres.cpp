// Lends a PostgreSQL to a test that is no C++: prints its address, keeps it until its own input
// ends. A line `crash` on the input stops it as `pg_ctl stop -m immediate` does, `start` starts it
// again; each is answered by a line when it has happened. `standby NAME [OF]` makes one that
// streams from it, or from the one named OF, and is answered by its address; `promote NAME`, `crash
// NAME` and `start NAME` are said to that.
//   temporary_postgres [DATABASE [FOLDER]]     FOLDER: on a disk, for who measures; else in memory
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "tests/storage/postgres/temporary_postgres.hpp"

using quell::storage::TemporaryPostgres;

int main(int argc, char** argv) {
  try {
    TemporaryPostgres server(argc > 2 ? argv[2] : "");
    const std::string database = argc > 1 ? argv[1] : "quell";
    server.create_database(database);
    std::cout << server.url(database) << std::endl;
    std::map<std::string, std::unique_ptr<TemporaryPostgres>> standbys;
    const auto called = [&](const std::string& name) -> TemporaryPostgres& {
      return name.empty() ? server : *standbys.at(name);
    };
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string order, name, of;
      words >> order >> name >> of;
      if (order == "standby") {
        standbys[name] = std::make_unique<TemporaryPostgres>(called(of), name);
        line = standbys[name]->url(database);
      }
      if (order == "crash") called(name).crash();
      if (order == "start") called(name).start();
      if (order == "promote") called(name).promote();
      std::cout << line << std::endl;
    }
  } catch (const std::exception& fault) {
    std::cerr << fault.what() << "\n";
    return 1;
  }
  return 0;
}
