// Runs the suites if there is a device; else skips them, or fails where TESSERA_REQUIRE_GPU=1 says that there must be
// one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "tessera/device.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  const tessera::CudaStatus status = tessera::cuda_status();
  if (status.state != tessera::CudaState::kReady) {
    const char* variable = std::getenv("TESSERA_REQUIRE_GPU");
    const bool required = variable != nullptr && std::string_view(variable) == "1";
    std::cout << (required ? "[  FAILED  ] " : "[  SKIPPED ] ") << "there is no device: " << status.reason << "\n";
    return required ? 1 : 0;
  }
  std::cout << status.devices.front() << ", by " << status.library.string() << "\n";
  return RUN_ALL_TESTS();
}
