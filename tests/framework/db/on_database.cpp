#include "on_database.h"

#include <cstdlib>

#include "support/postgres_server.h"

std::vector<std::string> databases() {
  return {"sqlite in memory", "sqlite file", "postgresql"};
}

OnDatabase::OnDatabase(const std::string& kind) {
  std::string url = "sqlite://:memory:";
  if (kind == "sqlite file") {
    url = "sqlite:///" + folder_.emplace().path().string() + "/test.db";
    concurrent_readers_ = true;
  }
  if (kind == "postgresql") {
    server_database_ = PostgresServer::shared().create_database();
    url = PostgresServer::shared().url(server_database_);
    concurrent_readers_ = true;
  }
  database_ = std::make_unique<Database>(runtime_, aegis::DatabaseOptions{.url = url});
  wait(database_->create_all(all_tables()));
}

OnDatabase::~OnDatabase() {
  wait(database_->close());
  database_.reset();
  if (!server_database_.empty()) PostgresServer::shared().drop_database(server_database_);
}
