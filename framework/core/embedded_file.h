// A file that is part of the executable; see cmake/EmbedFiles.cmake.
#pragma once

#include <string_view>

namespace aegis {

struct EmbeddedFile {
  std::string_view name;  ///< without its folder, or below BASE
  std::string_view content;
  std::string_view gzip;    ///< the same, compressed; empty where that is not shorter
  std::string_view digest;  ///< SHA-256 in hex, changes with the content: good for an ETag
};

}  // namespace aegis
