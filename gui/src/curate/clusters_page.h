// Pictures in groups of what they show, each with those that represent it best in front.
#pragma once

#include "curate/found_page.h"

class QCheckBox;
class QComboBox;
class QSpinBox;

namespace tessera::gui {

class ClustersPage : public FoundPage {
  Q_OBJECT

 public:
  static constexpr int kRepresentatives = 6;  // shown of a group, unless all are asked for

  explicit ClustersPage(Session& session, QWidget* parent = nullptr);

 protected:
  Find question() const override;

 private:
  QComboBox* method_ = nullptr;
  QSpinBox* count_ = nullptr;
  QCheckBox* all_ = nullptr;
};

}  // namespace tessera::gui
