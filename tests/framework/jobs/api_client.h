#pragma once

#include <aegis/testing/testing.h>

#include <string>
#include <string_view>

#include "app/parts.h"

/// What tests of the APIs behind JOBS_API_TOKEN share.

inline const aegis::testing::TestApp::Headers key{{"Authorization", "Bearer 0123456789abcdef"}};

/// Opens the APIs of `app` to those who have the key.
inline void open_with_key(aegis::App& app) {
  app.parts().jobs_api_token = aegis::Secret<std::string>("0123456789abcdef");
}

/// The body of an answer that must have this status.
inline aegis::awaitable<std::string> ok(aegis::awaitable<aegis::Response> request,
                                        int status = 200) {
  const aegis::Response reply = co_await std::move(request);
  BOOST_TEST(reply.status() == status, reply.body());
  co_return reply.body();
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// How often the part is in the text.
inline int times(std::string_view text, std::string_view part) {
  int found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}
