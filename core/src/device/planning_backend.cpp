// Counts as cuda/cuda_backend.cpp, cuda/convolution.cu, cuda/patchify.cu and cuda/matmul_cublaslt.cpp allocate.
#include "device/planning_backend.h"

#include <algorithm>

#include "device/memory_layout.h"

namespace tessera {
namespace {

struct PlannedLinear final : LinearWeights {
  Buffer weight, bias, narrow_bias;
};

struct PlannedConvolution final : ConvWeights {
  std::unique_ptr<LinearWeights> pointwise;
  Buffer weight, bias;
};

std::size_t elements_of(const TensorView& tensor) { return static_cast<std::size_t>(tensor.element_count()); }

}  // namespace

PlanningBackend::PlanningBackend(DType activation) : activation_(activation) { allocate(kProductWorkspace); }

void* PlanningBackend::allocate(std::size_t bytes) {
  const std::size_t rounded =
      std::max((bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment, kDeviceAlignment);
  next_ += kDeviceAlignment;
  held_[next_] = rounded;
  in_use_ += rounded;
  peak_ = std::max(peak_, in_use_);
  return reinterpret_cast<void*>(next_);
}

void PlanningBackend::deallocate(void* data) noexcept {
  const auto piece = held_.find(reinterpret_cast<std::size_t>(data));
  if (piece == held_.end()) return;
  in_use_ -= piece->second;
  held_.erase(piece);
}

std::unique_ptr<LinearWeights> PlanningBackend::pack_linear(const TensorView& weight, std::span<const float> bias,
                                                            std::span<const float>) {
  auto linear = std::make_unique<PlannedLinear>();
  linear->out = static_cast<int>(weight.shape.at(0));
  linear->in = static_cast<int>(weight.shape.at(1));
  linear->weight = Buffer(*this, elements_of(weight), activation_);
  if (bias.empty()) return linear;
  linear->bias = Buffer(*this, bias.size(), DType::kF32);
  if (activation_ != DType::kF32) linear->narrow_bias = Buffer(*this, bias.size(), activation_);
  return linear;
}

std::unique_ptr<ConvWeights> PlanningBackend::pack_convolution(const ConvShape& shape, const TensorView& weight,
                                                               std::span<const float> bias) {
  auto layer = std::make_unique<PlannedConvolution>();
  layer->shape = shape;
  if (shape.kernel == 1 && shape.stride == 1 && !shape.depthwise) {
    layer->pointwise = pack_linear(weight, bias, {});
    return layer;
  }
  layer->weight = Buffer(*this, elements_of(weight), DType::kF32);
  layer->bias = Buffer(*this, bias.size(), DType::kF32);
  return layer;
}

void PlanningBackend::patchify(std::span<const Image> images, int, const Conditioning&, Tensor) {
  reserve_pixels(images.size() * 3 * static_cast<std::size_t>(images[0].width) *
                 static_cast<std::size_t>(images[0].height));
}

void PlanningBackend::patchify(std::span<const float> pixels, int, GridSize, int, const Conditioning&, Tensor) {
  reserve_pixels(pixels.size_bytes());
}

void PlanningBackend::reserve_pixels(std::size_t bytes) {
  const std::size_t values = (bytes + sizeof(float) - 1) / sizeof(float);
  if (pixels_.elements() >= values) return;
  pixels_ = Buffer();
  pixels_ = Buffer(*this, values, DType::kF32);
}

}  // namespace tessera
