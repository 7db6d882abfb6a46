#pragma once

#include <memory>

#include "db/driver.h"

namespace aegis::db::sqlite {

/// The SQLite driver. Its threads end before `runtime` destroys what they may use. `dialect` is
/// kept by reference. Throws Error(invalid) for a bad URL or setting; touches no file.
std::unique_ptr<Driver> make_driver(Runtime& runtime, const DatabaseOptions& options,
                                    const Dialect& dialect);

}  // namespace aegis::db::sqlite
