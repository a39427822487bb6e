// Encodes one picture with the installed libraries and checks that the tokens are usable.
#include <cmath>
#include <cstdio>
#include <span>

#include "tessera/encoder.h"
#include "tessera/error.h"
#include "tessera/indexer/library.h"
#include "tessera/resize.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const tessera::Image image =
        tessera::prepare_image(tessera::load_image(argv[1]), tessera::parse_resize_spec("square:256"));
    const auto encoder = tessera::Encoder::load(MODEL_DIR);
    const tessera::EncodedBatch batch = encoder->encode(std::span(&image, 1), 4);
    double norm = 0;
    for (const float value : batch.image_tokens(0)) norm += double(value) * value;
    if (batch.token_count != 4 || !std::isfinite(norm) || norm <= 0) {
      std::fprintf(stderr, "unusable tokens: %d of norm %g\n", batch.token_count, std::sqrt(norm));
      return 1;
    }
    // A call into the indexer, so that its dependencies must link too.
    std::printf("%d tokens; library would be %s\n", batch.token_count,
                tessera::resolve_library_dir("here").string().c_str());
    return 0;
  } catch (const tessera::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
