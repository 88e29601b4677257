// Values of variables that YAML does not read as they are written: 3.10 is 3.1, 010 is 8, yes is
// true.

#include "pipeline/lint/walk.h"
#include "pipeline/lint/warnings.h"

namespace slipway::pipeline::lint {
namespace {

using read::Entry;
using read::Kind;
using read::Node;
using read::NodePtr;

// Lines are looked up again and again, so each file is cut into lines once.
class Lines {
 public:
  explicit Lines(const Source& source) : source_(source) {}

  // The plain word that stands at `at`, or "".
  std::string_view word(const SourceSpan& at) {
    if (!known_ || at.file != file_) cut(at.file);
    const auto number = static_cast<std::size_t>(at.line);
    if (number < 1 || number > lines_.size()) return {};
    std::string_view line = lines_[number - 1];
    // Columns count letters, so the bytes that continue one do not count.
    for (int column = 1; column < at.column && !line.empty(); ++column) do
        line.remove_prefix(1);
      while (!line.empty() && (static_cast<unsigned char>(line.front()) & 0xC0U) == 0x80);
    return line.substr(0, line.find_first_of(" \t\r,]}"));
  }

 private:
  void cut(const std::string& file) {
    file_ = file;
    known_ = true;
    lines_.clear();
    std::string_view text = source_(file);
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  const Source& source_;
  bool known_ = false;
  std::string file_;
  std::vector<std::string_view> lines_;
};

class Checker {
 public:
  Checker(const Source& source, Diagnostics& findings) : lines_(source), findings_(findings) {}

  void visit(const Node& node, bool of_variables) {
    if (of_variables && node.is_scalar() && node.kind != Kind::String) check(node);
    for (const NodePtr& item : node.items) visit(*item, of_variables);
    for (const Entry& entry : node.entries)
      visit(*entry.value, of_variables || entry.key == "variables" || entry.key == "matrix");
  }

 private:
  void check(const Node& node) {
    const std::string word{lines_.word(node.at)};
    const read::Typed typed = read::type_plain_scalar(word);
    if (word == node.text || typed.kind != node.kind || typed.text != node.text) return;
    warn(findings_, node, "yaml_value", "YAML reads " + word + " as " + node.text,
         "quote it to keep it as it is written: \"" + word + "\"");
  }

  Lines lines_;
  Diagnostics& findings_;
};

}  // namespace

void warn_of_numbers(const Node& tree, const Source& source, Diagnostics& findings) {
  Checker{source, findings}.visit(tree, false);
}

}  // namespace slipway::pipeline::lint
