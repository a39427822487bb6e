// The first half of the pipeline: reads, hashes, decodes and resizes files on several threads within a memory budget.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "ingest/walk.h"
#include "tessera/error.h"
#include "tessera/image.h"
#include "tessera/indexer/xmp.h"
#include "tessera/resize.h"

namespace tessera::ingest {

// Lets threads hold at most `total` bytes together; who wants more than all of it waits until it can have all.
// Thread rule: any thread.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t total) : total_(total), free_(total) {}

  class Share {
   public:
    Share(ByteBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_->give_back(bytes_); }

   private:
    ByteBudget* budget_;
    std::uint64_t bytes_;
  };
  std::unique_ptr<Share> take(std::uint64_t bytes);

 private:
  void give_back(std::uint64_t bytes) noexcept;

  const std::uint64_t total_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::uint64_t free_;
};

// Which contents are known or being worked on, so that none is encoded twice.
// Thread rule: any thread.
class ContentClaims {
 public:
  // `catalog` is a connection that belongs to the claims alone.
  explicit ContentClaims(std::unique_ptr<catalog::Catalog> catalog) : catalog_(std::move(catalog)) {}

  enum class Answer {
    kMine,     // the caller prepares it; release() ends the claim
    kKnown,    // encoded before
    kWaiting,  // another file of the same content is under way; the item comes back from release()
  };
  struct Claim {
    Answer answer = Answer::kMine;
    ImageId known = 0;
  };
  Claim claim(const ContentHash& hash, const WalkItem& item);
  // Ends the claim once the content's fate is in the catalog; the files that waited for it.
  std::vector<WalkItem> release(const ContentHash& hash);

 private:
  std::mutex mutex_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::map<ContentHash, std::vector<WalkItem>> pending_;
};

// A file after the first half of the pipeline: exactly one of the three.
struct Prepared {
  enum class Kind {
    kImage,   // to be encoded: `hash`, `info`, `image`
    kKnown,   // `known` has its content
    kFailed,  // `failure_code`, `failure`; `hash` if it could be read, `info` if the header could
    kGone,    // no longer there since the walk
  };
  Kind kind = Kind::kImage;
  WalkItem item;
  std::optional<ContentHash> hash;
  ImageInfo info;
  std::optional<std::int64_t> taken;  // as in ImageRecord
  std::optional<XmpData> sidecar;     // of kImage
  Image image;
  ImageId known = 0;
  ErrorCode failure_code = ErrorCode::kInternal;
  std::string failure;
};

// Thread rule: any thread.
class Preparer {
 public:
  Preparer(const ResizeSpec& resize, const ImageLimits& limits, ContentClaims& claims);

  // A bad file is a result; throws only for the catalog. None if the item waits for another one of its content.
  // `seconds` is increased by the time spent working.
  std::optional<Prepared> prepare(const WalkItem& item, double& seconds);

 private:
  template <typename Step>
  static bool attempt(Prepared& result, const Step& step);
  bool prepare_content(Prepared& result);  // false: it waits
  void decode(Prepared& result, const std::vector<std::uint8_t>& bytes);

  const ResizeSpec resize_;
  const ImageLimits limits_;
  ContentClaims& claims_;
  ByteBudget budget_;
  std::mutex big_file_;  // at most one file of unusual size is in memory
};

}  // namespace tessera::ingest
