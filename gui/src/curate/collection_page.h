// The pictures of one collection: a manual one in its order, a saved search by what it keeps now.
#pragma once

#include <optional>

#include "browse/view_page.h"
#include "curate/curation_model.h"

namespace tessera::gui {

class CollectionPage : public ViewPage {
  Q_OBJECT

 public:
  explicit CollectionPage(Session& session, QWidget* parent = nullptr);

  void showCollection(CollectionId id);
  std::optional<CollectionId> collection() const { return id_; }

  QList<QAction*> pageActions() const override { return actions_; }
  bool screenshotReady() const override;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void chooseAnother();  // the first one, if what was shown is not there
  void read();

  std::optional<CollectionId> id_;
  Job reading_;
  QList<QAction*> actions_;
};

}  // namespace tessera::gui
