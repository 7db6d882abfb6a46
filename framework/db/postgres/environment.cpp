#include "db/postgres/environment.h"

#include <libpq-fe.h>

#include <memory>

namespace aegis::db::postgres {

std::vector<std::pair<std::string, std::string>> environment_of(const Config& config) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> known(PQconndefaults(),
                                                                           PQconninfoFree);
  std::vector<std::pair<std::string, std::string>> variables;
  for (const PQconninfoOption* option = known.get(); option && option->keyword; ++option) {
    for (const auto& [keyword, value] : config.keywords) {
      if (keyword == option->keyword && option->envvar)
        variables.emplace_back(option->envvar, value);
    }
  }
  return variables;
}

}  // namespace aegis::db::postgres
