// A backend library of another build: everything is there, the interface's version differs.
#include "device/backend_library.h"

using namespace tessera;

extern "C" {

const char* tessera_backend_abi() { return "0123456789abcdef"; }
int tessera_backend_devices(BackendReply*) { return 1; }
void tessera_backend_describe(int, BackendReply*) {}
Backend* tessera_backend_make(const BackendRequest*, BackendReply*) { return nullptr; }

}  // extern "C"
