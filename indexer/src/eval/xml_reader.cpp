// A small XML reader for annotation files: elements, text and the five named entities; no namespaces, no DTD.
#include "eval/xml_reader.h"

#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "eval/text_file.h"

namespace tessera::eval {
namespace {

constexpr int kMaxDepth = 64;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    text.push_back(static_cast<char>(0xC0 | code >> 6));
    text.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | code >> 12));
    text.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    text.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    text.push_back(static_cast<char>(0xF0 | code >> 18));
    text.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    text.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    text.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

class XmlParser {
 public:
  XmlParser(const std::filesystem::path& path, std::string_view text) : path_(path), text_(text) {}

  XmlElement document() {
    skip_between();
    if (at_ == text_.size() || text_[at_] != '<') fail("an element is expected");
    XmlElement root = element(0);
    skip_between();
    if (at_ != text_.size()) fail("text follows the end of <" + root.name + ">");
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { fail_at(path_, line_of(text_, at_), reason); }

  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  void skip_past(std::string_view end, const char* what) {
    const std::size_t found = text_.find(end, at_);
    if (found == text_.npos) fail(std::string(what) + " does not end");
    at_ = found + end.size();
  }

  // A comment, processing instruction or declaration; false if there is none here.
  bool skip_markup() {
    if (starts("<!--")) {
      skip_past("-->", "a comment");
    } else if (starts("<?")) {
      skip_past("?>", "a processing instruction");
    } else if (starts("<!DOCTYPE")) {
      skip_past(">", "a DOCTYPE");
    } else {
      return false;
    }
    return true;
  }

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  void skip_between() {
    do skip_spaces();
    while (skip_markup());
  }

  std::string name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' ||
                                  text_[at_] == '-' || text_[at_] == '.' || text_[at_] == ':')) {
      ++at_;
    }
    if (at_ == start) fail("a name is expected");
    return std::string(text_.substr(start, at_ - start));
  }

  // Attributes are checked and dropped. True if the tag closes itself ("/>").
  bool attributes(const std::string& of) {
    while (true) {
      skip_spaces();
      if (starts("/>")) {
        at_ += 2;
        return true;
      }
      if (starts(">")) {
        ++at_;
        return false;
      }
      if (at_ == text_.size()) fail("the tag <" + of + "> does not end");
      name();
      skip_spaces();
      if (!starts("=")) fail("an attribute of <" + of + "> has no value");
      ++at_;
      skip_spaces();
      if (!starts("\"") && !starts("'")) fail("an attribute value of <" + of + "> is not quoted");
      const char quote = text_[at_++];
      skip_past(std::string_view(&quote, 1), "an attribute value");
    }
  }

  void entity(std::string& into) {
    const std::size_t end = text_.find(';', at_);
    if (end == text_.npos || end - at_ > 12) fail("an '&' starts no entity");
    const std::string_view body = text_.substr(at_ + 1, end - at_ - 1);
    static constexpr std::array<std::pair<std::string_view, char>, 5> kNamed = {
        {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};
    for (const auto& [entity_name, character] : kNamed) {
      if (body == entity_name) {
        into.push_back(character);
        at_ = end + 1;
        return;
      }
    }
    if (!body.starts_with('#')) fail("unknown entity '&" + std::string(body) + ";'");
    const bool hex = body.starts_with("#x");
    const std::string_view digits = body.substr(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    if (error != std::errc{} || stop != digits.data() + digits.size() || code == 0 || code > 0x10FFFF ||
        (code >= 0xD800 && code < 0xE000)) {
      fail("'&" + std::string(body) + ";' is no character");
    }
    append_utf8(into, code);
    at_ = end + 1;
  }

  XmlElement element(int depth) {
    if (depth > kMaxDepth) fail("elements are nested too deeply");
    XmlElement result;
    result.line = line_of(text_, at_);
    ++at_;
    result.name = name();
    if (attributes(result.name)) return result;
    std::string text;
    while (true) {
      if (at_ == text_.size()) fail("<" + result.name + "> of line " + std::to_string(result.line) + " does not end");
      if (starts("</")) {
        at_ += 2;
        const std::string closing = name();
        if (closing != result.name) {
          fail("</" + closing + "> closes <" + result.name + "> of line " + std::to_string(result.line));
        }
        skip_spaces();
        if (!starts(">")) fail("the tag </" + closing + "> does not end");
        ++at_;
        result.text = trimmed(text);
        return result;
      }
      if (starts("<![CDATA[")) {
        const std::size_t start = at_ + 9;
        skip_past("]]>", "a CDATA section");
        text += text_.substr(start, at_ - 3 - start);
      } else if (text_[at_] == '<') {
        if (!skip_markup()) result.children.push_back(element(depth + 1));
      } else if (text_[at_] == '&') {
        entity(text);
      } else {
        text.push_back(text_[at_++]);
      }
    }
  }

  const std::filesystem::path& path_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  for (const XmlElement& each : children) {
    if (each.name == wanted) return &each;
  }
  return nullptr;
}

XmlElement read_xml(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  return XmlParser(path, text).document();
}

}  // namespace tessera::eval
