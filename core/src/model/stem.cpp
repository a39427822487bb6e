// Stem graph: convolutions in the order of the description, patch features from the chosen maps, pooled global feature.
#include "model/stem.h"

#include <algorithm>

#include "model/stem_config.h"
#include "model/weight_reader.h"

namespace tessera {
namespace {

// Last layer that reads the output of each layer; maps that leave the stem are read after the last one.
std::vector<std::size_t> last_uses(const StemConfig& config) {
  std::vector<std::size_t> last(config.layers.size());
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    last[i] = i;  // a map that nobody reads still takes its place while it is written
    for (const int read : {config.layers[i].from, config.layers[i].add}) {
      if (read >= 0) last[static_cast<std::size_t>(read)] = i;
    }
  }
  for (const int map : config.patch_maps) last[static_cast<std::size_t>(map)] = config.layers.size();
  last[static_cast<std::size_t>(config.global_map)] = config.layers.size();
  return last;
}

// Gives every layer the first buffer that nobody still needs.
std::vector<std::size_t> assign_slots(const StemConfig& config) {
  const std::vector<std::size_t> last = last_uses(config);
  std::vector<std::size_t> slots, busy_until;
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    std::size_t slot = 0;
    while (slot < busy_until.size() && busy_until[slot] >= i) ++slot;
    if (slot == busy_until.size()) busy_until.push_back(0);
    busy_until[slot] = last[i];
    slots.push_back(slot);
  }
  return slots;
}

GridSize pixels_of(GridSize grid) { return {grid.height * kStemPatch, grid.width * kStemPatch}; }

std::string describe(const StemConfig& config) {
  std::string text = "stem;";
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    const StemLayer& layer = config.layers[i];
    for (const int value : {static_cast<int>(layer.kind), layer.kernel, layer.stride, layer.relu6 ? 1 : 0, layer.add}) {
      text += std::to_string(value) + ",";
    }
    if (layer.from != static_cast<int>(i) - 1) text += "from=" + std::to_string(layer.from);
    text += ";";
  }
  for (const int map : config.patch_maps) text += std::to_string(map) + ",";
  text += "global=" + std::to_string(config.global_map) + ";";
  for (const StemRegion& region : config.regions) {
    for (const int edge : {region.top, region.bottom, region.left, region.right}) text += std::to_string(edge) + ",";
    text += ";";
  }
  return text;
}

constexpr int kImagesAtOnce = 2;

int first_cell(int edge, int cells) { return edge * cells / kRegionParts; }
int end_cell(int edge, int cells) { return (edge * cells + kRegionParts - 1) / kRegionParts; }

}  // namespace

std::vector<CellRange> region_cells(const StemConfig& config, GridSize grid) {
  std::vector<CellRange> ranges;
  for (const StemRegion& region : config.regions) {
    ranges.push_back({first_cell(region.top, grid.height), end_cell(region.bottom, grid.height),
                      first_cell(region.left, grid.width), end_cell(region.right, grid.width)});
  }
  return ranges;
}

StemWeights load_stem(WeightReader& reader, const StemConfig& config, const std::string& name, int width) {
  reader.hasher().add(describe(config));
  StemWeights weights;
  for (const StemLayer& layer : config.layers) {
    const bool depthwise = layer.kind == StemLayer::Kind::kDepthwise;
    const ConvShape shape{layer.kernel, layer.stride, layer.in, layer.out, depthwise, layer.relu6};
    weights.layers.push_back(reader.convolution(name + layer.name, shape));
  }
  const int global = config.layers[static_cast<std::size_t>(config.global_map)].out;
  weights.global_weight = reader.buffer(name + "global.weight", {width, global});
  weights.global_bias = reader.buffer(name + "global.bias", {width});
  if (config.token0_skip) {
    weights.token0_weight = reader.buffer(name + "token0.weight", {2 * width, global});
    weights.token0_bias = reader.buffer(name + "token0.bias", {2 * width});
  }
  if (!config.regions.empty()) {
    weights.region_fc1 = reader.linear(name + "regions.fc1", config.region_hidden, config.region_features(), true);
    weights.region_fc2 = reader.linear(name + "regions.fc2", 2 * width, config.region_hidden, true);
  }
  return weights;
}

Stem::Stem(Backend& backend, const StemConfig& config)
    : backend_(backend), config_(config), slot_of_(assign_slots(config_)) {}

FeatureMap Stem::map(int layer, GridSize pixels) const {
  const auto index = static_cast<std::size_t>(layer);
  return {slots_[slot_of_[index]].tensor(), size_of(layer, pixels), config_.layers[index].out};
}

GridSize Stem::size_of(int layer, GridSize pixels) const {
  if (layer < 0) return pixels;
  const StemLayer& last = config_.layers[static_cast<std::size_t>(layer)];
  return strided(size_of(last.from, pixels), last.stride);
}

void Stem::release() {
  slots_.clear();
  image_ = Buffer();
}

void Stem::reserve(int batch, GridSize pixels) {
  const auto images = static_cast<std::size_t>(batch);
  const DType type = backend_.activation_type();
  std::vector<std::size_t> needed(1 + *std::max_element(slot_of_.begin(), slot_of_.end()));
  for (std::size_t i = 0; i < config_.layers.size(); ++i) {
    const GridSize size = size_of(static_cast<int>(i), pixels);
    const std::size_t elements =
        images * static_cast<std::size_t>(size.count()) * static_cast<std::size_t>(config_.layers[i].out);
    needed[slot_of_[i]] = std::max(needed[slot_of_[i]], elements);
  }
  slots_.resize(needed.size());
  const auto grow = [&](Buffer& buffer, std::size_t elements) {
    if (buffer.elements() >= elements) return;
    buffer = Buffer();
    buffer = Buffer(backend_, elements, type);
  };
  for (std::size_t slot = 0; slot < needed.size(); ++slot) grow(slots_[slot], needed[slot]);
  grow(image_, images * static_cast<std::size_t>(pixels.count()) * 3);
}

void Stem::run_part(const StemWeights& weights, const Conditioning& conditioning, const PixelInput& input,
                    Tensor patches, Tensor global, const TensorTap& tap) {
  const GridSize pixels = pixels_of(input.grid);
  const Tensor image = image_.tensor();
  if (!input.images.empty()) {  // a patch of one pixel is a pixel's channels: NHWC
    backend_.patchify(input.images, 1, conditioning, image);
  } else {
    backend_.patchify(input.pixels, input.batch, pixels, 1, conditioning, image);
  }
  for (std::size_t i = 0; i < config_.layers.size(); ++i) {
    const StemLayer& layer = config_.layers[i];
    const FeatureMap source = layer.from >= 0 ? map(layer.from, pixels) : FeatureMap{image, pixels, 3};
    const FeatureMap next = map(static_cast<int>(i), pixels);
    const Tensor addend = layer.add >= 0 ? map(layer.add, pixels).tensor : Tensor{};
    backend_.convolution(*weights.layers[i], source, input.batch, addend, next.tensor);
    if (tap) {
      std::vector<float> values(static_cast<std::size_t>(input.batch) * static_cast<std::size_t>(next.size.count()) *
                                static_cast<std::size_t>(next.channels));
      backend_.download(next.tensor, values);
      tap(layer.name, values, {input.batch, next.size.height, next.size.width, next.channels});
    }
  }
  std::vector<FeatureMap> maps;
  for (const int index : config_.patch_maps) maps.push_back(map(index, pixels));
  backend_.gather_maps(maps, input.batch, input.grid, patches);
  backend_.pool_map(map(config_.global_map, pixels), input.batch, global);
}

void Stem::run(const StemWeights& weights, const Conditioning& conditioning, const PixelInput& input, Tensor patches,
               Tensor global, const TensorTap& tap) {
  const int at_once = tap ? input.batch : std::min(input.batch, kImagesAtOnce);  // a tap sees the whole batch
  reserve(at_once, pixels_of(input.grid));
  const auto image_values = static_cast<std::size_t>(pixels_of(input.grid).count()) * 3;
  const auto patch_values = static_cast<std::size_t>(input.grid.count() * features());
  for (int first = 0; first < input.batch; first += at_once) {
    const auto skipped = static_cast<std::size_t>(first);
    PixelInput part = input;
    part.batch = std::min(at_once, input.batch - first);
    const auto count = static_cast<std::size_t>(part.batch);
    if (!input.images.empty()) {
      part.images = input.images.subspan(skipped, count);
    } else {
      part.pixels = input.pixels.subspan(skipped * image_values, count * image_values);
    }
    run_part(weights, conditioning, part, patches.offset(skipped * patch_values),
             global.offset(skipped * static_cast<std::size_t>(global_width())), tap);
  }
}

}  // namespace tessera
