// What a backend library exports that is opened at run time: plain C, so that both sides compare the version of their
// interface before anything of C++ crosses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tessera {

class Backend;

struct BackendRequest {
  int device = 0;
  int type = -1;                   // DType, -1 = the fastest that the device has
  std::uint64_t memory_limit = 0;  // bytes, 0 = what the device has
};

// `error`: 0 = none, else 1 + ErrorCode. `message`: one sentence, ends with a zero byte.
struct BackendReply {
  int error = 0;
  char message[1024] = {};
};

extern "C" {

// Names the interface (backend.h and what it shows) that the library was built from: TESSERA_BACKEND_ABI of the build.
using BackendAbi = const char*();
// Number of devices; 0 with a message if there is none.
using BackendDevices = int(BackendReply* reply);
// Describes a device in `reply->message`.
using BackendDescribe = void(int device, BackendReply* reply);
// A new backend that the caller deletes, or null and the reason. The library must stay open as long as it lives.
using BackendMake = Backend*(const BackendRequest* request, BackendReply* reply);

}  // extern "C"

inline constexpr char kBackendAbiSymbol[] = "tessera_backend_abi";
inline constexpr char kBackendDevicesSymbol[] = "tessera_backend_devices";
inline constexpr char kBackendDescribeSymbol[] = "tessera_backend_describe";
inline constexpr char kBackendMakeSymbol[] = "tessera_backend_make";

}  // namespace tessera
