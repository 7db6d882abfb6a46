#pragma once

namespace aegis::cli {

/// `aegis components`: what a project can be made of.
int list_components(bool json);

}  // namespace aegis::cli
