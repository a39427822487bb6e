// Matrix products by oneDNN: packs weights into its preferred layout and runs one primitive per shape and thread.
#include "cpu/linear_onednn.h"

#include <algorithm>
#include <cstring>
#include <dnnl.hpp>
#include <map>
#include <tuple>

#include "tessera/error.h"

namespace tessera::cpu {
namespace {

using dnnl::memory;

memory::data_type data_type(DType type) {
  return type == DType::kF32 ? memory::data_type::f32 : memory::data_type::bf16;
}

[[noreturn]] void rethrow(const dnnl::error& error, const std::string& action) {
  const bool memory_short = error.status == dnnl_out_of_memory;
  throw Error(memory_short ? ErrorCode::kLimit : ErrorCode::kInternal,
              "oneDNN cannot " + action + ": " + (memory_short ? "out of memory" : error.what()));
}

// Row count that decides the packed layout; products of other sizes use the same layout.
constexpr std::int64_t kNominalRows = 256;

class PackedLinear final : public LinearWeights {
 public:
  memory packed;
  memory bias;
  bool has_bias = false;
};

struct Product {
  dnnl::matmul primitive;
  memory::desc scratchpad;
  memory::desc source;
  memory::desc destination;
};

// Everything that the primitive depends on; matrices of one shape are packed alike.
using ProductKey = std::tuple<int, int, bool, std::int64_t, DType, bool>;

// dst = src [rows, in] x weights [in, out] (+ bias), added to what dst holds if `accumulate`.
dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, DType source, DType destination, std::int64_t rows,
                                      const memory::desc& weights, const PackedLinear& linear, bool accumulate) {
  const memory::desc src({rows, linear.in}, data_type(source), memory::format_tag::ab);
  const memory::desc dst({rows, linear.out}, data_type(destination), memory::format_tag::ab);
  const memory::desc bias({1, linear.out}, memory::data_type::f32, memory::format_tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (accumulate) {
    dnnl::post_ops operations;
    operations.append_sum(1.0f);
    attributes.set_post_ops(operations);
  }
  const auto description =
      linear.has_bias ? dnnl::matmul::desc(src, weights, bias, dst) : dnnl::matmul::desc(src, weights, dst);
  return {description, attributes, engine};
}

// The matrix as f32 rows, scaled; used when the tensor cannot be handed to oneDNN where it lies.
std::vector<float> scaled_rows(const TensorView& weight, std::span<const float> row_scale, std::int64_t in) {
  std::vector<float> values = to_float(weight);
  for (std::size_t row = 0; row < row_scale.size(); ++row) {
    float* begin = values.data() + row * static_cast<std::size_t>(in);
    for (std::int64_t i = 0; i < in; ++i) begin[i] *= row_scale[row];
  }
  return values;
}

// What a thread needs for itself to run a primitive.
struct ThreadState {
  explicit ThreadState(const dnnl::engine& engine) : stream(engine) {}
  dnnl::stream stream;
  memory scratchpad;  // the largest any product has asked for
};

}  // namespace

struct OneDnnProducts::Impl {
  DType activation;
  const Kernels& kernels;
  ThreadPool& pool;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::map<ProductKey, Product> products;
  std::vector<ThreadState> states;  // one per thread

  const Product& product(const PackedLinear& linear, std::int64_t rows, DType destination, bool accumulate);
};

OneDnnProducts::OneDnnProducts(DType activation, const Kernels& kernels, ThreadPool& pool) {
  try {
    impl_ = std::make_unique<Impl>(
        Impl{.activation = activation, .kernels = kernels, .pool = pool, .products = {}, .states = {}});
    for (int thread = 0; thread < pool.threads(); ++thread) impl_->states.emplace_back(impl_->engine);
  } catch (const dnnl::error& error) {
    rethrow(error, "start");
  }
}

OneDnnProducts::~OneDnnProducts() = default;

bool OneDnnProducts::supports_bf16() {
  try {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const memory::desc any({64, 64}, memory::data_type::bf16, memory::format_tag::any);
    PackedLinear probe;
    probe.in = probe.out = 64;
    describe(engine, DType::kBF16, DType::kF32, 64, any, probe, true);
    return true;
  } catch (const dnnl::error&) {
    return false;
  }
}

std::unique_ptr<LinearWeights> OneDnnProducts::pack(const TensorView& weight, std::span<const float> bias,
                                                    std::span<const float> row_scale) try {
  auto linear = std::make_unique<PackedLinear>();
  linear->out = static_cast<int>(weight.shape.at(0));
  linear->in = static_cast<int>(weight.shape.at(1));
  const memory::dims shape{linear->in, linear->out};
  if (!bias.empty()) {
    linear->has_bias = true;
    linear->bias = memory({{1, linear->out}, memory::data_type::f32, memory::format_tag::ab}, impl_->engine);
    std::memcpy(linear->bias.get_data_handle(), bias.data(), bias.size_bytes());
  }
  const memory::desc any(shape, data_type(impl_->activation), memory::format_tag::any);
  const auto description = describe(impl_->engine, impl_->activation, DType::kF32, kNominalRows, any, *linear, false);
  linear->packed = memory(description.weights_desc(), impl_->engine);

  // The file's [out, in] rows are the columns of the [in, out] factor: tag "ba".
  std::vector<float> converted;
  const bool aligned = reinterpret_cast<std::uintptr_t>(weight.data.data()) % alignof(float) == 0;
  const bool direct =
      row_scale.empty() && aligned &&
      (weight.type == TensorType::kF32 || (weight.type == TensorType::kBF16 && impl_->activation == DType::kBF16));
  if (!direct) converted = scaled_rows(weight, row_scale, linear->in);
  const auto source_type =
      direct && weight.type == TensorType::kBF16 ? memory::data_type::bf16 : memory::data_type::f32;
  const void* source = direct ? static_cast<const void*>(weight.data.data()) : converted.data();
  memory plain({shape, source_type, memory::format_tag::ba}, impl_->engine, const_cast<void*>(source));
  dnnl::reorder(plain, linear->packed).execute(impl_->stream, plain, linear->packed);
  impl_->stream.wait();
  return linear;
} catch (const dnnl::error& error) {
  rethrow(error, "pack a weight matrix");
}

const Product& OneDnnProducts::Impl::product(const PackedLinear& linear, std::int64_t rows, DType destination,
                                             bool accumulate) {
  const ProductKey key(linear.in, linear.out, linear.has_bias, rows, destination, accumulate);
  const auto known = products.find(key);
  if (known != products.end()) return known->second;
  const auto description =
      describe(engine, activation, destination, rows, linear.packed.get_desc(), linear, accumulate);
  Product made{dnnl::matmul(description), description.scratchpad_desc(), description.src_desc(),
               description.dst_desc()};
  const std::size_t needed = made.scratchpad.get_size();
  for (ThreadState& state : states) {
    if (needed > 0 && (!state.scratchpad || state.scratchpad.get_desc().get_size() < needed)) {
      state.scratchpad = memory(made.scratchpad, engine);
    }
  }
  constexpr std::size_t kMaxProducts = 8192;  // a long run over many picture sizes must not grow without bound
  if (products.size() >= kMaxProducts) products.clear();
  return products.emplace(key, std::move(made)).first->second;
}

void OneDnnProducts::run(const LinearWeights& weights, Tensor in, std::int64_t rows, LinearOptions options,
                         Tensor out) try {
  if (rows == 0) return;
  const OpenMpLimit limit;  // primitives are made for the one thread that will run each
  const auto& linear = static_cast<const PackedLinear&>(weights);
  // Rows in whole tiles, one range a thread: every range reads all weights.
  constexpr std::int64_t kTile = 16;
  const std::int64_t share = (rows + impl_->pool.threads() - 1) / impl_->pool.threads();
  const std::int64_t length = (share + kTile - 1) / kTile * kTile;
  const std::int64_t pieces = (rows + length - 1) / length;
  const Product whole = impl_->product(linear, std::min(length, rows), out.type, options.accumulate);
  const Product rest = impl_->product(linear, rows - (pieces - 1) * length, out.type, options.accumulate);
  const dnnl::engine& engine = impl_->engine;
  const Kernels& kernels = impl_->kernels;
  impl_->pool.run(pieces, [&](std::int64_t piece, int thread) {
    const std::int64_t first = piece * length, count = std::min(length, rows - first);
    const Product& product = piece + 1 < pieces ? whole : rest;
    ThreadState& state = impl_->states[static_cast<std::size_t>(thread)];
    const Tensor source = in.offset(static_cast<std::size_t>(first * linear.in));
    const Tensor target = out.offset(static_cast<std::size_t>(first * linear.out));
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, memory(product.source, engine, source.data)},
        {DNNL_ARG_WEIGHTS, linear.packed},
        {DNNL_ARG_DST, memory(product.destination, engine, target.data)},
    };
    if (product.scratchpad.get_size() > 0) {
      arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(product.scratchpad, engine, state.scratchpad.get_data_handle()));
    }
    if (linear.has_bias) arguments.emplace(DNNL_ARG_BIAS, linear.bias);
    product.primitive.execute(state.stream, arguments);
    state.stream.wait();
    if (!options.gelu) return;
    const auto values = static_cast<std::size_t>(count * linear.out);
    if (out.type == DType::kF32) {
      kernels.gelu_f32(static_cast<float*>(target.data), values);
    } else {
      kernels.gelu_bf16(static_cast<std::uint16_t*>(target.data), values);
    }
  });
} catch (const dnnl::error& error) {
  rethrow(error, "multiply");
}

}  // namespace tessera::cpu
