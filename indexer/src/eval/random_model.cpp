// A copy of a model with random weights: what a network of this shape knows without training.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <system_error>

#include "eval/random.h"
#include "store/half.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_random_model.h"
#include "tessera/safetensors.h"

namespace tessera::eval {
namespace {

// Standard deviation of the elements, 0 for biases; none for what is kept.
struct Fill {
  double deviation = 0;
  double constant = 0;
};

Fill fill_of(const std::string& name, const std::vector<std::int64_t>& shape) {
  if (shape.size() < 2) return {0, name.ends_with("weight") || name.ends_with("gamma") ? 1.0 : 0.0};
  const bool convolution = shape.size() == 4;
  std::int64_t inputs = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
  if (shape.size() == 3) inputs = shape.back();  // positions: a row each
  return {std::sqrt((convolution ? 2.0 : 1.0) / double(std::max<std::int64_t>(inputs, 1))), 0};
}

bool is_kept(const std::string& name, const TensorView& tensor) {
  return tensor.type == TensorType::kI64 || name.find("input_conditioner.") != name.npos;
}

void append_value(std::vector<std::byte>& bytes, TensorType type, float value) {
  const auto append = [&bytes](const auto& raw) {
    const auto* begin = reinterpret_cast<const std::byte*>(&raw);
    bytes.insert(bytes.end(), begin, begin + sizeof raw);
  };
  if (type == TensorType::kF32) {
    append(value);
  } else if (type == TensorType::kF16) {
    append(float_to_half(value));
  } else {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    append(static_cast<std::uint16_t>(bits >> 16));
  }
}

std::vector<std::byte> random_bytes(const std::string& name, const TensorView& tensor, Random& random) {
  const Fill fill = fill_of(name, tensor.shape);
  std::vector<std::byte> bytes;
  bytes.reserve(tensor.data.size());
  for (std::int64_t i = 0; i < tensor.element_count(); ++i) {
    const double value = fill.deviation > 0 ? fill.deviation * random.normal() : fill.constant;
    append_value(bytes, tensor.type, static_cast<float>(value));
  }
  return bytes;
}

void write_random_file(const std::filesystem::path& from, const std::filesystem::path& to, Random& random) {
  const SafetensorsFile file(from);
  std::vector<SafetensorsWriter::Declaration> declarations;
  for (const auto& [name, tensor] : file.tensors()) declarations.push_back({name, tensor.type, tensor.shape});
  SafetensorsWriter writer(to, declarations, file.metadata());
  for (const auto& [name, tensor] : file.tensors()) {
    if (is_kept(name, tensor)) {
      writer.append(tensor.data);
    } else {
      writer.append(random_bytes(name, tensor, random));
    }
  }
  writer.finish();
}

}  // namespace

void write_random_model(const std::filesystem::path& model_dir, const std::filesystem::path& folder,
                        std::uint64_t seed) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw errno_error("make folder", folder.string(), error.value());
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator at(model_dir, error), end; !error && at != end; at.increment(error)) {
    files.push_back(at->path());
  }
  if (error) throw errno_error("read folder", model_dir.string(), error.value());
  std::sort(files.begin(), files.end());
  Random random(seed);
  for (const std::filesystem::path& file : files) {
    const std::filesystem::path to = folder / file.filename();
    if (file.extension() == ".safetensors") {
      write_random_file(file, to, random);
    } else if (file.extension() == ".json") {
      std::filesystem::copy_file(file, to, std::filesystem::copy_options::overwrite_existing, error);
      if (error) throw errno_error("write", to.string(), error.value());
    }
  }
}

}  // namespace tessera::eval
