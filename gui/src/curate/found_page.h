// A page with pictures that a job has found, in groups: what suggestions and clusters have in common.
#pragma once

#include <QHBoxLayout>
#include <optional>

#include "browse/view_page.h"

class QLabel;
class QPushButton;

namespace tessera::gui {

struct FoundGroup {
  QString title;
  std::vector<ImageId> ids;
};
struct Found {
  QString text;  // what was found, for the line above
  std::vector<FoundGroup> groups;
};

class FoundPage : public ViewPage {
  Q_OBJECT

 public:
  // The pictures to look at; none = the whole library. Looks anew when the page is shown next, or at once if it is.
  void setPictures(std::optional<std::vector<ImageId>> ids);
  const std::optional<std::vector<ImageId>>& pictures() const { return ids_; }

  bool screenshotReady() const override;

 protected:
  using Find = std::function<Found(JobContext&)>;

  FoundPage(Session& session, const QString& name, const QString& title, QWidget* parent);

  QHBoxLayout* bar() const { return bar_; }  // for what is asked for; the state follows behind it
  // The question as it stands now, to be answered in a job.
  virtual Find question() const = 0;
  // Pictures of a new answer are there.
  virtual void answered() {}
  void askAnew();  // later, if the page is not shown

  void showEvent(QShowEvent* event) override;

 private:
  void ask();
  void stop();
  void show(const Found& found);
  void setState(const QString& text, bool busy);

  QHBoxLayout* bar_ = nullptr;
  QLabel* state_ = nullptr;
  QPushButton* stop_ = nullptr;
  std::optional<std::vector<ImageId>> ids_;
  Found found_;
  Job finding_;
  bool asked_ = false;
};

}  // namespace tessera::gui
