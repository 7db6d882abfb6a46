#pragma once

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include "aegis/core/awaitable.h"
#include "aegis/core/error.h"

/// The message of the Error that `task` throws, after checking its code.
inline aegis::awaitable<std::string> error_of(aegis::awaitable<void> task, aegis::Errc code) {
  try {
    co_await std::move(task);
  } catch (const aegis::Error& error) {
    BOOST_TEST(to_string(error.code()) == to_string(code));
    co_return error.what();
  }
  BOOST_TEST(false, "expected an Error of kind " << to_string(code));
  co_return "";
}

/// A test case, run on each of databases(), whose body is a coroutine in which `ground` is the
/// OnDatabase and `db` its Database.
#define DATABASE_TEST(name)                                               \
  static awaitable<void> name##_body(OnDatabase& ground, Database& db);   \
  BOOST_DATA_TEST_CASE(name, databases(), kind) {                         \
    OnDatabase ground(kind);                                              \
    ground.wait(name##_body(ground, ground.database()));                  \
  }                                                                       \
  static awaitable<void> name##_body([[maybe_unused]] OnDatabase& ground, \
                                     [[maybe_unused]] Database& db)
