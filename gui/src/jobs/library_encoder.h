// The encoder of the open library on a worker thread.
#pragma once

#include <functional>
#include <memory>

#include "jobs/job_runner.h"
#include "tessera/encoder.h"

namespace tessera::gui {

// Makes the encoder that a library was made with; tests put a cheap one in its place.
using MakeEncoder = std::function<std::unique_ptr<ImageEncoder>(const LibraryEncoder&)>;

struct FreshEncoder {
  std::unique_ptr<ImageEncoder> encoder;
  ResizeSpec resize;  // how a new library prepares pictures for it
};

struct Encoders {
  MakeEncoder of_library;
  std::function<FreshEncoder()> fresh;  // for a new library
};

// The default model. Throws what Encoder::load() throws.
FreshEncoder default_encoder();

// Of the job's thread: made when it is first needed, kept until another library is opened. Lane::kSearch, so that there
// is only one. Throws kNotFound if nothing was indexed yet, and what `make` throws.
ImageEncoder& library_encoder(JobContext& context, const MakeEncoder& make);

}  // namespace tessera::gui
