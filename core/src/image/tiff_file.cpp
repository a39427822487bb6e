// libtiff's input and message callbacks over a span of bytes.
#include "image/tiff_file.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace tessera::codec {
namespace {

std::string format_message(const char* format, va_list arguments) {
  std::array<char, 300> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  return text.data();
}

struct OptionsDeleter {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

}  // namespace

TiffFile::TiffFile(const Source& source) : source_(source) {
  const std::unique_ptr<TIFFOpenOptions, OptionsDeleter> options(TIFFOpenOptionsAlloc());
  if (!options) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, this);
  TIFFOpenOptionsSetMaxSingleMemAlloc(
      options.get(), static_cast<tmsize_t>(std::min<std::uint64_t>(source.limits.max_bytes, PTRDIFF_MAX)));
  tiff_.reset(TIFFClientOpenExt(source.name.c_str(), "rm", this, on_read, on_write, on_seek, on_close, on_size, nullptr,
                                nullptr, options.get()));
  if (!tiff_) fail_damaged();
  error_.clear();
  exhausted_ = false;
  opened_ = true;
}

void TiffFile::fail_damaged() const {
  const std::string& reason = error_.empty() ? damage_ : error_;
  if (exhausted_) source_.fail(ErrorCode::kDamaged, "truncated TIFF (premature end of data)");
  source_.fail(ErrorCode::kDamaged, "damaged TIFF (" + (reason.empty() ? "bad structure" : reason) + ")");
}

void TiffFile::check_pixels() const {
  if (!error_.empty() || !damage_.empty()) fail_damaged();
}

tmsize_t TiffFile::on_read(thandle_t handle, void* out, tmsize_t count) {
  auto* self = static_cast<TiffFile*>(handle);
  const toff_t size = self->source_.bytes.size();
  const toff_t left = self->position_ < size ? size - self->position_ : 0;
  const toff_t taken = std::min<toff_t>(left, count > 0 ? static_cast<toff_t>(count) : 0);
  if (taken > 0) std::memcpy(out, self->source_.bytes.data() + self->position_, taken);
  self->position_ += taken;
  self->exhausted_ |= taken < static_cast<toff_t>(count);
  return static_cast<tmsize_t>(taken);
}

toff_t TiffFile::on_seek(thandle_t handle, toff_t offset, int whence) {
  auto* self = static_cast<TiffFile*>(handle);
  const toff_t base = whence == SEEK_CUR ? self->position_ : whence == SEEK_END ? self->source_.bytes.size() : 0;
  self->position_ = base + offset;
  return self->position_;
}

toff_t TiffFile::on_size(thandle_t handle) { return static_cast<TiffFile*>(handle)->source_.bytes.size(); }

int TiffFile::on_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto* self = static_cast<TiffFile*>(user);
  if (self->error_.empty()) self->error_ = format_message(format, arguments);
  return 1;
}

int TiffFile::on_warning(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto* self = static_cast<TiffFile*>(user);
  if (!self->opened_ || !self->damage_.empty()) return 1;
  const std::string text = format_message(format, arguments);
  // From the fax and JPEG decoders, which go on with made-up pixels.
  for (const char* sign : {"remature", "Corrupt JPEG", "Bad code word", "Line length mismatch"}) {
    if (text.find(sign) != text.npos && text.find("extraneous") == text.npos) self->damage_ = text;
  }
  return 1;
}

}  // namespace tessera::codec
