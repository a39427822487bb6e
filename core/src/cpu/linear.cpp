// Chooses between the own f32 products and oneDNN, and runs them.
#include "cpu/linear.h"

namespace tessera::cpu {
namespace {

class OwnLinear final : public LinearWeights {
 public:
  OwnLinear(const TensorView& weight, std::span<const float> bias, std::span<const float> row_scale,
            const Kernels& kernels, ThreadPool& pool)
      : matrix(weight, bias, row_scale, kernels, pool) {
    in = static_cast<int>(matrix.in());
    out = static_cast<int>(matrix.out());
  }
  PackedMatrix matrix;
};

}  // namespace

LinearEngine::LinearEngine(DType activation, const Kernels& kernels, ThreadPool& pool)
    : kernels_(kernels), pool_(pool) {
  if (activation == DType::kBF16 || !kernels.products_fastest) {
    onednn_ = std::make_unique<OneDnnProducts>(activation, kernels, pool);
  }
}

std::unique_ptr<LinearWeights> LinearEngine::pack(const TensorView& weight, std::span<const float> bias,
                                                  std::span<const float> row_scale) {
  if (onednn_) return onednn_->pack(weight, bias, row_scale);
  return std::make_unique<OwnLinear>(weight, bias, row_scale, kernels_, pool_);
}

void LinearEngine::run(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options, Tensor out) {
  if (onednn_) return onednn_->run(weights, in, rows, options, out);
  auto* target = static_cast<float*>(out.data);
  static_cast<const OwnLinear&>(weights).matrix.multiply(static_cast<const float*>(in.data), rows, options.gelu,
                                                         options.accumulate ? target : nullptr, target, kernels_,
                                                         pool_);
}

}  // namespace tessera::cpu
