// Reads safetensors files: maps them and checks every field of the header before anything is used.
#include "tessera/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "model/float_convert.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr std::uint64_t kPrefixBytes = 8;

struct Mapping {
  const std::byte* data = nullptr;
  std::uint64_t size = 0;

  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data != nullptr) ::munmap(const_cast<std::byte*>(data), size);
  }
};

void map_file(const std::filesystem::path& path, Mapping& mapping) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw errno_error("cannot open", path.string(), errno);
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    const int error = errno;
    ::close(fd);
    throw errno_error("cannot stat", path.string(), error);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd);
    throw Error(ErrorCode::kIo, path.string() + " is not a regular file");
  }
  if (status.st_size < static_cast<off_t>(kPrefixBytes)) {
    ::close(fd);
    throw Error(ErrorCode::kDamaged,
                path.string() + " is too short for a safetensors file: " + std::to_string(status.st_size) + " bytes");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);
  if (address == MAP_FAILED) throw errno_error("cannot map", path.string(), error);
  mapping.data = static_cast<const std::byte*>(address);
  mapping.size = size;
}

std::optional<TensorType> parse_type(const std::string& name) {
  if (name == "F32") return TensorType::kF32;
  if (name == "F16") return TensorType::kF16;
  if (name == "BF16") return TensorType::kBF16;
  if (name == "I64") return TensorType::kI64;
  return std::nullopt;
}

// Parses the header's JSON; a key that occurs twice in the outer object is an error (JSON parsers keep only the last).
Json parse_header(std::string_view text, const std::string& file) {
  std::set<std::string> names;
  std::string duplicate;
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key && depth == 1 && !names.insert(value.get<std::string>()).second) {
      duplicate = value.get<std::string>();
    }
    return true;
  };
  Json header;
  try {
    header = Json::parse(text.begin(), text.end(), watch);
  } catch (const Json::exception&) {
    throw Error(ErrorCode::kDamaged, file + ": the safetensors header is not valid JSON");
  }
  if (!header.is_object()) throw Error(ErrorCode::kDamaged, file + ": the safetensors header is not a JSON object");
  if (!duplicate.empty()) {
    throw Error(ErrorCode::kDamaged, file + ": tensor " + duplicate + " is listed twice in the header");
  }
  return header;
}

struct Entry {
  std::string name;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;
};

std::uint64_t byte_count(const std::vector<std::int64_t>& shape, TensorType type, const std::string& where) {
  std::uint64_t bytes = tensor_type_size(type);
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes) ||
        bytes > static_cast<std::uint64_t>(INT64_MAX)) {
      throw Error(ErrorCode::kDamaged, where + ": the shape overflows");
    }
  }
  return bytes;
}

Entry parse_entry(const std::string& name, const Json& value, std::uint64_t data_size, const std::string& file) {
  const std::string where = file + ": tensor " + name;
  const auto damaged = [&](const std::string& reason) { return Error(ErrorCode::kDamaged, where + ": " + reason); };
  if (!value.is_object()) throw damaged("its header entry is not an object");
  const auto dtype = value.find("dtype");
  const auto shape = value.find("shape");
  const auto offsets = value.find("data_offsets");
  if (dtype == value.end() || !dtype->is_string()) throw damaged("dtype is missing or not a string");
  if (shape == value.end() || !shape->is_array()) throw damaged("shape is missing or not an array");
  if (offsets == value.end() || !offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned()) {
    throw damaged("data_offsets is missing or not a pair of non-negative integers");
  }
  Entry entry;
  entry.name = name;
  const auto type = parse_type(dtype->get<std::string>());
  if (!type) {
    throw Error(ErrorCode::kUnsupported,
                where + ": type " + dtype->get<std::string>() + " is not read (F32, F16, BF16 and I64 are)");
  }
  entry.type = *type;
  for (const Json& extent : *shape) {
    if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
      throw damaged("shape holds something that is not a non-negative integer");
    }
    entry.shape.push_back(extent.get<std::int64_t>());
  }
  entry.begin = (*offsets)[0].get<std::uint64_t>();
  entry.end = (*offsets)[1].get<std::uint64_t>();
  if (entry.begin > entry.end) throw damaged("data_offsets run backwards");
  if (entry.end > data_size) {
    throw damaged("its data ends at byte " + std::to_string(entry.end) + " but the file holds only " +
                  std::to_string(data_size) + " bytes of data (truncated?)");
  }
  if (byte_count(entry.shape, entry.type, where) != entry.end - entry.begin) {
    throw damaged("shape and type do not match the " + std::to_string(entry.end - entry.begin) + " bytes of data");
  }
  return entry;
}

std::map<std::string, std::string> parse_metadata(const Json& value, const std::string& file) {
  std::map<std::string, std::string> metadata;
  if (!value.is_object()) throw Error(ErrorCode::kDamaged, file + ": __metadata__ is not an object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) throw Error(ErrorCode::kDamaged, file + ": __metadata__." + key + " is not a string");
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

// The data section must be covered exactly: in order of offset, every tensor begins where the one before ended.
void check_coverage(std::vector<Entry>& entries, std::uint64_t data_size, const std::string& file) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != position) {
      throw Error(ErrorCode::kDamaged, file + ": tensor " + entry.name +
                                           (entry.begin < position ? " overlaps the one before it"
                                                                   : " does not begin where the one before it ends"));
    }
    position = entry.end;
  }
  if (position != data_size) {
    throw Error(ErrorCode::kDamaged,
                file + ": " + std::to_string(data_size - position) + " bytes after the last tensor belong to none");
  }
}

}  // namespace

const char* tensor_type_name(TensorType type) noexcept {
  switch (type) {
    case TensorType::kF32: return "F32";
    case TensorType::kF16: return "F16";
    case TensorType::kBF16: return "BF16";
    case TensorType::kI64: return "I64";
  }
  return "unknown";
}

std::size_t tensor_type_size(TensorType type) noexcept {
  switch (type) {
    case TensorType::kF32: return 4;
    case TensorType::kF16:
    case TensorType::kBF16: return 2;
    case TensorType::kI64: return 8;
  }
  return 0;
}

std::int64_t TensorView::element_count() const noexcept {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

struct SafetensorsFile::Impl {
  std::filesystem::path path;
  Mapping mapping;
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : impl_(std::make_unique<Impl>()) {
  static_assert(std::endian::native == std::endian::little);
  impl_->path = path;
  map_file(path, impl_->mapping);
  const Mapping& mapping = impl_->mapping;
  const std::string file = path.string();

  std::uint64_t header_size = 0;
  std::memcpy(&header_size, mapping.data, kPrefixBytes);
  if (header_size > kMaxHeaderBytes || header_size > mapping.size - kPrefixBytes) {
    throw Error(ErrorCode::kDamaged, file + ": the header length " + std::to_string(header_size) +
                                         " does not fit (truncated, or not a safetensors file)");
  }
  const std::string_view text(reinterpret_cast<const char*>(mapping.data) + kPrefixBytes, header_size);
  if (text.empty() || text.front() != '{') {
    throw Error(ErrorCode::kDamaged, file + " is not a safetensors file: the header does not begin with '{'");
  }
  const Json header = parse_header(text, file);
  const std::byte* data = mapping.data + kPrefixBytes + header_size;
  const std::uint64_t data_size = mapping.size - kPrefixBytes - header_size;

  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      impl_->metadata = parse_metadata(value, file);
    } else {
      entries.push_back(parse_entry(name, value, data_size, file));
    }
  }
  check_coverage(entries, data_size, file);
  for (Entry& entry : entries) {
    impl_->tensors.emplace(
        std::move(entry.name),
        TensorView{entry.type, std::move(entry.shape), {data + entry.begin, entry.end - entry.begin}});
  }
}

SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::filesystem::path& SafetensorsFile::path() const noexcept { return impl_->path; }
const std::map<std::string, TensorView>& SafetensorsFile::tensors() const noexcept { return impl_->tensors; }
const std::map<std::string, std::string>& SafetensorsFile::metadata() const noexcept { return impl_->metadata; }

void SafetensorsFile::release(const TensorView& tensor) const noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(tensor.data.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;  // only whole pages: neighbours may still be unread
  const std::uintptr_t last = (begin + tensor.data.size()) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

std::vector<float> to_float(const TensorView& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.element_count()));
  const std::byte* bytes = tensor.data.data();
  switch (tensor.type) {
    case TensorType::kF32:
      if (!values.empty()) std::memcpy(values.data(), bytes, values.size() * sizeof(float));
      return values;
    case TensorType::kF16:
    case TensorType::kBF16: {
      const bool is_f16 = tensor.type == TensorType::kF16;
      for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, bytes + 2 * i, 2);
        values[i] = is_f16 ? f16_to_float(bits) : bf16_to_float(bits);
      }
      return values;
    }
    case TensorType::kI64: break;
  }
  throw Error(ErrorCode::kInvalidArgument, "an I64 tensor has no float values");
}

}  // namespace tessera
