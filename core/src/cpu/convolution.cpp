// Convolutions by oneDNN: one primitive per layer and band of rows, with bias, ReLU6 and residual fused; threads share
// the bands of all images.
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

// What a thread needs for itself to run a primitive.
struct ThreadState {
  explicit ThreadState(const dnnl::engine& engine) : stream(engine) {}
  dnnl::stream stream;
  memory scratchpad;  // the largest any layer has asked for
};

// Zeros before an axis (docs/MODEL_FORMAT.md, "same").
int padding_before(int size, int out, const ConvShape& shape) {
  return std::max((out - 1) * shape.stride + shape.kernel - size, 0) / 2;
}

// Outputs [out_begin, out_begin + out) of an axis, the inputs [in_begin, in_begin + in) that they need, and the zeros
// around these.
struct Section {
  int out_begin, out, in_begin, in, before, after;
};

Section section(int size, int out_size, const ConvShape& shape, int begin, int end) {
  const int first = begin * shape.stride - padding_before(size, out_size, shape);
  const int last = (end - 1) * shape.stride - padding_before(size, out_size, shape) + shape.kernel;  // after it
  const int from = std::max(first, 0), to = std::min(last, size);
  return {begin, end - begin, from, to - from, from - first, last - to};
}

}  // namespace

struct ConvolutionEngine::Impl {
  Impl(DType activation, ThreadPool& threads)
      : type(activation == DType::kF32 ? memory::data_type::f32 : memory::data_type::bf16), pool(threads) {}

  memory::data_type type;
  ThreadPool& pool;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::vector<ThreadState> states;  // one per thread
  std::uint64_t layers = 0;
  // layer, width, rows, zeros above, zeros below, addend
  std::map<std::tuple<std::uint64_t, int, int, int, int, bool>, Prepared> prepared;

  dnnl::convolution_forward::primitive_desc describe(const ConvShape& shape, int width, const Section& rows,
                                                     bool addend);
  const memory& packed(PackedConvolution& layer, const memory::desc& layout);
  const Prepared& prepare(PackedConvolution& layer, int width, const Section& rows, bool addend);
};

ConvolutionEngine::ConvolutionEngine(DType activation, ThreadPool& pool) try
    : impl_(std::make_unique<Impl>(activation, pool)) {
  for (int thread = 0; thread < pool.threads(); ++thread) impl_->states.emplace_back(impl_->engine);
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

dnnl::convolution_forward::primitive_desc ConvolutionEngine::Impl::describe(const ConvShape& shape, int width,
                                                                            const Section& rows, bool addend) {
  const int out_width = strided({1, width}, shape.stride).width;
  const Section columns = section(width, out_width, shape, 0, out_width);
  const memory::dim k = shape.kernel;
  const memory::desc source({1, shape.in, rows.in, width}, type, Tag::nhwc);
  const memory::desc destination({1, shape.out, rows.out, out_width}, type, Tag::nhwc);
  const memory::desc weights = shape.depthwise ? memory::desc({shape.out, 1, 1, k, k}, type, Tag::any)
                                               : memory::desc({shape.out, shape.in, k, k}, type, Tag::any);
  const memory::desc bias({shape.out}, memory::data_type::f32, Tag::a);
  const dnnl::convolution_forward::desc description(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source, weights, bias, destination,
      {shape.stride, shape.stride}, {rows.before, columns.before}, {rows.after, columns.after});
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
  dnnl::stream& stream = states[0].stream;
  dnnl::reorder(layer.plain, made).execute(stream, layer.plain, made);
  stream.wait();
  return layer.packed.emplace_back(std::move(made));
}

const Prepared& ConvolutionEngine::Impl::prepare(PackedConvolution& layer, int width, const Section& rows,
                                                 bool addend) {
  const auto key = std::tuple(layer.id, width, rows.out, rows.before, rows.after, addend);
  const auto known = prepared.find(key);
  if (known != prepared.end()) return known->second;
  const auto description = describe(layer.shape, width, rows, addend);
  Prepared made{dnnl::convolution_forward(description), packed(layer, description.weights_desc()),
                description.src_desc(), description.dst_desc(), description.scratchpad_desc()};
  const std::size_t needed = made.scratchpad.get_size();
  for (ThreadState& state : states) {
    if (needed > 0 && (!state.scratchpad || state.scratchpad.get_desc().get_size() < needed)) {
      state.scratchpad = memory(made.scratchpad, engine);
    }
  }
  constexpr std::size_t kMaxPrepared = 4096;  // a long run over many picture sizes must not grow without bound
  if (prepared.size() >= kMaxPrepared) prepared.clear();
  return prepared.emplace(key, std::move(made)).first->second;
}

void ConvolutionEngine::run(const ConvWeights& weights, FeatureMap in, int batch, Tensor addend, Tensor out) try {
  const OpenMpLimit limit;  // primitives are made for the one thread that will run each
  // Packing per layout is a cache; the layer's values never change.
  auto& layer = const_cast<PackedConvolution&>(static_cast<const PackedConvolution&>(weights));
  const ConvShape& shape = layer.shape;
  const GridSize result = strided(in.size, shape.stride);
  constexpr int kMinRows = 4;  // a lower band would read too much twice
  const int wanted = (2 * impl_->pool.threads() + batch - 1) / batch;
  const int bands = std::clamp(wanted, 1, std::max(1, result.height / kMinRows));
  struct Band {
    Section rows;
    Prepared prepared;
  };
  std::vector<Band> parts;
  for (int band = 0; band < bands; ++band) {
    const Section rows =
        section(in.size.height, result.height, shape, band * result.height / bands, (band + 1) * result.height / bands);
    parts.push_back({rows, impl_->prepare(layer, in.size.width, rows, addend.data != nullptr)});
  }
  const dnnl::engine& engine = impl_->engine;
  impl_->pool.run(std::int64_t{batch} * bands, [&](std::int64_t piece, int thread) {
    const std::int64_t image = piece / bands;
    const auto& [rows, prepared] = parts[static_cast<std::size_t>(piece % bands)];
    const std::int64_t in_row = image * in.size.height + rows.in_begin;
    const std::int64_t out_row = image * result.height + rows.out_begin;
    const auto in_place = static_cast<std::size_t>(in_row * in.size.width * shape.in);
    const auto out_place = static_cast<std::size_t>(out_row * result.width * shape.out);
    void* target = out.offset(out_place).data;
    if (addend.data != nullptr) {
      std::memcpy(target, addend.offset(out_place).data, prepared.destination.get_size());
    }
    ThreadState& state = impl_->states[static_cast<std::size_t>(thread)];
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, memory(prepared.source, engine, in.tensor.offset(in_place).data)},
        {DNNL_ARG_WEIGHTS, prepared.weights},
        {DNNL_ARG_BIAS, layer.bias},
        {DNNL_ARG_DST, memory(prepared.destination, engine, target)},
    };
    if (prepared.scratchpad.get_size() > 0) {
      arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(prepared.scratchpad, engine, state.scratchpad.get_data_handle()));
    }
    prepared.primitive.execute(state.stream, arguments);
    state.stream.wait();
  });
} catch (const dnnl::error& error) {
  rethrow(error);
}

}  // namespace tessera::cpu
