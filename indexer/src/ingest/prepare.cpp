// Reading, hashing, decoding and resizing one file, and the claims that keep contents from being encoded twice.
#include "ingest/prepare.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "ingest/sidecar_marks.h"
#include "ingest/taken.h"
#include "tessera/indexer/library.h"

namespace tessera::ingest {
namespace {

constexpr std::uint64_t kDecodeBudget = std::uint64_t{768} << 20;
constexpr std::uint64_t kBigFile = std::uint64_t{64} << 20;
constexpr int kPatch = 16;

}  // namespace

std::unique_ptr<ByteBudget::Share> ByteBudget::take(std::uint64_t bytes) {
  bytes = std::min(bytes, total_);
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] { return free_ >= bytes; });
  free_ -= bytes;
  return std::make_unique<Share>(*this, bytes);
}

void ByteBudget::give_back(std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  free_ += bytes;
  freed_.notify_all();
}

ContentClaims::Claim ContentClaims::claim(const ContentHash& hash, const WalkItem& item) {
  const std::lock_guard lock(mutex_);
  if (const auto pending = pending_.find(hash); pending != pending_.end()) {
    pending->second.push_back(item);
    return {Answer::kWaiting, 0};
  }
  if (const auto known = catalog_->find_content(hash); known && known->encoded) return {Answer::kKnown, known->id};
  pending_.try_emplace(hash);
  return {Answer::kMine, 0};
}

std::vector<WalkItem> ContentClaims::release(const ContentHash& hash) {
  const std::lock_guard lock(mutex_);
  const auto node = pending_.extract(hash);
  return node.empty() ? std::vector<WalkItem>() : std::move(node.mapped());
}

Preparer::Preparer(const ResizeSpec& resize, const ImageLimits& limits, ContentClaims& claims)
    : resize_(resize), limits_(limits), claims_(claims), budget_(kDecodeBudget) {}

std::optional<Prepared> Preparer::prepare(const WalkItem& item, double& seconds) {
  const auto begin = std::chrono::steady_clock::now();
  Prepared result;
  result.item = item;
  const bool waits = !prepare_content(result);
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (waits) return std::nullopt;
  return result;
}

// Runs a step on the file; what it throws is the file's failure.
template <typename Step>
bool Preparer::attempt(Prepared& result, const Step& step) {
  const auto fail = [&](ErrorCode code, std::string reason) {
    result.kind = Prepared::Kind::kFailed;
    result.failure_code = code;
    result.failure = std::move(reason);
    result.image = {};
    return false;
  };
  try {
    step();
    return true;
  } catch (const Error& error) {
    return fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kLimit, result.item.path + ": not enough memory to decode it");
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, result.item.path + ": " + error.what());
  }
}

bool Preparer::prepare_content(Prepared& result) {
  std::unique_lock<std::mutex> alone;
  if (result.item.stamp.bytes > kBigFile) alone = std::unique_lock(big_file_);
  std::vector<std::uint8_t> bytes;
  const bool read = attempt(result, [&] {
    bytes = read_file(result.item.path, limits_.max_file_bytes);
    result.hash = hash_content(bytes);
  });
  if (!read) {
    if (result.failure_code == ErrorCode::kNotFound) result.kind = Prepared::Kind::kGone;
    return true;
  }
  result.taken = date_taken(bytes);
  const ContentClaims::Claim claim = claims_.claim(*result.hash, result.item);
  if (claim.answer == ContentClaims::Answer::kWaiting) return false;
  if (claim.answer == ContentClaims::Answer::kKnown) {
    result.kind = Prepared::Kind::kKnown;
    result.known = claim.known;
  } else {
    attempt(result, [&] { decode(result, bytes); });
    if (result.kind == Prepared::Kind::kImage) result.sidecar = sidecar_of(result.item.path);
  }
  return true;
}

void Preparer::decode(Prepared& result, const std::vector<std::uint8_t>& bytes) {
  const std::string& path = result.item.path;
  result.info = probe_image(bytes, path, limits_);
  const ImageSize size = prepared_size(result.info.width, result.info.height, resize_);
  if ((size.width / kPatch) * (size.height / kPatch) < 4) {
    throw Error(ErrorCode::kUnsupported, path + ": at " + std::to_string(size.width) + " x " +
                                             std::to_string(size.height) + " pixels it is too small for a token");
  }
  const std::uint64_t pixels = std::uint64_t(result.info.width) * std::uint64_t(result.info.height);
  const auto share = budget_.take(3 * pixels);
  result.image = decode_prepared(bytes, path, resize_, limits_);
}

}  // namespace tessera::ingest
