// What most verbs of a client do: one call, and its reply shown. Each returns the exit code.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "http/cli/api_client.hpp"

namespace quell::cli {

// One object; `id` is its member for `-o id`.
int show_call(const Arguments& args, const std::string& method, const std::string& path,
              const char* id, const std::string& body = {});

// The rows in a `member` of the reply, with the first column as their id.
int list_call(const Arguments& args, const std::string& path, const char* member,
              const std::vector<std::string>& columns);

// The same where the list comes in pages, up to so many rows. `path` has a query already.
int list_pages(const Arguments& args, const std::string& path, const char* member,
               const std::vector<std::string>& columns, std::size_t most);
std::size_t rows_wanted(const Arguments& args);  // --all, --limit, or 50

// Every page, until `wants_more` says no. False: nobody answered, or with a problem.
bool each_page(ApiClient& session, const std::string& path,
               const std::function<bool(Json& page)>& wants_more);

}  // namespace quell::cli
