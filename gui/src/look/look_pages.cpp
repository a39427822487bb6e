// What this folder adds to the window.
#include "app/registry.h"
#include "look/compare_page.h"
#include "look/keys_page.h"
#include "look/look_extension.h"
#include "look/loupe_page.h"
#include "look/survey_page.h"
#include "look/why_page.h"

namespace tessera::gui {

void addLookPages(Registry& registry) {
  registry.addPage(30, [](Session& session) { return new LoupePage(session); });
  registry.addPage(31, [](Session& session) { return new ComparePage(session); });
  registry.addPage(32, [](Session& session) { return new SurveyPage(session); });
  registry.addPage(-1, [](Session& session) { return new WhyPage(session); });
  registry.addPage(-1, [](Session& session) { return new KeysPage(session); });
  registry.addExtension(extendForLooking);
}

}  // namespace tessera::gui
