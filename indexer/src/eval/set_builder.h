// Collects pictures, labels and boxes in any order and makes an EvalSet of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tessera/indexer/eval_set.h"

namespace tessera::eval {

class SetBuilder {
 public:
  struct NamedBox {
    std::string category;
    Box box;
  };
  struct Entry {
    std::string label;
    bool labelled = false;
    std::vector<NamedBox> boxes;
  };

  // The picture of this name, made if it is new.
  Entry& picture(const std::string& name) { return entries_[name]; }
  bool has(const std::string& name) const { return entries_.contains(name); }
  EvalSet build(const std::filesystem::path& folder) const;

 private:
  std::map<std::string, Entry> entries_;
};

// A box whose size is positive and whose corners lie in the picture, give or take a hundredth of it; else a reason.
std::string box_problem(const Box& box);

}  // namespace tessera::eval
