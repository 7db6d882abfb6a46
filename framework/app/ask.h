#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "aegis/core/error.h"
#include "aegis/core/time.h"
#include "app/cli.h"
#include "app/database_settings.h"
#include "app/with_database.h"

namespace aegis::commands {

/// Works on the configured database and answers what `question` answers.
template <class T>
T ask(const Settings& settings, const std::function<awaitable<T>(Database&)>& question) {
  std::optional<T> answer;
  with_database(database_options(settings), [&](Runtime&, Database& database) -> awaitable<void> {
    answer = co_await question(database);
  });
  if (!answer) throw Error(Errc::unavailable, "The command was interrupted.");
  return std::move(*answer);
}

/// What a command refuses is an answer, not a fault of settings or program.
inline int answer(const std::function<int()>& command) {
  try {
    return command();
  } catch (const Error& error) {
    if (error.code() == Errc::unavailable || error.code() == Errc::timeout) throw;
    fmt::print(stderr, "{}\n", error.what());
    return exit_failed;
  }
}

/// Seconds are enough for people.
inline std::string brief(Timestamp moment) {
  std::string text = to_string(moment).substr(0, 19);
  text[10] = ' ';
  return text;
}

/// The first line of a text, cut to `length`.
inline std::string brief(std::string_view text, std::size_t length) {
  text = text.substr(0, text.find('\n'));
  return text.size() <= length ? std::string(text)
                               : std::string(text.substr(0, length - 3)) + "...";
}

}  // namespace aegis::commands
