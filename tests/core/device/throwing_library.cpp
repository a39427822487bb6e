// A backend library that breaks its promise not to throw, each device in another way.
#include <stdexcept>

#include "device/backend_library.h"
#include "tessera/error.h"

using namespace tessera;

extern "C" {

const char* tessera_backend_abi() { return TESSERA_BACKEND_ABI; }
int tessera_backend_devices(BackendReply*) { return 3; }
void tessera_backend_describe(int, BackendReply*) {}
Backend* tessera_backend_make(const BackendRequest* request, BackendReply*) {
  if (request->device == 0) throw std::runtime_error("no context");
  if (request->device == 1) throw 1;
  throw Error(ErrorCode::kLimit, "no memory");
}

}  // extern "C"
