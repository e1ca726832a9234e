// Whatever comes in is a command, nothing yet, or a fault for ever; cut anywhere it is the same;
// and no more is kept than the limits and one read allow.
#include "runtime/celery/resp.hpp"

#include "tests/fuzz/property.hpp"

using namespace quell::celery;
using quell::fuzz::hold;

namespace {

constexpr RespLimits limits{.words = 16, .word = 64, .command = 256};

std::vector<Words> heard(std::string_view wire, std::size_t cut, bool& is_broken) {
  RespReader reader(limits);
  std::vector<Words> all;
  for (std::size_t at = 0; at < wire.size(); at += cut) {
    reader.add(wire.substr(at, cut));
    Words words;
    RespReader::Flow flow = RespReader::Flow::more;
    while ((flow = reader.next(words)) == RespReader::Flow::command) {
      std::size_t sum = 0;
      for (const std::string& word : words) sum += word.size();
      hold(!words.empty() && words.size() <= limits.words && sum <= limits.command,
           "a command is within the limits");
      all.push_back(words);
    }
    is_broken = flow == RespReader::Flow::broken;
    hold(!is_broken || reader.held() == 0, "nothing is kept of what is broken");
    hold(reader.held() <= cut + limits.word + 16, "no more is kept than one word and one read");
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data + 1), size - 1);
  bool whole_is_broken = false, cut_is_broken = false;
  const auto whole = heard(wire, std::max<std::size_t>(wire.size(), 1), whole_is_broken);
  const auto cut = heard(wire, data[0] % 7 + 1u, cut_is_broken);
  hold(whole == cut, "cut anywhere it is the same");
  hold(whole_is_broken == cut_is_broken, "cut anywhere it is as broken");
  return 0;
}
