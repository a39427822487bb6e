// The entry points through which the program reaches the CUDA backend (device/backend_library.h).
#include <algorithm>
#include <exception>
#include <string>

#include "cuda/cuda_backend.h"
#include "device/backend_library.h"
#include "tessera/error.h"

namespace tessera::cuda {
namespace {

void put(BackendReply& reply, int error, const std::string& text) {
  reply.error = error;
  const std::size_t length = std::min(text.size(), sizeof reply.message - 1);
  std::copy_n(text.begin(), length, reply.message);
  reply.message[length] = '\0';
}

// Runs `call`; an exception becomes the reply, and the result `otherwise`.
template <typename Result, typename Call>
Result answer(BackendReply& reply, Result otherwise, Call&& call) noexcept {
  try {
    put(reply, 0, "");
    return call();
  } catch (const Error& error) {
    put(reply, 1 + static_cast<int>(error.code()), error.what());
  } catch (const std::exception& error) {
    put(reply, 1 + static_cast<int>(ErrorCode::kInternal), error.what());
  }
  return otherwise;
}

}  // namespace
}  // namespace tessera::cuda

using tessera::BackendReply;
using tessera::BackendRequest;

extern "C" {

__attribute__((visibility("default"))) const char* tessera_backend_abi() { return TESSERA_BACKEND_ABI; }

__attribute__((visibility("default"))) int tessera_backend_devices(BackendReply* reply) {
  return tessera::cuda::answer(*reply, 0, [] { return tessera::cuda::device_count(); });
}

__attribute__((visibility("default"))) void tessera_backend_describe(int device, BackendReply* reply) {
  tessera::cuda::answer(*reply, 0, [&] {
    tessera::cuda::put(*reply, 0, tessera::cuda::describe_device(device));
    return 0;
  });
}

__attribute__((visibility("default"))) tessera::Backend* tessera_backend_make(const BackendRequest* request,
                                                                              BackendReply* reply) {
  return tessera::cuda::answer(*reply, static_cast<tessera::Backend*>(nullptr), [&]() -> tessera::Backend* {
    const tessera::DType type =
        request->type < 0 ? tessera::cuda::fastest_type(request->device) : static_cast<tessera::DType>(request->type);
    return new tessera::cuda::CudaBackend(
        {.index = request->device, .activation = type, .memory_limit = request->memory_limit});
  });
}

}  // extern "C"
