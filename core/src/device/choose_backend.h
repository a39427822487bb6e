// From what the caller of Encoder::load asked for to a backend.
#pragma once

#include <memory>
#include <string>

#include "backend.h"
#include "tessera/encoder.h"

namespace tessera {

DType dtype_of(ComputeType type);
ComputeType compute_type_of(DType type);

struct ChosenBackend {
  std::unique_ptr<Backend> backend;
  std::string note;  // a sentence if `auto` passed over a GPU that is there, or ""
};

// Throws kInvalidArgument, kNotFound (a CUDA device was asked for and there is none; says what is missing) and
// kUnsupported (a type that the device has not).
ChosenBackend choose_backend(const EncoderOptions& options);
ChosenBackend choose_cpu(const EncoderOptions& options);

}  // namespace tessera
