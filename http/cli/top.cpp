// `quell top`: what the server does, as it does it. On a terminal a picture that renews itself;
// anywhere else one look as text.
#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/terminal_text.hpp"

namespace quell::cli {

namespace {

constexpr std::size_t bar_width = 30;
constexpr std::size_t shown_deletes = 10;

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) {
  interrupted = 1;
}

// Keys as they are typed, the cursor away; all as before at the end.
class Screen {
 public:
  Screen() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    struct sigaction quit {};
    quit.sa_handler = &on_interrupt;
    sigaction(SIGINT, &quit, nullptr);
    sigaction(SIGTERM, &quit, nullptr);
    drawing() << "\x1b[?1049h\x1b[?25l" << std::flush;
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    drawing() << "\x1b[?25h\x1b[?1049l" << std::flush;
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  void show(const std::string& text) {
    drawing() << "\x1b[H";
    for (const char c : text) {
      if (c == '\n') drawing() << "\x1b[K";
      std::cout << c;
    }
    drawing() << "\x1b[J" << std::flush;
  }

  // False when the person wants to leave.
  static bool wait(int milliseconds) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, milliseconds) <= 0) return interrupted == 0;
    char key = 'q';
    return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 3 && interrupted == 0;
  }

 private:
  termios before_{};
};

std::int64_t number(const Json& object, const char* name) {
  return object.contains(name) && object[name].is_number_integer()
             ? object[name].get<std::int64_t>()
             : 0;
}

std::string bar(std::int64_t used, std::int64_t capacity) {
  const double part =
      capacity <= 0 ? 0 : std::min(1.0, static_cast<double>(used) / static_cast<double>(capacity));
  const auto full = static_cast<std::size_t>(part * static_cast<double>(bar_width));
  return "[" + std::string(full, '#') + std::string(bar_width - full, '.') + "]";
}

std::string queues_text(const Json& queues) {
  std::string text = fmt::format("{:<24}{:>10}{:>10}{:>10}  {}\n", "QUEUE", "queued", "scheduled",
                                 "running", "state");
  for (const Json& queue : queues) {
    const bool paused = queue.value("paused", false);
    const bool closed = queue.value("closed", false);
    text +=
        fmt::format("{:<24}{:>10}{:>10}{:>10}  {}\n", queue.value("name", "").substr(0, 23),
                    number(queue, "queued"), number(queue, "scheduled"), number(queue, "running"),
                    paused ? (closed ? "paused, closed" : "paused") : (closed ? "closed" : "open"));
  }
  return text;
}

std::string pools_text(const Json& pools) {
  std::string text;
  for (const Json& pool : pools)
    text += fmt::format("{:<24}{} {} of {} slots, {} waiting, {} stuck\n",
                        "pool " + pool.value("name", "").substr(0, 18),
                        bar(number(pool, "used"), number(pool, "capacity")), number(pool, "used"),
                        number(pool, "capacity"), number(pool, "waiting"), number(pool, "stuck"));
  return text;
}

std::string deletes_text(const Json& deletions) {
  if (deletions.empty()) return "No delete is unfinished.\n";
  std::string text = fmt::format("{} unfinished deletes:\n", deletions.size());
  for (std::size_t i = 0; i < deletions.size() && i < shown_deletes; ++i)
    text += fmt::format("  {}  {}  {} tries\n", deletions[i].value("job_id", ""),
                        deletions[i].value("state", ""), number(deletions[i], "tries"));
  return text;
}

std::optional<std::string> look(ApiClient& session) {
  const auto counts = session.want("GET", "/api/v1/jobs/counts?group_by=status");
  if (!counts) return std::nullopt;
  const auto queues = session.want("GET", "/api/v1/queues");
  const auto pools = queues ? session.want("GET", "/api/v1/pools") : std::nullopt;
  if (!pools) return std::nullopt;
  // A token may see jobs and not this; then it is left out.
  const auto open = session.ask("GET", "/api/v1/deletions?state=PENDING_DELETE,DELETE_FAILED");
  std::string text = "quell " + counts->body.value("as_of", "") + "   ";
  for (const auto& [status, n] : counts->body["counts"].items())
    text += fmt::format("{} {}  ", status, n.dump());
  text += "\n\n" + queues_text(queues->body["queues"]) + "\n" + pools_text(pools->body["pools"]);
  if (open && open->ok()) text += "\n" + deletes_text(open->body["deletions"]);
  return text;
}

}  // namespace

int top(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const double every = std::atof(args.get("every", "1").c_str());
  if (!(every >= 0.1 && every <= 3600))
    return fail_with(ErrorCode::usage, "--every wants seconds from 0.1 to 3600");
  const char* kind = std::getenv("TERM");
  const bool can_draw = is_terminal() && kind != nullptr && std::string_view{kind} != "dumb";
  std::optional<std::string> text = look(*session);
  if (!text) return session->exit_code();
  if (!can_draw || args.has("once")) return std::cout << *text, 0;
  {
    Screen screen;
    do {
      screen.show(*text + "\nq ends it.\n");
      if (!Screen::wait(static_cast<int>(every * 1000))) break;
      text = look(*session);
    } while (text);
  }
  return text ? 0 : session->exit_code();
}

}  // namespace quell::cli
