// Segment and catalog commits of an index run.
#include "ingest/commit.h"

#include "ingest/sidecar_marks.h"

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

#include "tessera/error.h"

namespace tessera::ingest {
namespace {

constexpr auto kCommitInterval = std::chrono::seconds(60);
constexpr std::size_t kMaxOthers = 4096;

}  // namespace

std::string next_segment_name(catalog::Database& db) {
  const std::int64_t next =
      db.query_int("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'segments'), 0) + 1");
  char name[32];
  std::snprintf(name, sizeof name, "%08lld.seg", static_cast<long long>(next));
  return name;
}

Committer::Committer(catalog::Catalog& catalog, ContentClaims& claims, std::filesystem::path segments_dir,
                     const SegmentSpec& spec, int images_per_segment, int first_segment, std::int64_t run,
                     IngestReport& report)
    : catalog_(catalog),
      claims_(claims),
      segments_dir_(std::move(segments_dir)),
      spec_(spec),
      images_per_segment_(static_cast<std::size_t>(std::clamp(images_per_segment, 1, 1 << 20))),
      next_segment_(first_segment > 0 ? std::min(images_per_segment_, static_cast<std::size_t>(first_segment))
                                      : images_per_segment_),
      run_(run),
      report_(report) {}

void Committer::add_encoded(Prepared&& image, const CodedTokens& tokens) {
  if (size() == 0) oldest_ = std::chrono::steady_clock::now();
  image.image = {};
  if (writer_ == nullptr) {
    segment_name_ = next_segment_name(catalog_.db());
    writer_ = std::make_unique<SegmentWriter>(segments_dir_ / segment_name_, spec_);
  }
  try {
    const std::uint32_t row = writer_->add(*image.hash, tokens);
    encoded_.push_back({std::move(image), row, std::min(tokens.count, spec_.max_tokens), 0});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    image.kind = Prepared::Kind::kFailed;
    image.failure_code = ErrorCode::kBadModel;
    image.failure = image.item.path + ": the encoder gave tokens that cannot be stored: " + error.what();
    add_other(std::move(image));
  }
}

void Committer::add_other(Prepared&& outcome) {
  if (size() == 0) oldest_ = std::chrono::steady_clock::now();
  outcome.image = {};
  if (outcome.kind == Prepared::Kind::kFailed || outcome.kind == Prepared::Kind::kGone) {
    report_.failed.push_back({outcome.item.path, std::string(error_code_name(outcome.failure_code)), outcome.failure});
  }
  if (outcome.kind != Prepared::Kind::kGone) others_.push_back(std::move(outcome));
}

void Committer::commit_if_due() {
  const bool full = encoded_.size() >= next_segment_ || others_.size() >= kMaxOthers;
  if (full || (size() > 0 && std::chrono::steady_clock::now() - oldest_ >= kCommitInterval)) commit();
}

void Committer::commit() {
  if (size() == 0) {
    writer_.reset();
    return;
  }
  std::optional<SegmentSummary> summary;
  if (!encoded_.empty()) summary = writer_->finish();
  if (summary) next_segment_ = std::min(images_per_segment_, 2 * next_segment_);
  writer_.reset();
  try {
    catalog::Transaction transaction(catalog_.db(), catalog::Transaction::Kind::kWrite);
    if (summary) write_encoded(segment_name_, *summary);
    for (const Prepared& file : others_) {
      if (file.kind == Prepared::Kind::kKnown) {
        catalog_.put_file(file.item.path, file.item.stamp, file.known, run_);
        if (file.taken) catalog_.set_taken(file.known, *file.taken);
      } else {
        write_failed(file);
      }
    }
    transaction.commit();
  } catch (...) {
    std::error_code ignored;
    if (summary) std::filesystem::remove(segments_dir_ / segment_name_, ignored);
    throw;
  }
  report_.encoded += static_cast<std::int64_t>(encoded_.size());
  report_.known_content += std::count_if(others_.begin(), others_.end(),
                                         [](const Prepared& file) { return file.kind == Prepared::Kind::kKnown; });
  release_claims();
}

void Committer::write_encoded(const std::string& name, const SegmentSummary& summary) {
  const std::int64_t segment =
      catalog_.add_segment({0, name, summary.rows, static_cast<std::int64_t>(summary.file_bytes), summary.checksum});
  // Ids in the order of the walk, whichever thread was faster.
  std::sort(encoded_.begin(), encoded_.end(),
            [](const Encoded& a, const Encoded& b) { return a.file.item.sequence < b.file.item.sequence; });
  for (Encoded& image : encoded_) {
    const auto known = catalog_.find_content(*image.file.hash);
    const ImageInfo& info = image.file.info;
    image.id = catalog_.put_image(known ? std::optional(known->id) : std::nullopt,
                                  {image.file.hash, info.width, info.height, image_format_name(info.format),
                                   image.token_count, segment, image.row, "", "", image.file.taken});
    catalog_.put_file(image.file.item.path, image.file.item.stamp, image.id, run_);
    if (image.file.sidecar) import_marks(catalog_.db(), *image.file.hash, *image.file.sidecar);
  }
}

void Committer::write_failed(const Prepared& file) {
  std::optional<ImageId> id;
  if (file.hash) {
    if (const auto known = catalog_.find_content(*file.hash)) id = known->id;
  } else if (const auto before = catalog_.find_path(file.item.path)) {
    const auto image = catalog_.image(*before);
    if (image && image->token_count == 0 && image->hash == ContentHash{}) id = before;
  }
  catalog::ImageRow row;
  row.hash = file.hash;
  row.width = file.info.width;
  row.height = file.info.height;
  if (file.info.format != ImageFormat::kUnknown) row.format = image_format_name(file.info.format);
  row.error = file.failure;
  row.error_code = error_code_name(file.failure_code);
  row.taken = file.taken;
  catalog_.put_file(file.item.path, file.item.stamp, catalog_.put_image(id, row), run_);
}

// Files that waited for a content which is now in the catalog are outcomes of the next commit.
void Committer::release_claims() {
  std::vector<Prepared> next;
  const auto release = [&](const Prepared& done, Prepared::Kind kind, ImageId id) {
    for (WalkItem& item : claims_.release(*done.hash)) {
      Prepared waited;
      waited.kind = kind;
      waited.item = std::move(item);
      waited.hash = done.hash;
      waited.info = done.info;
      waited.taken = done.taken;
      waited.known = id;
      waited.failure_code = done.failure_code;
      waited.failure = done.failure;
      next.push_back(std::move(waited));
    }
  };
  for (const Encoded& image : encoded_) release(image.file, Prepared::Kind::kKnown, image.id);
  for (const Prepared& file : others_) {
    if (file.kind == Prepared::Kind::kFailed && file.hash) release(file, Prepared::Kind::kFailed, 0);
  }
  encoded_.clear();
  others_.clear();
  for (Prepared& file : next) add_other(std::move(file));
}

}  // namespace tessera::ingest
