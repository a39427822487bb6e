// Chooses between CPU and CUDA.
#include "device/choose_backend.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "device/cuda_library.h"
#include "tessera/device.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::string_view kCuda = "cuda";

// The N of cuda:N, or 0 for cuda. Nothing for other names.
std::optional<int> cuda_index(std::string_view name) {
  if (!name.starts_with(kCuda)) return std::nullopt;
  name.remove_prefix(kCuda.size());
  if (name.empty()) return 0;
  int index = 0;
  if (name.front() != ':' || name.size() > 4) return std::nullopt;
  const char* begin = name.data() + 1;
  const char* end = name.data() + name.size();
  const auto [parsed, error] = std::from_chars(begin, end, index);
  if (error != std::errc{} || parsed != end || index < 0) return std::nullopt;
  return index;
}

std::unique_ptr<Backend> make_cuda(const CudaLibrary& library, const EncoderOptions& options, int index) {
  const int type = options.compute ? static_cast<int>(dtype_of(*options.compute)) : -1;
  return library.make({.device = index, .type = type, .memory_limit = options.memory_limit});
}

// `auto`: a GPU that is there but cannot be used is worth a word, one that is not there is none.
ChosenBackend choose_any(const EncoderOptions& options) {
  const CudaLibrary library;
  std::string note;
  switch (library.status().state) {
    case CudaState::kNoDriver:
    case CudaState::kNoLibrary:
    case CudaState::kNoDevice: break;
    case CudaState::kWrongLibrary: note = library.status().reason; break;
    case CudaState::kReady: try { return {make_cuda(library, options, 0), {}};
      } catch (const Error& error) {
        note = error.what();
      }
  }
  if (options.compute == ComputeType::kF16) {
    throw Error(ErrorCode::kUnsupported, "f16 needs a CUDA device, and none can be used: " +
                                             (note.empty() ? library.status().reason : note) + "; use f32 or bf16");
  }
  ChosenBackend chosen = choose_cpu(options);
  if (!note.empty()) chosen.note = "the GPU is not used: " + note;
  return chosen;
}

}  // namespace

DType dtype_of(ComputeType type) {
  switch (type) {
    case ComputeType::kF32: return DType::kF32;
    case ComputeType::kBF16: return DType::kBF16;
    case ComputeType::kF16: return DType::kF16;
  }
  return DType::kF32;
}

ComputeType compute_type_of(DType type) {
  switch (type) {
    case DType::kF32: return ComputeType::kF32;
    case DType::kBF16: return ComputeType::kBF16;
    case DType::kF16: return ComputeType::kF16;
    case DType::kI8: break;
  }
  return ComputeType::kF32;
}

void check_device_name(const std::string& name) {
  if (name == "auto" || name == "cpu" || cuda_index(name)) return;
  throw Error(ErrorCode::kInvalidArgument,
              "there is no device \"" + name + "\"; devices are auto, cpu, cuda and cuda:N");
}

std::vector<std::string> parse_device_list(const std::string& names) {
  std::vector<std::string> devices;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    devices.push_back(names.substr(begin, end - begin));
    check_device_name(devices.back());
    begin = end + 1;
  }
  if (devices.size() == 1) return devices;
  std::set<int> seen;
  for (const std::string& device : devices) {
    const std::optional<int> index = cuda_index(device);
    if (!index) {
      throw Error(ErrorCode::kInvalidArgument,
                  "\"" + device + "\" cannot share work with other devices; only CUDA can");
    }
    if (!seen.insert(*index).second) {
      throw Error(ErrorCode::kInvalidArgument, "the device " + device + " is named twice");
    }
  }
  return devices;
}

ChosenBackend choose_cpu(const EncoderOptions& options) {
  if (options.compute == ComputeType::kF16) {
    throw Error(ErrorCode::kUnsupported, "the CPU does not compute in f16; use f32 or bf16, or a CUDA device");
  }
  const ComputeType standard = cpu_has_fast_bf16() ? ComputeType::kBF16 : ComputeType::kF32;
  return {make_cpu_backend(dtype_of(options.compute.value_or(standard)), options.threads), {}};
}

ChosenBackend choose_backend(const EncoderOptions& options) {
  check_device_name(options.device);
  if (options.device == "cpu") return choose_cpu(options);
  const std::optional<int> index = cuda_index(options.device);
  if (!index) return choose_any(options);
  const CudaLibrary library;
  if (library.status().state != CudaState::kReady) {
    throw Error(ErrorCode::kNotFound, "the device " + options.device + " cannot be used: " + library.status().reason);
  }
  return {make_cuda(library, options, *index), {}};
}

}  // namespace tessera
