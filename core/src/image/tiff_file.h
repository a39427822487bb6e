// A TIFF file in memory, opened with libtiff; messages go to the object instead of the process's standard error.
#pragma once

#include <tiffio.h>

#include <memory>
#include <string>

#include "image/codec.h"

namespace tessera::codec {

class TiffFile {
 public:
  explicit TiffFile(const Source& source);
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* get() const { return tiff_.get(); }
  const Source& source() const { return source_; }

  // Throws kDamaged with libtiff's reason.
  [[noreturn]] void fail_damaged() const;
  // Throws if libtiff reported lost pixels since it was opened, even where its calls succeeded.
  void check_pixels() const;

  template <typename T>
  T field(std::uint32_t tag, T missing) const {
    T value{};
    return TIFFGetFieldDefaulted(get(), tag, &value) ? value : missing;
  }

 private:
  struct Deleter {
    void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  };
  static tmsize_t on_read(thandle_t handle, void* out, tmsize_t count);
  static tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t on_seek(thandle_t handle, toff_t offset, int whence);
  static int on_close(thandle_t) { return 0; }
  static toff_t on_size(thandle_t handle);
  static int on_error(TIFF*, void* self, const char* module, const char* format, va_list arguments);
  static int on_warning(TIFF*, void* self, const char* module, const char* format, va_list arguments);

  const Source& source_;
  toff_t position_ = 0;
  bool exhausted_ = false;
  std::string error_;    // the first error
  std::string damage_;   // the first warning that means lost pixels
  bool opened_ = false;  // errors before are those of optional tags, unless opening fails
  std::unique_ptr<TIFF, Deleter> tiff_;
};

}  // namespace tessera::codec
