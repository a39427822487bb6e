// Reading and updating XMP sidecars as XML trees, so that what others wrote stays.
#include "tessera/indexer/xmp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <pugixml.hpp>
#include <set>
#include <sstream>

#include "tessera/error.h"
#include "tessera/text.h"

namespace tessera {
namespace {

constexpr std::size_t kMostXmpBytes = std::size_t{8} << 20;
constexpr std::size_t kMostTags = 4096;

constexpr const char* kRdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
constexpr const char* kXmp = "http://ns.adobe.com/xap/1.0/";
constexpr const char* kDc = "http://purl.org/dc/elements/1.1/";
constexpr const char* kLightroom = "http://ns.adobe.com/lightroom/1.0/";
constexpr const char* kDigikam = "http://www.digikam.org/ns/1.0/";
constexpr const char* kDarktable = "http://darktable.sf.net/";

constexpr std::array kLabelNames{"", "Red", "Yellow", "Green", "Blue", "Purple"};

struct Namespace {
  const char* prefix;
  const char* uri;
};
constexpr Namespace kNamespaces[] = {{"rdf", kRdf},      {"xmp", kXmp},         {"dc", kDc},
                                     {"lr", kLightroom}, {"digiKam", kDigikam}, {"darktable", kDarktable}};

// The URI that a prefix stands for at this node; "" if none is declared.
std::string_view uri_of(pugi::xml_node node, std::string_view prefix) {
  const std::string declaration = "xmlns:" + std::string(prefix);
  for (; node; node = node.parent()) {
    if (const pugi::xml_attribute found = node.attribute(declaration.c_str())) return found.value();
  }
  return {};
}

bool is_named(pugi::xml_node scope, std::string_view name, std::string_view uri, std::string_view local) {
  const std::size_t colon = name.find(':');
  return colon != std::string_view::npos && name.substr(colon + 1) == local &&
         uri_of(scope, name.substr(0, colon)) == uri;
}

pugi::xml_node child_of(pugi::xml_node node, const char* uri, const char* local) {
  for (const pugi::xml_node child : node.children()) {
    if (is_named(child, child.name(), uri, local)) return child;
  }
  return {};
}

std::vector<pugi::xml_node> descriptions(const pugi::xml_document& document) {
  std::vector<pugi::xml_node> found;
  for (const pugi::xml_node top : document.children()) {
    const pugi::xml_node rdf = is_named(top, top.name(), kRdf, "RDF") ? top : child_of(top, kRdf, "RDF");
    for (const pugi::xml_node child : rdf.children()) {
      if (is_named(child, child.name(), kRdf, "Description")) found.push_back(child);
    }
  }
  return found;
}

void parse(pugi::xml_document& document, std::string_view text, const std::string& name) {
  if (text.size() > kMostXmpBytes) throw Error(ErrorCode::kLimit, name + " is larger than a sidecar may be");
  const pugi::xml_parse_result result =
      document.load_buffer(text.data(), text.size(), pugi::parse_full & ~pugi::parse_doctype, pugi::encoding_auto);
  if (!result) {
    throw Error(ErrorCode::kDamaged,
                name + " is no XML: " + result.description() + " at byte " + std::to_string(result.offset));
  }
}

// A simple property, as an attribute or as an element.
std::optional<std::string> property(const std::vector<pugi::xml_node>& nodes, const char* uri, const char* local) {
  for (const pugi::xml_node node : nodes) {
    for (const pugi::xml_attribute attribute : node.attributes()) {
      if (is_named(node, attribute.name(), uri, local)) return attribute.value();
    }
    if (const pugi::xml_node child = child_of(node, uri, local)) return child.text().as_string();
  }
  return std::nullopt;
}

std::vector<std::string> items(const std::vector<pugi::xml_node>& nodes, const char* uri, const char* local) {
  std::vector<std::string> values;
  for (const pugi::xml_node node : nodes) {
    for (const pugi::xml_node list : child_of(node, uri, local).children()) {  // rdf:Bag, rdf:Seq or rdf:Alt
      for (const pugi::xml_node item : list.children()) {
        if (values.size() < kMostTags && is_named(item, item.name(), kRdf, "li"))
          values.push_back(item.text().as_string());
      }
    }
  }
  return values;
}

std::optional<int> whole_number(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || !(std::abs(value) < 1000)) return std::nullopt;
  return static_cast<int>(std::lround(value));
}

// A name that Tessera takes for a tag, or "".
std::string clean_tag(std::string text, char separator) {
  for (char& c : text) {
    if (c == separator) {
      c = '/';
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) {
      c = ' ';
    }
  }
  const auto trim = [](std::string& s, const char* what) {
    const std::size_t first = s.find_first_not_of(what);
    s = first == std::string::npos ? "" : s.substr(first, s.find_last_not_of(what) - first + 1);
  };
  trim(text, " /");
  return text.size() <= 256 && is_valid_utf8(text) ? text : std::string();
}

std::vector<std::string> tags_of(const std::vector<pugi::xml_node>& nodes) {
  std::set<std::string> tags, parts;
  const auto add_paths = [&](const std::vector<std::string>& paths, char separator) {
    for (const std::string& path : paths) {
      const std::string tag = clean_tag(path, separator);
      if (tag.empty()) continue;
      tags.insert(tag);
      std::istringstream names(tag);
      for (std::string part; std::getline(names, part, '/');) parts.insert(part);
    }
  };
  add_paths(items(nodes, kDigikam, "TagsList"), '/');
  add_paths(items(nodes, kLightroom, "hierarchicalSubject"), '|');
  // Flat names repeat what the paths say.
  for (const std::string& name : items(nodes, kDc, "subject")) {
    const std::string tag = clean_tag(name, '/');
    if (!tag.empty() && !parts.contains(tag)) tags.insert(tag);
  }
  // "Places" of the path "Places|Vienna" is not a tag beside it: programs list every step of a path.
  std::vector<std::string> result;
  for (const std::string& tag : tags) {
    const auto below = tags.lower_bound(tag + "/");
    if (below == tags.end() || !below->starts_with(tag + "/")) result.push_back(tag);
  }
  return result;
}

ColorLabel label_of(const std::vector<pugi::xml_node>& nodes) {
  if (auto name = property(nodes, kXmp, "Label")) {
    std::transform(name->begin(), name->end(), name->begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    for (int label = 1; label <= 5; ++label) {
      if (*name == label_name(static_cast<ColorLabel>(label))) return static_cast<ColorLabel>(label);
    }
  }
  // digiKam: 1 red, 2 orange, 3 yellow, 4 green, 5 blue, 6 magenta.
  constexpr std::array kOfDigikam{ColorLabel::kNone,  ColorLabel::kRed,  ColorLabel::kNone,  ColorLabel::kYellow,
                                  ColorLabel::kGreen, ColorLabel::kBlue, ColorLabel::kPurple};
  const auto number = whole_number(property(nodes, kDigikam, "ColorLabel"));
  if (number && *number >= 0 && static_cast<std::size_t>(*number) < kOfDigikam.size()) {
    return kOfDigikam[static_cast<std::size_t>(*number)];
  }
  for (const std::string& item : items(nodes, kDarktable, "colorlabels")) {  // 0 red to 4 purple
    const auto color = whole_number(item);
    if (color && *color >= 0 && *color <= 4) return static_cast<ColorLabel>(*color + 1);
  }
  return ColorLabel::kNone;
}

void remove_property(const std::vector<pugi::xml_node>& nodes, const char* uri, const char* local) {
  for (pugi::xml_node node : nodes) {
    for (pugi::xml_attribute attribute = node.first_attribute(); attribute;) {
      const pugi::xml_attribute next = attribute.next_attribute();
      if (is_named(node, attribute.name(), uri, local)) node.remove_attribute(attribute);
      attribute = next;
    }
    while (const pugi::xml_node child = child_of(node, uri, local)) node.remove_child(child);
  }
}

// That a name of the node's properties begins with the prefix, though it may be declared nowhere.
bool is_used(pugi::xml_node node, const std::string& prefix) {
  const auto begins = [&](const char* name) { return std::string_view(name).starts_with(prefix + ":"); };
  const auto attributes = node.attributes();
  const auto children = node.children();
  return std::any_of(attributes.begin(), attributes.end(), [&](auto a) { return begins(a.name()); }) ||
         std::any_of(children.begin(), children.end(), [&](auto c) { return begins(c.name()); });
}

// PREFIX:LOCAL with a prefix that stands for the namespace at this node; declared there if there is none.
std::string qualified(pugi::xml_node node, const char* uri, const char* local) {
  for (pugi::xml_node at = node; at; at = at.parent()) {
    for (const pugi::xml_attribute attribute : at.attributes()) {
      const std::string_view name = attribute.name();
      if (name.starts_with("xmlns:") && std::string_view(attribute.value()) == uri &&
          uri_of(node, name.substr(6)) == uri) {
        return std::string(name.substr(6)) + ":" + local;
      }
    }
  }
  for (const Namespace& known : kNamespaces) {
    if (std::string_view(known.uri) != uri) continue;
    std::string prefix = known.prefix;
    while (!uri_of(node, prefix).empty() || is_used(node, prefix)) prefix += "_";
    node.append_attribute(("xmlns:" + prefix).c_str()) = uri;
    return prefix + ":" + local;
  }
  throw Error(ErrorCode::kInternal, "an unknown XMP namespace");
}

void set_property(pugi::xml_node node, const char* uri, const char* local, const std::string& value) {
  node.append_attribute(qualified(node, uri, local).c_str()) = value.c_str();
}

void set_items(pugi::xml_node node, const char* uri, const char* local, const std::vector<std::string>& values) {
  if (values.empty()) return;
  pugi::xml_node list =
      node.append_child(qualified(node, uri, local).c_str()).append_child(qualified(node, kRdf, "Bag").c_str());
  for (const std::string& value : values) {
    list.append_child(qualified(list, kRdf, "li").c_str()).text().set(value.c_str());
  }
}

pugi::xml_node new_description(pugi::xml_document& document) {
  pugi::xml_node top = document.append_child("x:xmpmeta");
  top.append_attribute("xmlns:x") = "adobe:ns:meta/";
  pugi::xml_node rdf = top.append_child("rdf:RDF");
  rdf.append_attribute("xmlns:rdf") = kRdf;
  pugi::xml_node description = rdf.append_child("rdf:Description");
  description.append_attribute("rdf:about") = "";
  return description;
}

}  // namespace

XmpData parse_xmp(std::string_view text, const std::string& name) {
  pugi::xml_document document;
  parse(document, text, name);
  const auto nodes = descriptions(document);
  XmpData data;
  const auto rating = whole_number(property(nodes, kXmp, "Rating"));
  const auto pick = whole_number(property(nodes, kDigikam, "PickLabel"));  // 1 rejected, 3 accepted
  if (rating && *rating > 0) data.marks.rating = std::min(*rating, kMostStars);
  if ((rating && *rating < 0) || pick == 1) data.marks.flag = Flag::kReject;
  if (pick == 3) data.marks.flag = Flag::kPick;
  data.marks.label = label_of(nodes);
  data.tags = tags_of(nodes);
  return data;
}

std::string update_xmp(std::string_view text, const XmpData& data, const std::string& name) {
  pugi::xml_document document;
  if (!text.empty()) parse(document, text, name);
  auto nodes = descriptions(document);
  if (nodes.empty()) {
    if (document.document_element()) throw Error(ErrorCode::kDamaged, name + " is XML, but no XMP");
    nodes.push_back(new_description(document));
  }
  for (const auto& [uri, local] :
       {std::pair(kXmp, "Rating"), std::pair(kXmp, "Label"), std::pair(kDc, "subject"),
        std::pair(kLightroom, "hierarchicalSubject"), std::pair(kDigikam, "TagsList"), std::pair(kDigikam, "PickLabel"),
        std::pair(kDigikam, "ColorLabel"), std::pair(kDarktable, "colorlabels")}) {
    remove_property(nodes, uri, local);
  }
  pugi::xml_node node = nodes.front();
  for (const char* uri : {kXmp, kDc, kLightroom, kDigikam}) qualified(node, uri, "");  // declarations come first
  const Marks& marks = data.marks;
  // Rejected has no stars in XMP; the flag is what counts more.
  set_property(node, kXmp, "Rating", std::to_string(marks.flag == Flag::kReject ? -1 : marks.rating));
  if (marks.label != ColorLabel::kNone) {
    set_property(node, kXmp, "Label", kLabelNames[static_cast<std::size_t>(marks.label)]);
  }
  if (marks.flag == Flag::kPick) set_property(node, kDigikam, "PickLabel", "3");
  std::set<std::string> flat;
  std::vector<std::string> paths, with_bars;
  for (const std::string& tag : data.tags) {
    flat.insert(tag.substr(tag.rfind('/') + 1));
    if (tag.find('/') == std::string::npos) continue;
    paths.push_back(tag);
    with_bars.push_back(tag);
    std::replace(with_bars.back().begin(), with_bars.back().end(), '/', '|');
  }
  set_items(node, kDc, "subject", std::vector<std::string>(flat.begin(), flat.end()));
  set_items(node, kLightroom, "hierarchicalSubject", with_bars);
  set_items(node, kDigikam, "TagsList", paths);
  std::ostringstream out;
  document.save(out, " ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
  return out.str();
}

}  // namespace tessera
