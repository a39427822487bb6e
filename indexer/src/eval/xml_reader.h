// A small XML reader for annotation files: elements, text and the five named entities; no namespaces, no DTD.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::eval {

struct XmlElement {
  std::string name;
  std::string text;  // of the element itself, without surrounding white space
  std::vector<XmlElement> children;
  int line = 0;

  // The first child of this name, or null.
  const XmlElement* child(std::string_view wanted) const;
};

// The root element. Throws kDamaged naming file and line.
XmlElement read_xml(const std::filesystem::path& path);

}  // namespace tessera::eval
