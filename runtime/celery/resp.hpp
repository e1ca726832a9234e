// The wire of Redis, as far as a client of Celery speaks it: commands come in as arrays of bulk
// strings, answers go out in version 2 or 3. Knows no sockets; what a stranger sends is bounded
// before it is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quell::celery {

using Words = std::vector<std::string>;

struct RespLimits {
  std::size_t words = 64;         // of one command
  std::size_t word = 4 << 10;     // bytes of one word
  std::size_t command = 8 << 10;  // bytes of all words of one command
};

// Takes bytes as they come and gives out whole commands.
class RespReader {
 public:
  enum class Flow : std::uint8_t { more, command, broken };

  explicit RespReader(RespLimits limits) : limits_(limits) {}
  void set_limits(RespLimits limits) { limits_ = limits; }
  void add(std::string_view bytes);
  Flow next(Words& command);  // broken: for ever; `fault` says why
  const std::string& fault() const { return fault_; }
  // A length beyond the limits is refused when it is read, so this is bounded by them and by what
  // one `add` brought.
  std::size_t held() const { return bytes_.size() - taken_; }

 private:
  enum class Length : std::uint8_t { more, read, broken };
  Length length(char mark, std::size_t most, std::size_t& value);
  Flow broken(std::string why);

  RespLimits limits_;
  std::string bytes_;
  std::size_t taken_ = 0;
  std::size_t words_left_ = 0;
  bool has_word_ = false;  // a word's length is known
  std::size_t word_ = 0, sum_ = 0;
  Words words_;
  std::string fault_;
};

// Answers. `protocol` is 2 or 3, as HELLO has chosen.
namespace resp {
std::string simple(std::string_view text);  // +OK
std::string error(std::string_view text);   // -ERR …, on one line whatever the text is
std::string number(std::int64_t value);
std::string bulk(std::string_view text);
std::string nothing(int protocol);
std::string no_array(int protocol);  // what a blocking pop answers when its time is up
std::string array_of(std::size_t count);
std::string push_of(std::size_t count, int protocol);
std::string map_of(std::size_t pairs, int protocol);
}  // namespace resp

}  // namespace quell::celery
