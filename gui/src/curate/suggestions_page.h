// A suggested selection: a varied one, what is more like a set of pictures, or what is least like the rest of it.
#pragma once

#include "curate/found_page.h"

class QComboBox;
class QSpinBox;

namespace tessera::gui {

enum class Suggestion { kVaried, kTypical, kMoreLike, kLeastLike };

class SuggestionsPage : public FoundPage {
  Q_OBJECT

 public:
  explicit SuggestionsPage(Session& session, QWidget* parent = nullptr);

  // Of these pictures, none = of the library. kMoreLike needs some, and finds others.
  void suggest(Suggestion what, std::optional<std::vector<ImageId>> ids);

 protected:
  Find question() const override;
  void answered() override;  // selects all of it

 private:
  QComboBox* what_ = nullptr;
  QSpinBox* count_ = nullptr;
};

}  // namespace tessera::gui
