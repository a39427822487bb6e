// Conditioning and cutting of pictures into patches (specification, section 3, steps 2 and 3).
#include <cstring>

#include "cuda/cuda_backend.h"
#include "cuda/device.cuh"
#include "cuda/dispatch.h"

namespace tessera::cuda {
namespace {

constexpr unsigned kThreads = 256;

struct Cut {
  int patch;
  int rows, columns;    // patches
  std::int64_t values;  // of the whole batch
};

// Where value `index` of out [B, gh*gw, 3, p, p] comes from.
struct Origin {
  std::int64_t image;
  int channel, y, x;
};

__device__ inline Origin origin(const Cut& cut, std::int64_t index) {
  const int p = cut.patch;
  const int x = static_cast<int>(index % p);
  const int y = static_cast<int>(index / p % p);
  const int channel = static_cast<int>(index / (p * p) % 3);
  const std::int64_t patch = index / (3 * p * p);
  const int column = static_cast<int>(patch % cut.columns);
  const int row = static_cast<int>(patch / cut.columns % cut.rows);
  return {patch / cut.columns / cut.rows, channel, row * p + y, column * p + x};
}

// (x - mean) / std of a channel. Indexing the arrays would put them into local memory.
__device__ inline float conditioned(const Conditioning& c, int channel, float x) {
  const float mean = channel == 0 ? c.mean[0] : channel == 1 ? c.mean[1] : c.mean[2];
  const float std = channel == 0 ? c.std[0] : channel == 1 ? c.std[1] : c.std[2];
  return (x - mean) / std;
}

// One thread a value: bytes are interleaved [H, W, 3] ...
template <typename T>
__global__ void __launch_bounds__(kThreads)
    patchify_bytes_kernel(Global<const unsigned char> pixels, Global<T> out, Cut cut, Conditioning conditioning) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= cut.values) return;
  const Origin from = origin(cut, index);
  const std::int64_t width = std::int64_t{cut.columns} * cut.patch, height = std::int64_t{cut.rows} * cut.patch;
  const unsigned char value = pixels[((from.image * height + from.y) * width + from.x) * 3 + from.channel];
  out[index] = from_float<T>(conditioned(conditioning, from.channel, static_cast<float>(value) / 255.0f));
}

// ... and floats lie in planes [3, H, W].
template <typename T>
__global__ void __launch_bounds__(kThreads)
    patchify_floats_kernel(Global<const float> pixels, Global<T> out, Cut cut, Conditioning conditioning) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= cut.values) return;
  const Origin from = origin(cut, index);
  const std::int64_t width = std::int64_t{cut.columns} * cut.patch, height = std::int64_t{cut.rows} * cut.patch;
  const float value = pixels[((from.image * 3 + from.channel) * height + from.y) * width + from.x];
  out[index] = from_float<T>(conditioned(conditioning, from.channel, value));
}

Cut cut_of(int batch, GridSize grid, int patch) {
  return {patch, grid.height, grid.width, std::int64_t{batch} * grid.count() * 3 * patch * patch};
}

}  // namespace

void CudaBackend::patchify(std::span<const Image> images, int patch, const Conditioning& conditioning, Tensor out) {
  const GridSize grid{images[0].height / patch, images[0].width / patch};
  const Cut cut = cut_of(static_cast<int>(images.size()), grid, patch);
  const std::size_t bytes = images[0].rgb.size();
  stream_.select_device();
  auto* host = static_cast<std::uint8_t*>(staging_.begin(images.size() * bytes));
  for (std::size_t i = 0; i < images.size(); ++i) std::memcpy(host + i * bytes, images[i].rgb.data(), bytes);
  reserve_pixels(images.size() * bytes);
  staging_.send(stream_, pixels_.tensor().data, images.size() * bytes);
  dispatch(out.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    stream_.launch("patchify", {cut.values, grid.height, grid.width, patch}, &patchify_bytes_kernel<T>,
                   blocks_for(cut.values, kThreads), kThreads, data_of<const unsigned char>(pixels_.tensor()),
                   data_of<T>(out), cut, conditioning);
  });
}

void CudaBackend::patchify(std::span<const float> pixels, int batch, GridSize grid, int patch,
                           const Conditioning& conditioning, Tensor out) {
  const Cut cut = cut_of(batch, grid, patch);
  stream_.select_device();
  std::memcpy(staging_.begin(pixels.size_bytes()), pixels.data(), pixels.size_bytes());
  reserve_pixels(pixels.size_bytes());
  staging_.send(stream_, pixels_.tensor().data, pixels.size_bytes());
  dispatch(out.type, [&](auto element) {
    using T = typename decltype(element)::Type;
    stream_.launch("patchify", {cut.values, grid.height, grid.width, patch}, &patchify_floats_kernel<T>,
                   blocks_for(cut.values, kThreads), kThreads, data_of<const float>(pixels_.tensor()), data_of<T>(out),
                   cut, conditioning);
  });
}

void CudaBackend::reserve_pixels(std::size_t bytes) {
  const std::size_t values = (bytes + sizeof(float) - 1) / sizeof(float);
  if (pixels_.elements() >= values) return;
  pixels_ = Buffer();  // give the old memory back first
  pixels_ = Buffer(*this, values, DType::kF32);
}

}  // namespace tessera::cuda
