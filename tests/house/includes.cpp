#include "tests/house/rules.hpp"

namespace quell::house {
namespace {

std::size_t height(const std::string& layer) {
  return static_cast<std::size_t>(std::find(layers().begin(), layers().end(), layer) -
                                  layers().begin());
}

// Where a library's headers may be read: a layer, or single files of one.
struct Home {
  const char* library;
  std::vector<std::string> places;
};

const std::vector<Home>& homes() {
  static const std::vector<Home> table = {
      // Each unit that reads CAF costs seconds; its own headers are these few.
      {"caf/",
       {"actors/*.cpp", "actors/messages.hpp", "actors/node_context.hpp",
        "actors/control_actor.hpp", "actors/node/control_actors.hpp", "actors/send.hpp"}},
      {"curl/", {"actors/"}},
      {"ares.h", {"actors/"}},
      {"boost/beast", {"http/"}},
      {"CLI/", {"http/"}},
      {"boost/", {"actors/", "http/"}},
      {"spdlog/", {"actors/", "http/"}},
      {"sqlite3.h", {"storage/"}},
      {"pqxx/", {"storage/"}},
      {"libpq-fe.h", {"storage/"}},
      {"zstd.h", {"storage/"}},
      {"thread", {"storage/", "actors/", "http/"}},
      {"sys/socket.h", {"actors/", "http/"}},
      {"netinet/", {"actors/", "http/"}},
  };
  return table;
}

bool is_of(const std::string& include, const std::string& library) {
  const bool is_prefix = library.find('/') != std::string::npos && !library.ends_with(".h");
  return is_prefix ? include.starts_with(library) : include == library;
}

bool lives_in(const std::string& path, const std::string& place) {
  const auto star = place.find('*');
  if (star == std::string::npos)
    return place.ends_with('/') ? path.starts_with(place) : path == place;
  return path.starts_with(place.substr(0, star)) && path.ends_with(place.substr(star + 1));
}

}  // namespace

Faults includes_go_downwards(const Source& source) {
  const auto own = height(source.layer());
  if (own == layers().size()) return {};  // tests, bench and docs stand beside the layers
  Faults faults;
  for (const auto& include : source.includes()) {
    const auto target = include.substr(0, include.find('/'));
    if (target == "tests" || target == "bench")
      faults.push_back({0, "includes " + include + ": the product knows no test"});
    if (height(target) < layers().size() && height(target) > own)
      faults.push_back({0, "includes " + include + ": that is upwards"});
  }
  return faults;
}

Faults libraries_stay_at_home(const Source& source) {
  if (height(source.layer()) == layers().size()) return {};
  Faults faults;
  for (const auto& include : source.includes()) {
    for (const auto& [library, places] : homes()) {
      if (!is_of(include, library)) continue;
      const bool allowed = std::any_of(places.begin(), places.end(), [&](const std::string& place) {
        return lives_in(source.path, place);
      });
      if (!allowed) faults.push_back({0, "includes " + include});
      break;  // the first line that fits decides
    }
  }
  return faults;
}

}  // namespace quell::house
