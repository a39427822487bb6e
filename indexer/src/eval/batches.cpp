// Prepares pictures on several threads and groups them into batches of one size.
#include <algorithm>
#include <map>
#include <new>
#include <optional>
#include <utility>

#include "search/parallel.h"
#include "tessera/error.h"
#include "tessera/indexer/eval_features.h"

namespace tessera::eval {
namespace {

struct Pending {
  std::vector<std::size_t> pictures;
  std::vector<Image> images;
};

struct Prepared {
  std::optional<Image> image;
  std::string reason;
};

Prepared prepare(const PictureSource& source, std::size_t picture, const ResizeSpec& resize) {
  Prepared result;
  try {
    result.image = source(picture, resize);
  } catch (const Error& error) {
    result.reason = error.what();
  } catch (const std::bad_alloc&) {
    result.reason = "not enough memory to decode it";
  }
  return result;
}

}  // namespace

std::string failure_text(const EvalSet& set, const Failure& failure) {
  const std::string path = set.path(failure.picture).string();
  return failure.reason.find(path) != std::string::npos ? failure.reason : path + ": " + failure.reason;
}

PictureSource file_source(const EvalSet& set) {
  return [&set](std::size_t index, const ResizeSpec& resize) {
    const std::filesystem::path path = set.path(index);
    const std::vector<std::uint8_t> bytes = read_file(path, ImageLimits{}.max_file_bytes);
    return decode_prepared(bytes, path.string(), resize);
  };
}

std::vector<Failure> for_each_batch(
    std::span<const std::size_t> pictures, const PictureSource& source, const BatchOptions& options,
    const std::function<void(std::span<const std::size_t>, std::span<const Image>)>& use) {
  if (options.batch < 1) throw Error(ErrorCode::kInvalidArgument, "a batch needs at least one picture");
  const int threads = options.threads > 0 ? options.threads : usable_threads();
  const auto most = static_cast<std::size_t>(options.batch);
  const std::size_t chunk = std::max<std::size_t>(most, 4 * std::size_t(threads));
  std::vector<Failure> failures;
  std::map<std::pair<int, int>, Pending> groups;
  for (std::size_t start = 0; start < pictures.size(); start += chunk) {
    if (options.stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
    const std::size_t count = std::min(chunk, pictures.size() - start);
    std::vector<Prepared> prepared(count);
    parallel_for(count, threads,
                 [&](std::size_t i, int) { prepared[i] = prepare(source, pictures[start + i], options.resize); });
    for (std::size_t i = 0; i < count; ++i) {
      if (!prepared[i].image) {
        failures.push_back({pictures[start + i], std::move(prepared[i].reason)});
        continue;
      }
      Pending& group = groups[{prepared[i].image->width, prepared[i].image->height}];
      group.pictures.push_back(pictures[start + i]);
      group.images.push_back(std::move(*prepared[i].image));
      if (group.images.size() == most) {
        use(group.pictures, group.images);
        group = {};
      }
    }
    if (options.progress) options.progress(start + count, pictures.size());
  }
  for (const auto& [size, group] : groups) {
    if (!group.images.empty()) use(group.pictures, group.images);
  }
  return failures;
}

}  // namespace tessera::eval
