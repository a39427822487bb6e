// Convolutions on the CPU: one oneDNN primitive per layer and picture size, with bias, ReLU6 and residual fused.
#include "cpu/convolution.h"

#include <algorithm>
#include <cstring>
#include <dnnl.hpp>
#include <map>
#include <tuple>

#include "tessera/error.h"

namespace tessera::cpu {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

[[noreturn]] void rethrow(const dnnl::error& error) {
  const bool memory_short = error.status == dnnl_out_of_memory;
  throw Error(memory_short ? ErrorCode::kLimit : ErrorCode::kInternal,
              std::string("oneDNN cannot run a convolution: ") + (memory_short ? "out of memory" : error.what()));
}

class PackedConvolution final : public ConvWeights {
 public:
  memory plain;                // f32 OIHW, or GOIHW of a depthwise layer
  memory bias;                 // f32
  std::vector<memory> packed;  // one per layout that a primitive has asked for
  std::uint64_t id = 0;        // part of the primitives' key
};

struct Prepared {
  dnnl::convolution_forward primitive;
  memory weights;
  memory::desc source;
  memory::desc destination;
  memory::desc scratchpad;
};

// Zeros before and after one axis (docs/MODEL_FORMAT.md, "same").
std::pair<int, int> padding(int size, int out, const ConvShape& shape) {
  const int total = std::max((out - 1) * shape.stride + shape.kernel - size, 0);
  return {total / 2, total - total / 2};
}

}  // namespace

struct ConvolutionEngine::Impl {
  memory::data_type type;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::uint64_t layers = 0;
  std::map<std::tuple<std::uint64_t, int, int, int, bool>, Prepared> prepared;  // layer, batch, height, width, addend
  memory scratchpad;

  dnnl::convolution_forward::primitive_desc describe(const ConvShape& shape, GridSize size, int batch, bool addend);
  const memory& packed(PackedConvolution& layer, const memory::desc& layout);
  Prepared& prepare(PackedConvolution& layer, GridSize size, int batch, bool addend);
};

ConvolutionEngine::ConvolutionEngine(DType activation) try : impl_(std::make_unique<Impl>()) {
  impl_->type = activation == DType::kF32 ? memory::data_type::f32 : memory::data_type::bf16;
} catch (const dnnl::error& error) {
  rethrow(error);
}

ConvolutionEngine::~ConvolutionEngine() = default;

std::unique_ptr<ConvWeights> ConvolutionEngine::pack(const ConvShape& shape, const TensorView& weight,
                                                     std::span<const float> bias) try {
  auto layer = std::make_unique<PackedConvolution>();
  layer->shape = shape;
  layer->id = impl_->layers++;
  const memory::dim k = shape.kernel;
  const memory::desc layout = shape.depthwise
                                  ? memory::desc({shape.out, 1, 1, k, k}, memory::data_type::f32, Tag::goihw)
                                  : memory::desc({shape.out, shape.in, k, k}, memory::data_type::f32, Tag::oihw);
  layer->plain = memory(layout, impl_->engine);
  const std::vector<float> values = to_float(weight);
  std::memcpy(layer->plain.get_data_handle(), values.data(), values.size() * sizeof(float));
  layer->bias = memory({{shape.out}, memory::data_type::f32, Tag::a}, impl_->engine);
  std::memcpy(layer->bias.get_data_handle(), bias.data(), bias.size_bytes());
  return layer;
} catch (const dnnl::error& error) {
  rethrow(error);
}

dnnl::convolution_forward::primitive_desc ConvolutionEngine::Impl::describe(const ConvShape& shape, GridSize size,
                                                                            int batch, bool addend) {
  const GridSize result = strided(size, shape.stride);
  const auto [top, bottom] = padding(size.height, result.height, shape);
  const auto [left, right] = padding(size.width, result.width, shape);
  const memory::dim k = shape.kernel;
  const memory::desc source({batch, shape.in, size.height, size.width}, type, Tag::nhwc);
  const memory::desc destination({batch, shape.out, result.height, result.width}, type, Tag::nhwc);
  const memory::desc weights = shape.depthwise ? memory::desc({shape.out, 1, 1, k, k}, type, Tag::any)
                                               : memory::desc({shape.out, shape.in, k, k}, type, Tag::any);
  const memory::desc bias({shape.out}, memory::data_type::f32, Tag::a);
  const dnnl::convolution_forward::desc description(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source, weights, bias, destination,
      {shape.stride, shape.stride}, {top, left}, {bottom, right});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops operations;
  if (shape.relu6) operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_clip, 0.0f, 6.0f);
  if (addend) operations.append_sum(1.0f);  // the destination holds the addend beforehand
  attributes.set_post_ops(operations);
  return {description, attributes, engine};
}

const memory& ConvolutionEngine::Impl::packed(PackedConvolution& layer, const memory::desc& layout) {
  for (const memory& known : layer.packed) {
    if (known.get_desc() == layout) return known;
  }
  memory made(layout, engine);
  dnnl::reorder(layer.plain, made).execute(stream, layer.plain, made);
  stream.wait();
  return layer.packed.emplace_back(std::move(made));
}

Prepared& ConvolutionEngine::Impl::prepare(PackedConvolution& layer, GridSize size, int batch, bool addend) {
  const auto key = std::tuple(layer.id, batch, size.height, size.width, addend);
  const auto known = prepared.find(key);
  if (known != prepared.end()) return known->second;
  const auto description = describe(layer.shape, size, batch, addend);
  Prepared made{dnnl::convolution_forward(description), packed(layer, description.weights_desc()),
                description.src_desc(), description.dst_desc(), description.scratchpad_desc()};
  const std::size_t needed = made.scratchpad.get_size();
  if (needed > 0 && (!scratchpad || scratchpad.get_desc().get_size() < needed)) {
    scratchpad = memory(made.scratchpad, engine);
  }
  constexpr std::size_t kMaxPrepared = 4096;  // a long run over many picture sizes must not grow without bound
  if (prepared.size() >= kMaxPrepared) prepared.clear();
  return prepared.emplace(key, std::move(made)).first->second;
}

void ConvolutionEngine::run(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out) try {
  // Packing per layout is a cache; the layer's values never change.
  auto& layer = const_cast<PackedConvolution&>(static_cast<const PackedConvolution&>(weights));
  const Prepared& prepared = impl_->prepare(layer, in.size, batch, addend.data != nullptr);
  if (addend.data != nullptr) std::memcpy(out.data, addend.data, prepared.destination.get_size());
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, memory(prepared.source, impl_->engine, in.tensor.data)},
      {DNNL_ARG_WEIGHTS, prepared.weights},
      {DNNL_ARG_BIAS, layer.bias},
      {DNNL_ARG_DST, memory(prepared.destination, impl_->engine, out.data)},
  };
  if (prepared.scratchpad.get_size() > 0) {
    arguments.emplace(DNNL_ARG_SCRATCHPAD,
                      memory(prepared.scratchpad, impl_->engine, impl_->scratchpad.get_data_handle()));
  }
  prepared.primitive.execute(impl_->stream, arguments);
  impl_->stream.wait();
} catch (const dnnl::error& error) {
  rethrow(error);
}

}  // namespace tessera::cpu
