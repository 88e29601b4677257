#include "server/reports/finding_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/text.h"
#include "server/reports/report_path.h"

namespace slipway::server {

namespace {

constexpr std::size_t kFingerprint = 32;  // hex digits: 128 bits
constexpr long long kMostLine = 100'000'000;
constexpr std::string_view kTooMuchText =
    "(The texts of the report are too long together; this one is left out.)";

bool is_control(unsigned char c) {
  return (c < ' ' && c != '\n' && c != '\t') || c == 0x7F;
}

// What is a control character, or may begin something that is left out.
bool is_odd(char c) {
  return is_control(static_cast<unsigned char>(c)) || c == '\xE2';
}

// U+202A to U+202E, U+2066 to U+2069: text that reads otherwise than it is. 3 bytes each.
bool turns_direction(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xE2') return false;
  const auto last = static_cast<unsigned char>(text[2]);
  return (text[1] == '\x80' && last >= 0xAA && last <= 0xAE) ||
         (text[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

// Parts of which none can run into the next one.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += fmt::format("{}:{}", part.size(), part);
  return text;
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t most) {
  std::string clean;
  // A little more than is kept, so that a long text is not cleaned to its end.
  while (!text.empty() && clean.size() <= most) {
    const auto* odd = std::find_if(text.begin(), text.end(), is_odd);
    const auto plain = static_cast<std::size_t>(odd - text.begin());
    clean += text.substr(0, std::min(plain, most + 1));
    text.remove_prefix(plain);
    const std::size_t out = turns_direction(text) ? 3 : 1;
    if (!text.empty() && text[0] == '\xE2' && out == 1) clean += text[0];
    text.remove_prefix(std::min(out, text.size()));
  }
  const auto last = clean.find_last_not_of(" \n\t");
  clean.resize(last == std::string::npos ? 0 : last + 1);
  std::string kept = cut_off(clean, most);
  kept.erase(0, std::min(kept.find_first_not_of(" \n\t"), kept.size()));
  return kept;
}

std::string clean_line(std::string_view text, std::size_t most) {
  std::string line = clean_text(text, most);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

std::string FindingSink::fingerprint_of(const Finding& finding, const FindingIdentity& identity) {
  if (!identity.own.empty())
    return sha256_hex(joined({kind_, identity.own})).substr(0, kFingerprint);
  const std::string primary = finding.identifiers.empty() ? "" : finding.identifiers.front();
  std::string same = sha256_hex(
      joined({kind_, primary, finding.file, finding.name, identity.subject, identity.detail}));
  same.resize(kFingerprint);
  // The second one of the same kind in a file is another finding than the first.
  const std::size_t place = ++alike_[same];
  return place == 1 ? same : sha256_hex(fmt::format("{}#{}", same, place)).substr(0, kFingerprint);
}

bool FindingSink::add(Finding finding, const FindingIdentity& identity) {
  if (++looked_at_ > limits_.looked_at) {
    complain(
        fmt::format("it has more than {} findings; those behind are left out", limits_.looked_at));
    return false;
  }
  finding.name = clean_line(finding.name, limits_.name);
  finding.file = path_in_project(project_, clean_line(finding.file, limits_.path));
  finding.subject = clean_line(finding.subject, limits_.path);
  finding.scanner = clean_line(finding.scanner, limits_.name);
  finding.description = clean_text(finding.description, limits_.text);
  finding.solution = clean_text(finding.solution, limits_.text);
  if (finding.line < 0 || finding.line > kMostLine) finding.line = 0;
  auto& names = finding.identifiers;
  if (names.size() > limits_.identifiers) names.resize(limits_.identifiers);
  for (std::string& name : names) name = clean_line(name, limits_.name);
  names.erase(std::remove(names.begin(), names.end(), ""), names.end());
  if (finding.name.empty()) finding.name = names.empty() ? "(no name)" : names.front();
  finding.fingerprint = fingerprint_of(finding, identity);
  if (!known_.insert(finding.fingerprint).second) return true;
  texts_ += finding.description.size() + finding.solution.size();
  if (texts_ > limits_.texts) {
    texts_ -= finding.description.size() + finding.solution.size();
    finding.description = kTooMuchText;
    finding.solution.clear();
  }
  report_.findings.push_back(std::move(finding));
  if (report_.findings.size() >= 2 * limits_.findings) keep_the_worst();
  return true;
}

void FindingSink::set_scanner(const std::string& name) {
  for (Finding& finding : report_.findings)
    if (finding.scanner.empty()) finding.scanner = clean_line(name, limits_.name);
}

void FindingSink::complain(const std::string& fault) {
  if (report_.error.empty()) report_.error = fault;
}

void FindingSink::keep_the_worst() {
  auto& findings = report_.findings;
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return left.severity < right.severity;
  });
  if (findings.size() <= limits_.findings) return;
  report_.left_out += static_cast<long long>(findings.size() - limits_.findings);
  findings.resize(limits_.findings);
  texts_ = 0;
  for (const Finding& finding : findings)
    texts_ += finding.description.size() + finding.solution.size();
}

FindingsReport FindingSink::take() {
  keep_the_worst();
  return std::move(report_);
}

}  // namespace slipway::server
