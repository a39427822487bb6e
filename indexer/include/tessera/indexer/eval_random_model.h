// A copy of a model with random weights: what a network of this shape knows without training.
#pragma once

#include <cstdint>
#include <filesystem>

namespace tessera::eval {

// Writes config.json and every safetensors file of `model_dir` to `folder`, which is made. Matrices are normal with
// variance 1 / inputs (convolutions 2 / inputs), norm weights 1, biases 0; input statistics and integers are kept.
// Seeded. Throws what reading and writing throw.
void write_random_model(const std::filesystem::path& model_dir, const std::filesystem::path& folder,
                        std::uint64_t seed);

}  // namespace tessera::eval
