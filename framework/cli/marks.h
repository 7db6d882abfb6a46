// The template's parts. Its files are real ones, such as services/api/shields.cpp, in which
// comments say what belongs to a component. They are comments of the file's own language (//, #, --
// or
// <!-- -->), with the component in brackets:
//
//   app.jobs<InscribeRunes>();     // [worker]                a line
//   // [worker]                                               lines,
//   // [/worker]                                              to here
//   // [!worker]                                              lines without it, to [/worker]
//   aegis::App app{"shields"};     // [name]                  "shields" becomes the project's name
//   image: "shields:latest"        # [image]                 the same in lower case
//
// A project has the lines of its components, without the marks. {{name}} and {{version}} stand for
// the project's name and the version of Aegis.
#pragma once

#include <string>
#include <string_view>

#include "cli/component.h"

namespace aegis::cli {

/// `text` for a project of this choice and name. Throws std::logic_error that names `file` for
/// marks that do not match.
std::string apply_marks(std::string_view text, const Choice& choice, std::string_view name,
                        std::string_view file);

}  // namespace aegis::cli
