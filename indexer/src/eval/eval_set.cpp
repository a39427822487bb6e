// Evaluation sets: reading folders and label lists, hashing, making names of two sets agree.
#include "tessera/indexer/eval_set.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "eval/csv_reader.h"
#include "eval/folder.h"
#include "eval/set_builder.h"
#include "tessera/error.h"
#include "tessera/image.h"
#include "tessera/indexer/library.h"

namespace tessera::eval {
namespace {

std::vector<std::string> unique_sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

int index_of(const std::vector<std::string>& sorted, const std::string& text) {
  return static_cast<int>(std::lower_bound(sorted.begin(), sorted.end(), text) - sorted.begin());
}

// Renumbers what refers to `names` so that it refers to `merged`, which holds them all.
std::vector<int> renumbering(const std::vector<std::string>& names, const std::vector<std::string>& merged) {
  std::vector<int> map;
  for (const std::string& name : names) map.push_back(index_of(merged, name));
  return map;
}

std::vector<std::string> merged_names(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return unique_sorted(std::move(a));
}

void renumber(EvalSet& set, const std::vector<std::string>& labels, const std::vector<std::string>& categories) {
  const std::vector<int> label_map = renumbering(set.labels, labels);
  const std::vector<int> category_map = renumbering(set.categories, categories);
  for (Picture& picture : set.pictures) {
    if (picture.label >= 0) picture.label = label_map[static_cast<std::size_t>(picture.label)];
    for (Box& box : picture.boxes) box.category = category_map[static_cast<std::size_t>(box.category)];
  }
  set.labels = labels;
  set.categories = categories;
}

class Hasher {
 public:
  Hasher() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }

  void add(std::uint64_t value) { XXH3_128bits_update(state_.get(), &value, sizeof value); }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }
  void add(const std::string& text) {
    add(std::uint64_t{text.size()});
    XXH3_128bits_update(state_.get(), text.data(), text.size());
  }
  std::string hex() const {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
    ContentHash hash;
    std::copy(std::begin(canonical.digest), std::end(canonical.digest), hash.digest.begin());
    return hash.hex();
  }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

}  // namespace

EvalSet SetBuilder::build(const std::filesystem::path& folder) const {
  std::vector<std::string> labels;
  std::vector<std::string> categories;
  for (const auto& [name, entry] : entries_) {
    if (entry.labelled) labels.push_back(entry.label);
    for (const NamedBox& box : entry.boxes) categories.push_back(box.category);
  }
  EvalSet set;
  set.folder = folder;
  set.labels = unique_sorted(std::move(labels));
  set.categories = unique_sorted(std::move(categories));
  for (const auto& [name, entry] : entries_) {
    Picture picture;
    picture.name = name;
    if (entry.labelled) picture.label = index_of(set.labels, entry.label);
    for (const NamedBox& named : entry.boxes) {
      picture.boxes.push_back(named.box);
      picture.boxes.back().category = index_of(set.categories, named.category);
    }
    set.pictures.push_back(std::move(picture));
  }
  return set;
}

EvalSet read_folder(const std::filesystem::path& folder) {
  SetBuilder builder;
  for (const std::string& name : picture_names(folder)) builder.picture(name);
  return builder.build(folder);
}

EvalSet read_class_folders(const std::filesystem::path& folder) {
  SetBuilder builder;
  for (const std::string& name : picture_names(folder)) {
    const std::size_t slash = name.find('/');
    if (slash == name.npos) {
      throw Error(ErrorCode::kUnsupported, (folder / name).string() +
                                               " lies in no class folder; the labels are the names of the folders in " +
                                               folder.string());
    }
    SetBuilder::Entry& entry = builder.picture(name);
    entry.label = name.substr(0, slash);
    entry.labelled = true;
  }
  return builder.build(folder);
}

EvalSet read_label_csv(const std::filesystem::path& file, const std::filesystem::path& folder) {
  const CsvFile csv(file);
  const std::size_t name = csv.column({"name"});
  const std::size_t label = csv.column({"label", "group"});
  SetBuilder builder;
  for (const CsvRow& row : csv.rows()) {
    if (row.fields[name].empty()) csv.fail(row.line, "the name is empty");
    if (row.fields[label].empty()) csv.fail(row.line, "'" + row.fields[name] + "' has no label");
    if (builder.has(row.fields[name])) csv.fail(row.line, "'" + row.fields[name] + "' is there twice");
    SetBuilder::Entry& entry = builder.picture(row.fields[name]);
    entry.label = row.fields[label];
    entry.labelled = true;
  }
  return builder.build(folder);
}

void align_names(EvalSet& a, EvalSet& b) {
  const std::vector<std::string> labels = merged_names(a.labels, b.labels);
  const std::vector<std::string> categories = merged_names(a.categories, b.categories);
  renumber(a, labels, categories);
  renumber(b, labels, categories);
}

std::string data_hash(const EvalSet& set) {
  Hasher hasher;
  hasher.add(std::uint64_t{set.pictures.size()});
  for (std::size_t i = 0; i < set.pictures.size(); ++i) {
    const Picture& picture = set.pictures[i];
    hasher.add(picture.name);
    hasher.add(picture.label >= 0 ? set.labels[static_cast<std::size_t>(picture.label)] : std::string());
    hasher.add(std::uint64_t{picture.boxes.size()});
    for (const Box& box : picture.boxes) {
      hasher.add(set.categories[static_cast<std::size_t>(box.category)]);
      for (const double value : {box.x, box.y, box.width, box.height}) hasher.add(value);
    }
    try {
      hasher.add(hash_content(read_file(set.path(i), ImageLimits{}.max_file_bytes)).hex());
    } catch (const Error&) {
      hasher.add(std::string("unreadable"));
    }
  }
  return hasher.hex();
}

}  // namespace tessera::eval
