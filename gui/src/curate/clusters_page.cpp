// Pictures in groups of what they show.
#include "curate/clusters_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QSpinBox>

#include "app/count_text.h"
#include "tessera/indexer/clusters.h"

namespace tessera::gui {
namespace {

constexpr int kMostGroups = 1000;
constexpr int kLetters = 12;  // of the list of methods, in a narrow window

}  // namespace

ClustersPage::ClustersPage(Session& session, QWidget* parent)
    : FoundPage(session, QStringLiteral("clusters"), tr("Groups"), parent) {
  method_ = new QComboBox(this);
  method_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  method_->setMinimumContentsLength(kLetters);
  method_->setAccessibleName(tr("How to group"));
  method_->setToolTip(tr(
      "k-means: around middles, for any number of pictures. Linkage: groups are joined pair by pair, by the mean or by "
      "the least similarity between them."));
  method_->addItem(tr("k-means"), static_cast<int>(ClusterMethod::kKMeans));
  method_->addItem(tr("Average linkage"), static_cast<int>(ClusterMethod::kAverageLinkage));
  method_->addItem(tr("Complete linkage"), static_cast<int>(ClusterMethod::kCompleteLinkage));
  count_ = new QSpinBox(this);
  count_->setRange(0, kMostGroups);
  count_->setSpecialValueText(tr("as is clearest"));
  count_->setAccessibleName(tr("How many groups"));
  count_->setKeyboardTracking(false);
  all_ = new QCheckBox(tr("&All pictures"), this);
  all_->setToolTip(tr("Not only those that represent their group best"));
  auto* label = new QLabel(tr("&Groups"), this);
  label->setBuddy(count_);
  bar()->addWidget(method_);
  bar()->addWidget(label);
  bar()->addWidget(count_);
  bar()->addWidget(all_);
  connect(method_, &QComboBox::activated, this, [this] { askAnew(); });
  connect(count_, &QSpinBox::valueChanged, this, [this] { askAnew(); });
  connect(all_, &QCheckBox::toggled, this, [this] { askAnew(); });
}

FoundPage::Find ClustersPage::question() const {
  ClusterOptions options;
  options.method = static_cast<ClusterMethod>(method_->currentData().toInt());
  options.count = static_cast<std::size_t>(count_->value());
  return [options, ids = pictures(), all = all_->isChecked()](JobContext& context) {
    ClusterOptions wanted = options;
    wanted.stop = context.stop();
    const PictureVectors vectors = ids ? context.library().vectors(*ids) : context.library().vectors();
    const std::vector<Cluster> clusters = find_clusters(vectors.vectors, wanted);
    Found found;
    for (const Cluster& cluster : clusters) {
      const std::size_t size = cluster.members.size();
      const bool some = !all && size > kRepresentatives;
      FoundGroup group;
      group.title = (some ? tr("Group %1, %2 alike: the most typical of %3").arg(found.groups.size() + 1)
                          : tr("Group %1, %2 alike").arg(found.groups.size() + 1))
                        .arg(double(cluster.cohesion), 0, 'f', 2);
      if (some) group.title = group.title.arg(size);
      for (const ClusterMember& member : cluster.members) {
        if (!all && group.ids.size() == kRepresentatives) break;
        group.ids.push_back(vectors.ids[member.row]);
      }
      found.groups.push_back(std::move(group));
    }
    found.text = tr("%1 in %2")
                     .arg(picturesText(static_cast<std::int64_t>(vectors.ids.size())),
                          countText(static_cast<std::int64_t>(clusters.size()), tr("group"), tr("groups")));
    return found;
  };
}

}  // namespace tessera::gui
