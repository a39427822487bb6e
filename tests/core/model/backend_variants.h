// The backends that the model suites run on: each program that compiles the suites defines its own list.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "backend.h"

namespace tessera::test {

struct BackendVariant {
  std::string name;  // of the test case
  DType type;        // asked for
  std::function<std::unique_ptr<Backend>()> make;
};

inline void PrintTo(const BackendVariant& variant, std::ostream* out) { *out << variant.name; }

// All of them, or those of one activation type.
std::vector<BackendVariant> backend_variants();
inline std::vector<BackendVariant> backend_variants(DType type) {
  std::vector<BackendVariant> chosen;
  for (BackendVariant& variant : backend_variants()) {
    if (variant.type == type) chosen.push_back(std::move(variant));
  }
  return chosen;
}
// 16-bit activations, for tests of whole graphs.
std::vector<BackendVariant> reduced_variants();

}  // namespace tessera::test
