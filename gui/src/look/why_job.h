// The job behind the page that says why a picture was found.
#pragma once

#include <functional>
#include <optional>

#include "app/session.h"
#include "look/why_page.h"

namespace tessera::gui {

struct WhyQuestion {
  ImageId picture = 0;
  std::optional<ShownSearch> search;
};

struct WhyObserver {
  std::function<void(const WhyAnswer&)> pictures;  // before the maps are made
  ExplainObserver progress;
};

// On a thread of Lane::kSearch. Throws kNotFound if the picture is not in the search's result or alone in the library,
// kCancelled, and what decoding and encoding throw.
WhyAnswer answer_why(JobContext& context, const WhyQuestion& question, const MakeEncoder& make,
                     const WhyObserver& observer);

}  // namespace tessera::gui
