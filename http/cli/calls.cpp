#include "http/cli/calls.hpp"

#include <cstdlib>

namespace quell::cli {

int show_call(const Arguments& args, const std::string& method, const std::string& path,
              const char* id, const std::string& body) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want(method, path, body);
  if (!answer) return session->exit_code();
  session->show(answer->body, id);
  return 0;
}

int list_call(const Arguments& args, const std::string& path, const char* member,
              const std::vector<std::string>& columns) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  const auto answer = session->want("GET", path);
  if (!answer) return session->exit_code();
  session->show_rows(answer->body[member], columns, columns.front());
  return 0;
}

bool each_page(ApiClient& session, const std::string& path,
               const std::function<bool(Json& page)>& wants_more) {
  std::string token;
  do {
    auto answer =
        session.want("GET", path + (token.empty() ? "" : "&page_token=" + escape_query(token)));
    if (!answer) return false;
    token = answer->body.value("next_page_token", "");
    if (!wants_more(answer->body)) return true;
  } while (!token.empty());
  return true;
}

int list_pages(const Arguments& args, const std::string& path, const char* member,
               const std::vector<std::string>& columns, std::size_t most) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  Json rows = Json::array();
  bool is_cut = false;
  const auto take = [&](Json& page) {
    for (Json& row : page[member]) {
      is_cut = is_cut || rows.size() == most;
      if (rows.size() < most) rows.push_back(std::move(row));
    }
    is_cut = is_cut || (rows.size() == most && !page.value("next_page_token", "").empty());
    return rows.size() < most;
  };
  if (!each_page(*session, path, take)) return session->exit_code();
  session->show_rows(rows, columns, columns.front());
  if (is_cut) session->say("There are more; take --all or --limit.");
  return 0;
}

std::size_t rows_wanted(const Arguments& args) {
  if (args.has("all")) return std::string::npos;
  return std::strtoul(args.get("limit", "50").c_str(), nullptr, 10);
}

}  // namespace quell::cli
