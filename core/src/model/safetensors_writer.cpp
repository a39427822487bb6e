// Writes safetensors files through a temporary file that takes the final name only when complete and synced.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "tessera/error.h"
#include "tessera/safetensors.h"

namespace tessera {
namespace {

std::uint64_t declared_bytes(const SafetensorsWriter::Declaration& tensor) {
  std::uint64_t bytes = tensor_type_size(tensor.type);
  for (const std::int64_t extent : tensor.shape) {
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) {
      throw Error(ErrorCode::kInvalidArgument, "tensor " + tensor.name + " has an impossible shape");
    }
  }
  return bytes;
}

std::string make_header(std::span<const SafetensorsWriter::Declaration> tensors,
                        const std::map<std::string, std::string>& metadata, std::uint64_t& data_size) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::set<std::string> names;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  data_size = 0;
  for (const auto& tensor : tensors) {
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      throw Error(ErrorCode::kInvalidArgument, "tensor name " + tensor.name + " cannot be used or is used twice");
    }
    const std::uint64_t end = data_size + declared_bytes(tensor);
    header.emplace(tensor.name, nlohmann::ordered_json{{"dtype", tensor_type_name(tensor.type)},
                                                       {"shape", tensor.shape},
                                                       {"data_offsets", {data_size, end}}});
    data_size = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorCode::kInvalidArgument, "a tensor name or metadata text is not valid UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data aligned to 8 bytes
  return text;
}

void write_all(int fd, const void* data, std::size_t size, const std::string& name) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd, bytes, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      throw errno_error("cannot write", name, errno);
    }
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void sync_directory(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path().empty() ? "." : path.parent_path();
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // the rename stands; a file system without directory handles cannot be synced further
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

struct SafetensorsWriter::Impl {
  std::filesystem::path path;
  std::string temporary;
  int fd = -1;
  std::uint64_t expected = 0;
  std::uint64_t appended = 0;

  ~Impl() {
    if (fd >= 0) {
      ::close(fd);
      ::unlink(temporary.c_str());
    }
  }
};

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::span<const Declaration> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : impl_(std::make_unique<Impl>()) {
  const std::string header = make_header(tensors, metadata, impl_->expected);
  impl_->path = path;
  impl_->temporary = path.string() + ".XXXXXX";
  impl_->fd = ::mkostemp(impl_->temporary.data(), O_CLOEXEC);
  if (impl_->fd < 0) throw errno_error("cannot create", path.string(), errno);
  ::fchmod(impl_->fd, 0644);
  const auto header_size = static_cast<std::uint64_t>(header.size());
  write_all(impl_->fd, &header_size, sizeof header_size, path.string());
  write_all(impl_->fd, header.data(), header.size(), path.string());
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::append(std::span<const std::byte> bytes) {
  if (bytes.size() > impl_->expected - impl_->appended) {
    throw Error(ErrorCode::kInvalidArgument, impl_->path.string() + ": more data than the tensors declare");
  }
  write_all(impl_->fd, bytes.data(), bytes.size(), impl_->path.string());
  impl_->appended += bytes.size();
}

void SafetensorsWriter::finish() {
  const std::string name = impl_->path.string();
  if (impl_->fd < 0) throw Error(ErrorCode::kInvalidArgument, name + ": finished twice");
  if (impl_->appended != impl_->expected) {
    throw Error(ErrorCode::kInvalidArgument,
                name + ": " + std::to_string(impl_->expected - impl_->appended) + " declared bytes were not written");
  }
  if (::fsync(impl_->fd) != 0) throw errno_error("cannot sync", name, errno);
  if (::rename(impl_->temporary.c_str(), impl_->path.c_str()) != 0) throw errno_error("cannot rename to", name, errno);
  ::close(impl_->fd);
  impl_->fd = -1;
  sync_directory(impl_->path);
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<SafetensorsWriter::Declaration> declarations;
  for (const TensorToWrite& tensor : tensors) {
    declarations.push_back({tensor.name, tensor.type, tensor.shape});
    if (declared_bytes(declarations.back()) != tensor.data.size()) {
      throw Error(ErrorCode::kInvalidArgument, "tensor " + tensor.name + ": shape and type do not match its data");
    }
  }
  SafetensorsWriter writer(path, declarations, metadata);
  for (const TensorToWrite& tensor : tensors) writer.append(tensor.data);
  writer.finish();
}

}  // namespace tessera
