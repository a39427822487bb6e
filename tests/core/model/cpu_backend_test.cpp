// What only the CPU backend does: it says which library, instruction set and threads it uses.
#include "cpu/cpu_backend.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(CpuBackend, SaysWhatItIs) {
  const cpu::CpuBackend backend(DType::kF32, 1);
  EXPECT_EQ(backend.name(), "cpu");
  EXPECT_NE(backend.detail().find("oneDNN 2."), std::string::npos);
  EXPECT_NE(backend.detail().find("1 thread"), std::string::npos);
}

}  // namespace
}  // namespace tessera
