// The file of a coarse index: FAISS part, manifest, footer.
#include "search/coarse_index_file.h"

#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "store/file_io.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr char kMagic[8] = {'T', 'E', 'S', 'S', 'I', 'D', 'X', '\n'};
constexpr int kFormat = 2;  // 1: rows entered in order of position
constexpr std::size_t kFooterBytes = 24;
constexpr std::size_t kFlushBytes = std::size_t{1} << 20;

struct FreeXxh3 {
  void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};
struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

// FAISS writes field by field; this gathers the fields, hashes them and writes them in large pieces.
class HashingWriter : public faiss::IOWriter {
 public:
  explicit HashingWriter(AtomicFile& file) : file_(file), hash_(XXH3_createState()) {
    if (hash_ == nullptr) throw std::bad_alloc();
    XXH3_64bits_reset(hash_.get());
  }
  std::size_t operator()(const void* data, std::size_t size, std::size_t count) override {
    const auto* bytes = static_cast<const std::byte*>(data);
    pending_.insert(pending_.end(), bytes, bytes + size * count);
    if (pending_.size() >= kFlushBytes) flush();
    return count;
  }
  void flush() {
    XXH3_64bits_update(hash_.get(), pending_.data(), pending_.size());
    file_.write_at(written_, pending_);
    written_ += pending_.size();
    pending_.clear();
  }
  std::uint64_t bytes() const { return written_; }
  std::uint64_t digest() const { return XXH3_64bits_digest(hash_.get()); }

 private:
  AtomicFile& file_;
  std::unique_ptr<XXH3_state_t, FreeXxh3> hash_;
  std::vector<std::byte> pending_;
  std::uint64_t written_ = 0;
};

std::string manifest_text(const CoarseIndexInfo& info, std::uint64_t faiss_bytes, std::uint64_t faiss_checksum) {
  nlohmann::json segments = nlohmann::json::array();
  for (const SegmentStamp& stamp : info.segments) segments.push_back({stamp.checksum, stamp.rows});
  return nlohmann::json{{"format", kFormat},
                        {"method", coarse_method_name(info.method)},
                        {"width", info.width},
                        {"rows", info.rows},
                        {"lists", info.lists},
                        {"probes", info.probes},
                        {"code_bytes", info.code_bytes},
                        {"breadth", info.breadth},
                        {"refine", info.refine},
                        {"recall", info.recall},
                        {"held_out", info.held_out},
                        {"segments", segments},
                        {"faiss_bytes", faiss_bytes},
                        {"faiss_xxh3", faiss_checksum}}
      .dump();
}

struct Manifest {
  CoarseIndexInfo info;
  std::uint64_t faiss_bytes = 0;
  std::uint64_t faiss_checksum = 0;
};

[[noreturn]] void throw_damaged(const std::string& name, const std::string& reason) {
  throw Error(ErrorCode::kDamaged, name + " is damaged: " + reason);
}

Manifest parse_manifest(std::span<const std::byte> bytes, const std::string& name) {
  Manifest manifest;
  try {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const nlohmann::json json = nlohmann::json::parse(text, text + bytes.size());
    if (json.at("format").get<int>() > kFormat) {
      throw Error(ErrorCode::kVersion, name + " was written by a newer Tessera");
    }
    CoarseIndexInfo& info = manifest.info;
    info.method = parse_coarse_method(json.at("method").get<std::string>());
    info.width = json.at("width").get<int>();
    info.rows = json.at("rows").get<std::int64_t>();
    info.lists = json.at("lists").get<int>();
    info.probes = json.at("probes").get<int>();
    info.code_bytes = json.at("code_bytes").get<int>();
    info.breadth = json.at("breadth").get<int>();
    info.refine = json.at("refine").get<int>();
    info.recall = json.at("recall").get<double>();
    if (json.at("format") != 1) info.held_out = json.at("held_out").get<std::int64_t>();
    std::int64_t rows = 0;
    for (const nlohmann::json& stamp : json.at("segments")) {
      info.segments.push_back({stamp.at(0).get<std::uint64_t>(), stamp.at(1).get<std::uint32_t>()});
      rows += info.segments.back().rows;
    }
    manifest.faiss_bytes = json.at("faiss_bytes").get<std::uint64_t>();
    manifest.faiss_checksum = json.at("faiss_xxh3").get<std::uint64_t>();
    if (rows != info.rows || info.refine < 1 || info.held_out < 0 || info.held_out > rows) {
      throw_damaged(name, "its manifest contradicts itself");
    }
  } catch (const nlohmann::json::exception&) {
    throw_damaged(name, "its manifest cannot be read");
  }
  return manifest;
}

Manifest read_manifest(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kFooterBytes) throw_damaged(name, "it is too short");
  const std::span<const std::byte> footer = bytes.last(kFooterBytes);
  if (std::memcmp(footer.data(), kMagic, sizeof kMagic) != 0) throw_damaged(name, "it has no footer");
  std::uint64_t length, checksum;
  std::memcpy(&length, footer.data() + 8, 8);
  std::memcpy(&checksum, footer.data() + 16, 8);
  if (length > bytes.size() - kFooterBytes) throw_damaged(name, "its manifest is longer than the file");
  const std::span<const std::byte> text = bytes.subspan(bytes.size() - kFooterBytes - length, length);
  if (checksum_bytes(text) != checksum) throw_damaged(name, "the checksum of its manifest does not match");
  Manifest manifest = parse_manifest(text, name);
  if (manifest.faiss_bytes != bytes.size() - kFooterBytes - length) throw_damaged(name, "its size is wrong");
  if (checksum_bytes(bytes.first(manifest.faiss_bytes)) != manifest.faiss_checksum) {
    throw_damaged(name, "the checksum of the index does not match");
  }
  manifest.info.file_bytes = bytes.size();
  return manifest;
}

void check_index(const faiss::Index& index, const CoarseIndexInfo& info, const std::string& name) {
  bool fits = index.d == info.width && index.ntotal == info.rows && index.is_trained;
  if (info.method == CoarseMethod::kIvfPq) {
    const auto* ivf = dynamic_cast<const faiss::IndexIVFPQ*>(&index);
    fits = fits && ivf != nullptr && ivf->invlists != nullptr && info.probes >= 1 && info.probes <= info.lists &&
           ivf->nlist == static_cast<std::size_t>(info.lists) && ivf->invlists->nlist == ivf->nlist;
  } else {
    fits = fits && info.method == CoarseMethod::kHnsw && info.breadth >= 1 &&
           dynamic_cast<const faiss::IndexHNSW*>(&index) != nullptr;
  }
  if (!fits) throw_damaged(name, "the index is not what its manifest says");
}

}  // namespace

void write_coarse_file(const std::filesystem::path& path, const faiss::Index& index, CoarseIndexInfo& info) {
  AtomicFile file(path);
  HashingWriter writer(file);
  faiss::write_index(&index, &writer);
  writer.flush();
  const std::string manifest = manifest_text(info, writer.bytes(), writer.digest());
  std::vector<std::byte> tail(manifest.size() + kFooterBytes);
  std::memcpy(tail.data(), manifest.data(), manifest.size());
  const std::uint64_t length = manifest.size();
  const std::uint64_t checksum = checksum_bytes(std::span(tail).first(manifest.size()));
  std::byte* footer = tail.data() + manifest.size();
  std::memcpy(footer, kMagic, sizeof kMagic);
  std::memcpy(footer + 8, &length, 8);
  std::memcpy(footer + 16, &checksum, 8);
  file.write_at(writer.bytes(), tail);
  file.commit();
  info.file_bytes = writer.bytes() + tail.size();
}

CoarseFile read_coarse_file(const std::filesystem::path& path) {
  const std::string name = path.string();
  // One open file for both readers, so that a rebuild in between cannot mix two generations.
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw errno_error("cannot open", name, errno);
  CoarseFile result;
  result.info = read_manifest(FileMapping(::fileno(file.get()), path).bytes(), name).info;
  const int flags = result.info.method == CoarseMethod::kIvfPq ? faiss::IO_FLAG_MMAP | faiss::IO_FLAG_READ_ONLY : 0;
  try {
    result.index.reset(faiss::read_index(file.get(), flags));
  } catch (const std::exception&) {
    throw_damaged(name, "FAISS cannot read it");
  }
  check_index(*result.index, result.info, name);
  return result;
}

}  // namespace tessera
