// Opens driver and backend library and translates what they say.
#include "device/cuda_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <exception>

#include "program_path.h"
#include "tessera/error.h"

namespace tessera {
namespace {

std::string loader_message() {
  const char* text = ::dlerror();
  return text == nullptr ? "unknown reason" : text;
}

// The library's function of this name, or null.
template <typename Function>
Function* function_of(void* library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library, name));
}

// Calls into the library; what it should not have thrown becomes an Error.
template <typename Call>
auto guarded(const std::filesystem::path& library, Call&& call) {
  try {
    return call();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kInternal, library.string() + " failed: " + error.what());
  } catch (...) {
    throw Error(ErrorCode::kInternal, library.string() + " failed for an unknown reason");
  }
}

Error error_of(const BackendReply& reply) {
  constexpr int kLast = static_cast<int>(ErrorCode::kInternal);
  const int code = reply.error - 1;
  return {code >= 0 && code <= kLast ? static_cast<ErrorCode>(code) : ErrorCode::kInternal,
          std::string(reply.message, ::strnlen(reply.message, sizeof reply.message))};
}

}  // namespace

std::filesystem::path cuda_library_path() {
  const char* variable = std::getenv("TESSERA_CUDA_LIBRARY");
  if (variable != nullptr && *variable != '\0') return variable;
  return (program_path().parent_path() / TESSERA_BACKEND_DIR / "libtessera_cuda.so").lexically_normal();
}

CudaLibrary::CudaLibrary(const std::filesystem::path& path, const char* driver) {
  status_.library = path;
  open(driver);
  if (status_.state == CudaState::kReady) list_devices();
}

void CudaLibrary::open(const char* driver) {
  if (::dlopen(driver, RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    status_.state = CudaState::kNoDriver;
    status_.reason = "there is no NVIDIA driver: " + loader_message();
    return;
  }
  void* library = ::dlopen(status_.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    status_.state = CudaState::kNoLibrary;
    status_.reason = "the CUDA backend cannot be opened: " + loader_message();
    return;
  }
  auto* abi = function_of<BackendAbi>(library, kBackendAbiSymbol);
  devices_ = function_of<BackendDevices>(library, kBackendDevicesSymbol);
  describe_ = function_of<BackendDescribe>(library, kBackendDescribeSymbol);
  make_ = function_of<BackendMake>(library, kBackendMakeSymbol);
  status_.state = CudaState::kWrongLibrary;
  if (abi == nullptr || devices_ == nullptr || describe_ == nullptr || make_ == nullptr) {
    status_.reason = status_.library.string() + " is no backend library of Tessera";
  } else if (const char* theirs = abi(); theirs == nullptr || std::strcmp(theirs, TESSERA_BACKEND_ABI) != 0) {
    status_.reason = status_.library.string() + " belongs to another build of Tessera (interface " +
                     (theirs == nullptr ? "unknown" : theirs) + ", this program has " TESSERA_BACKEND_ABI ")";
  } else {
    status_.state = CudaState::kReady;
  }
}

void CudaLibrary::list_devices() {
  try {
    guarded(status_.library, [&] {
      BackendReply reply;
      const int count = devices_(&reply);
      if (reply.error != 0) throw error_of(reply);
      for (int device = 0; device < count; ++device) {
        describe_(device, &reply);
        status_.devices.push_back(reply.error == 0 ? reply.message : error_of(reply).what());
      }
    });
    if (status_.devices.empty()) {
      status_.state = CudaState::kNoDevice;
      status_.reason = "the NVIDIA driver finds no device";
    }
  } catch (const Error& error) {
    status_.state = CudaState::kNoDevice;
    status_.reason = error.what();
  }
}

std::unique_ptr<Backend> CudaLibrary::make(const BackendRequest& request) const {
  if (status_.state != CudaState::kReady) throw Error(ErrorCode::kNotFound, status_.reason);
  return guarded(status_.library, [&] {
    BackendReply reply;
    std::unique_ptr<Backend> backend(make_(&request, &reply));
    if (!backend) throw error_of(reply);
    return backend;
  });
}

CudaStatus cuda_status() { return CudaLibrary().status(); }

}  // namespace tessera
