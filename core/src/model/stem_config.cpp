// Stem description: every key checked, every layer's input matched with the layer that it reads.
#include "model/stem_config.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include "backend.h"

namespace tessera {
namespace {

constexpr std::int64_t kMaxChannels = 1 << 16;
constexpr std::int64_t kMaxKernel = 31;
constexpr std::string_view kImage = "image";  // in the place of a layer's name: the conditioned picture

int index_of(const StemConfig& stem, const std::string& name) {
  for (std::size_t i = 0; i < stem.layers.size(); ++i) {
    if (stem.layers[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int required(const ConfigSection& section, const std::string& key, std::int64_t limit) {
  const auto value = section.integer(key);
  if (!value || *value < 1 || *value > limit) {
    throw section.error(key, "is missing or not between 1 and " + std::to_string(limit));
  }
  return static_cast<int>(*value);
}

StemLayer::Kind read_kind(const ConfigSection& section) {
  const std::string kind = section.text("kind").value_or("");
  if (kind == "conv") return StemLayer::Kind::kConv;
  if (kind == "depthwise") return StemLayer::Kind::kDepthwise;
  if (kind == "pointwise") return StemLayer::Kind::kPointwise;
  throw section.error("kind", "is none of conv, depthwise and pointwise: \"" + kind + "\"");
}

std::string read_name(const ConfigSection& section, const StemConfig& stem) {
  const std::string name = section.text("name").value_or("");
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
  };
  const bool taken = name == "global" || name == "token0" || name == kImage || name.starts_with("regions");
  if (name.empty() || taken || !std::all_of(name.begin(), name.end(), allowed)) {
    throw section.error("name", "is not a name for a layer: \"" + name + "\"");
  }
  if (index_of(stem, name) >= 0) throw section.error("name", "is used twice: " + name);
  return name;
}

// Index of the layer that is read: the one before, unless "from" names another or the image.
int read_source(const ConfigSection& section, const StemConfig& stem) {
  const auto from = section.text("from");
  if (!from) return static_cast<int>(stem.layers.size()) - 1;
  if (*from == kImage) return -1;
  const int index = index_of(stem, *from);
  if (index < 0) throw section.error("from", "names no earlier layer: " + *from);
  return index;
}

StemLayer read_layer(const ConfigSection& section, const StemConfig& stem) {
  section.allow({"name", "kind", "kernel", "stride", "in", "out", "activation", "padding", "from", "add"});
  StemLayer layer;
  layer.name = read_name(section, stem);
  layer.kind = read_kind(section);
  layer.kernel = required(section, "kernel", kMaxKernel);
  layer.stride = required(section, "stride", 2);
  layer.in = required(section, "in", kMaxChannels);
  layer.out = required(section, "out", kMaxChannels);
  layer.from = read_source(section, stem);
  const int expected = layer.from < 0 ? 3 : stem.layers[static_cast<std::size_t>(layer.from)].out;
  if (layer.in != expected)
    throw section.error("in", "does not match the " + std::to_string(expected) + " channels it reads");
  if (layer.kind == StemLayer::Kind::kDepthwise && layer.in != layer.out) {
    throw section.error("out", "differs from in, but the layer is depthwise");
  }
  if (layer.kind == StemLayer::Kind::kPointwise && (layer.kernel != 1 || layer.stride != 1)) {
    throw section.error("kernel", "and stride of a pointwise layer must be 1");
  }
  const std::string activation = section.text("activation").value_or("");
  if (activation != "relu6" && activation != "none") {
    throw section.error("activation", "is neither relu6 nor none: \"" + activation + "\"");
  }
  layer.relu6 = activation == "relu6";
  if (section.text("padding").value_or("same") != "same") throw section.error("padding", "is not \"same\"");
  if (const auto add = section.text("add")) {
    layer.add = index_of(stem, *add);
    if (layer.add < 0) throw section.error("add", "names no earlier layer: " + *add);
  }
  return layer;
}

void read_regions(const ConfigSection& section, StemConfig& stem) {
  section.allow({"hidden", "boxes"});
  stem.region_hidden = required(section, "hidden", kMaxChannels);
  const nlohmann::json* boxes = section.find("boxes");
  if (boxes == nullptr || !boxes->is_array() || boxes->empty() || boxes->size() > kMostCellRanges) {
    throw section.error("boxes", "is not a list of 1 to " + std::to_string(kMostCellRanges) + " regions");
  }
  for (const nlohmann::json& box : *boxes) {
    std::array<int, 4> edges{};
    bool good = box.is_array() && box.size() == edges.size();
    for (std::size_t i = 0; good && i < edges.size(); ++i) {
      good =
          box[i].is_number_integer() && box[i].get<std::int64_t>() >= 0 && box[i].get<std::int64_t>() <= kRegionParts;
      if (good) edges[i] = box[i].get<int>();
    }
    if (!good || edges[0] >= edges[1] || edges[2] >= edges[3]) {
      throw section.error("boxes", "holds what is not [top, bottom, left, right] in twelfths: " + box.dump());
    }
    stem.regions.push_back({edges[0], edges[1], edges[2], edges[3]});
  }
}

}  // namespace

int stem_stride(const StemConfig& stem, int index) {
  int stride = 1;
  for (int i = index; i >= 0; i = stem.layers[static_cast<std::size_t>(i)].from) {
    stride *= stem.layers[static_cast<std::size_t>(i)].stride;
  }
  return stride;
}

std::optional<StemConfig> read_stem_config(const ConfigSection& model_kwargs) {
  if (model_kwargs.find("stem") == nullptr) return std::nullopt;
  const ConfigSection section = model_kwargs.section("stem");
  section.allow({"name", "layers", "patch_maps", "global_map", "regions"});
  StemConfig stem;
  stem.name = section.text("name").value_or("");
  const nlohmann::json* layers = section.find("layers");
  if (layers == nullptr || !layers->is_array() || layers->empty())
    throw section.error("layers", "is not a list of layers");
  for (std::size_t i = 0; i < layers->size(); ++i) {
    const ConfigSection entry = section.element("layers", i);
    stem.layers.push_back(read_layer(entry, stem));
    const StemLayer& last = stem.layers.back();
    const int stride = stem_stride(stem, static_cast<int>(i));
    if (stride > 64) throw entry.error("stride", "makes cells of more than 64 pixels");
    if (last.add >= 0) {
      const StemLayer& added = stem.layers[static_cast<std::size_t>(last.add)];
      if (added.out != last.out || stem_stride(stem, last.add) != stride) {
        throw entry.error("add", "names a layer of another output shape: " + added.name);
      }
    }
  }
  const auto map_index = [&](const std::string& key, const nlohmann::json& value) {
    const int index = value.is_string() ? index_of(stem, value.get<std::string>()) : -1;
    if (index < 0) throw section.error(key, "names no layer");
    return index;
  };
  const nlohmann::json* maps = section.find("patch_maps");
  if (maps == nullptr || !maps->is_array() || maps->empty())
    throw section.error("patch_maps", "is not a list of layers");
  for (const nlohmann::json& map : *maps) {
    const int index = map_index("patch_maps", map);
    const int cell = stem_stride(stem, index);
    if (cell != kStemPatch && (stem.patch_maps.empty() || cell != 2 * kStemPatch)) {
      throw section.error("patch_maps",
                          "holds a map of stride " + std::to_string(cell) + ": " + map.get<std::string>());
    }
    stem.patch_maps.push_back(index);
  }
  const nlohmann::json* global = section.find("global_map");
  if (global == nullptr) throw section.error("global_map", "is missing");
  stem.global_map = map_index("global_map", *global);
  if (section.find("regions") != nullptr) read_regions(section.section("regions"), stem);
  return stem;
}

}  // namespace tessera
