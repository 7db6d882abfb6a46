#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "db/table_schema.h"

/// The migrations as files, kept with the sources:
///
///   migrations/schema.json                      the models as the newest migration leaves them
///   migrations/0002_weigh_shields/sqlite.sql    its way up and its way down
///   migrations/0002_weigh_shields/postgresql.sql
///
/// One schema.json and not one a migration: its diff is the change, and two branches that both
/// change the models meet in it when they are merged.
namespace aegis::db {

struct Revision {
  std::int64_t number = 0;
  std::string name{};  ///< "weigh_shields"

  std::string title() const;  ///< "0002_weigh_shields"
};

/// One direction of a migration.
struct Section {
  std::vector<std::string> statements{};
  std::vector<std::string> losses{};  ///< what "-- destructive: …" lines say
  /// These and "-- breaking: …": why programs from before it cannot work after it.
  std::vector<std::string> breaks{};
  bool in_transaction = true;  ///< no line "-- no transaction"
};

struct Script {
  Section up{}, down{};
};

class MigrationFolder {
 public:
  /// Reads all files; there are none where the folder does not exist.
  /// Throws Error(invalid) for names that are none, two with one number, or a bad schema.json.
  explicit MigrationFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<Revision>& revisions() const { return revisions_; }
  const Schema& schema() const { return schema_; }
  std::int64_t head() const { return revisions_.empty() ? 0 : revisions_.back().number; }
  /// Null when there is none.
  const Revision* find(std::int64_t number) const;
  /// By "2", "0002" or "0002_weigh_shields"; 0 is the empty database. Throws Error(invalid).
  std::int64_t number_of(std::string_view text) const;
  /// "0002_weigh_shields", or "an empty database" for 0.
  std::string title_of(std::int64_t number) const;

  /// A migration's SQL for a dialect. Throws Error(invalid) when the file is not there or lacks a
  /// section.
  Script script(const Revision& revision, std::string_view dialect) const;
  /// What an applied migration's file is known by; empty when there is no file for the dialect.
  std::string checksum(const Revision& revision, std::string_view dialect) const;
  /// Whether some migration names it: a table, an index, or what else was written by hand.
  bool mentions(std::string_view what, std::string_view dialect) const;

 private:
  struct File {
    std::string text, checksum;
  };

  void read_files();
  std::filesystem::path file_of(const Revision& revision, std::string_view dialect) const;

  std::filesystem::path path_;
  std::vector<Revision> revisions_{};
  std::map<std::filesystem::path, File> files_{};
  Schema schema_{};
};

/// The tokens of SQL with one space between them, names without needless quotes.
std::string normalised(std::string_view sql);

/// The whole file. Throws Error(invalid) when it cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace aegis::db
