// A CLI11 check out of a parser that throws.
#pragma once

#include <exception>
#include <string>

namespace tessera::cli {

template <typename Parse>
auto checked_by(Parse parse) {
  return [parse](const std::string& text) {
    try {
      parse(text);
      return std::string();
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
  };
}

}  // namespace tessera::cli
