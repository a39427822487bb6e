// The encoder of the open library on a worker thread.
#include "jobs/library_encoder.h"

namespace tessera::gui {

FreshEncoder default_encoder() {
  auto encoder = Encoder::load(default_model_dir());
  const ResizeSpec resize{ResizeSpec::Mode::kShort, encoder->config().preferred_size, 32};
  return {std::move(encoder), resize};
}

ImageEncoder& library_encoder(JobContext& context, const MakeEncoder& make) {
  std::shared_ptr<ImageEncoder>& kept = context.kept<ImageEncoder>();
  if (!kept) {
    const auto wanted = context.library().encoder();
    if (!wanted) throw Error(ErrorCode::kNotFound, "nothing is indexed yet");
    kept = make(*wanted);
  }
  return *kept;
}

}  // namespace tessera::gui
