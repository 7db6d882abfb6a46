#include "db/migrations/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "aegis/core/error.h"
#include "db/dialect.h"
#include "db/migrations/snapshot.h"
#include "db/sql_scanner.h"
#include "db/sql_text.h"

namespace aegis::db {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view snapshot_file = "schema.json";

std::optional<std::int64_t> read_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = stop == text.data() + text.size();
  if (text.empty() || error != std::errc{} || !whole || number < 0) return std::nullopt;
  return number;
}

/// "0002_weigh_shields" → 2 and "weigh_shields"; nothing for what is no migration's name.
std::optional<Revision> read_title(std::string_view title) {
  const auto line = title.find('_');
  if (line < 4 || line == title.npos || line + 1 == title.size()) return std::nullopt;
  const auto number = read_number(title.substr(0, line));
  if (!number || *number == 0) return std::nullopt;
  return Revision{*number, std::string(title.substr(line + 1))};
}

/// A checkout may have changed the ends of lines.
std::string without_carriage_returns(std::string text) {
  std::erase(text, '\r');
  return text;
}

std::string_view trimmed(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t");
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
}

/// The reason that a comment such as "-- breaking: the reason" gives; nothing for another line.
std::optional<std::string> read_mark(std::string_view line, std::string_view word) {
  if (!line.starts_with("--")) return std::nullopt;
  line = trimmed(line.substr(2));
  if (!boost::algorithm::istarts_with(line, word)) return std::nullopt;
  line = trimmed(line.substr(word.size()));
  if (!line.empty() && line.front() != ':') return std::nullopt;
  const auto reason = line.empty() ? line : trimmed(line.substr(1));
  return reason.empty() ? "no reason is given" : std::string(reason);
}

Section read_section(std::string_view text) {
  Section section;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const std::string_view line = trimmed(text.substr(from, end - from));
    if (auto loss = read_mark(line, "destructive")) {
      section.losses.push_back(*loss);
      section.breaks.push_back(*std::move(loss));
    } else if (auto reason = read_mark(line, "breaking")) {
      section.breaks.push_back(*std::move(reason));
    } else if (line == "-- no transaction") {
      section.in_transaction = false;
    }
    from = end + 1;
  }
  for (const auto statement : split_statements(text)) section.statements.emplace_back(statement);
  return section;
}

/// Where the line begins that is `wanted` and nothing else.
std::size_t find_line(std::string_view text, std::string_view wanted) {
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    if (trimmed(text.substr(from, end - from)) == wanted) return from;
    from = end + 1;
  }
  return text.npos;
}

}  // namespace

std::string Revision::title() const {
  return fmt::format("{:04}_{}", number, name);
}

std::string read_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) {
    throw Error(Errc::invalid, fmt::format("{} cannot be read", file.string()));
  }
  return text.str();
}

MigrationFolder::MigrationFolder(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_, error)) {
    const std::string title = entry.path().filename().string();
    if (!entry.is_directory() || title.starts_with('.')) continue;
    auto revision = read_title(title);
    if (!revision) {
      throw Error(Errc::invalid, fmt::format("{} is no migration: their names are like "
                                             "0002_weigh_shields",
                                             entry.path().string()));
    }
    revisions_.push_back(std::move(*revision));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(Errc::invalid,
                fmt::format("{} cannot be read: {}", path_.string(), error.message()));
  }
  std::ranges::sort(revisions_, [](const Revision& a, const Revision& b) {
    return std::tie(a.number, a.name) < std::tie(b.number, b.name);
  });
  const auto twice = std::ranges::adjacent_find(revisions_, {}, &Revision::number);
  if (twice != revisions_.end()) {
    throw Error(
        Errc::invalid,
        fmt::format("{} has two migrations with one number, {} and {}: two branches were "
                    "merged. Give the one that was applied nowhere the next number, as in "
                    "git mv {}/{} {}/{:04}_{}",
                    path_.string(), twice->title(), std::next(twice)->title(), path_.string(),
                    std::next(twice)->title(), path_.string(), head() + 1, std::next(twice)->name));
  }
  read_files();
  const fs::path snapshot = path_ / snapshot_file;
  if (fs::exists(snapshot)) {
    schema_ = read_snapshot(without_carriage_returns(read_file(snapshot)), snapshot.string());
  } else if (!revisions_.empty()) {
    throw Error(Errc::invalid, fmt::format("{} is missing: it belongs to the migrations beside it; "
                                           "git checkout brings it back",
                                           snapshot.string()));
  }
}

void MigrationFolder::read_files() {
  const boost::uuids::name_generator_sha1 checksum(boost::uuids::ns::oid());
  for (const auto& revision : revisions_) {
    for (const std::string_view dialect : {"sqlite", "postgresql"}) {
      const fs::path file = file_of(revision, dialect);
      if (!fs::exists(file)) continue;
      std::string text = without_carriage_returns(read_file(file));
      std::string sum = to_string(checksum(text));
      files_.emplace(file, File{std::move(text), std::move(sum)});
    }
  }
}

fs::path MigrationFolder::file_of(const Revision& revision, std::string_view dialect) const {
  return path_ / revision.title() / fmt::format("{}.sql", dialect);
}

const Revision* MigrationFolder::find(std::int64_t number) const {
  const auto at = std::ranges::find(revisions_, number, &Revision::number);
  return at == revisions_.end() ? nullptr : &*at;
}

std::int64_t MigrationFolder::number_of(std::string_view text) const {
  const auto titled = read_title(text);
  const std::int64_t number = titled ? titled->number : read_number(text).value_or(-1);
  const Revision* revision = find(number);
  if (number == 0 || (revision && (!titled || titled->name == revision->name))) return number;
  throw Error(Errc::invalid, fmt::format("There is no migration {} in {}; the newest is {}.", text,
                                         path_.string(), title_of(head())));
}

std::string MigrationFolder::title_of(std::int64_t number) const {
  if (number == 0) return "an empty database";
  const Revision* revision = find(number);
  return revision ? revision->title() : fmt::format("{:04}", number);
}

Script MigrationFolder::script(const Revision& revision, std::string_view dialect) const {
  const fs::path file = file_of(revision, dialect);
  const auto at = files_.find(file);
  if (at == files_.end()) {
    throw Error(Errc::invalid,
                fmt::format("There is no {}: {} has no SQL for this database. Write it, with the "
                            "sections \"-- up\" and \"-- down\".",
                            file.string(), revision.title()));
  }
  const std::string& text = at->second.text;
  const std::size_t up = find_line(text, "-- up"), down = find_line(text, "-- down");
  if (up == text.npos || down == text.npos || down < up) {
    throw Error(Errc::invalid, fmt::format("{} must have a line \"-- up\" and, below it, a line "
                                           "\"-- down\", each before its statements.",
                                           file.string()));
  }
  return {.up = read_section(std::string_view(text).substr(up, down - up)),
          .down = read_section(std::string_view(text).substr(down))};
}

std::string MigrationFolder::checksum(const Revision& revision, std::string_view dialect) const {
  const auto at = files_.find(file_of(revision, dialect));
  return at == files_.end() ? "" : at->second.checksum;
}

bool MigrationFolder::mentions(std::string_view what, std::string_view dialect) const {
  const std::string wanted = ' ' + normalised(what) + ' ';
  return std::ranges::any_of(revisions_, [&](const Revision& revision) {
    const auto at = files_.find(file_of(revision, dialect));
    return at != files_.end() &&
           (' ' + normalised(at->second.text) + ' ').find(wanted) != std::string::npos;
  });
}

std::string normalised(std::string_view sql) {
  std::string text;
  SqlScanner tokens(sql);
  for (auto token = tokens.next(); token.kind != SqlToken::Kind::end; token = tokens.next()) {
    if (!text.empty()) text += ' ';
    if (token.kind == SqlToken::Kind::quoted && token.text.size() > 2 &&
        token.text.front() == '"' && token.text.find('"', 1) == token.text.size() - 1) {
      text += identifier(token.text.substr(1, token.text.size() - 2));
    } else {
      text += token.text;
    }
  }
  return text;
}

}  // namespace aegis::db
