#include "runner/artifacts.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/files.h"
#include "base/process.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace slipway;
using namespace slipway::runner;
namespace fs = std::filesystem;

namespace {

struct Tree {
  Tree() { fs::create_directory(path); }
  void add(const std::string& name, const std::string& text = "x") const {
    fs::create_directories((path / name).parent_path());
    REQUIRE(replace_file(path / name, text));
  }
  [[nodiscard]] std::vector<std::string> selected(const std::vector<std::string>& paths,
                                                  const std::vector<std::string>& exclude = {}) {
    auto selection = select_files(path, paths, exclude);
    warnings = std::move(selection.warnings);
    return std::move(selection.files);
  }

  test::TempDirectory directory;  // what is in it but not in `path` is outside
  fs::path path = directory / "tree";
  std::vector<std::string> warnings;
};

struct Entry {
  std::string name;
  std::string text;
  unsigned type = AE_IFREG;  // of a link, `text` is where it points
};

void make_zip(const fs::path& file, const std::vector<Entry>& entries) {
  archive* const writer = archive_write_new();
  archive_write_set_format_zip(writer);
  REQUIRE(archive_write_open_filename(writer, file.c_str()) == ARCHIVE_OK);
  for (const Entry& from : entries) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, from.name.c_str());
    archive_entry_set_filetype(entry, from.type);
    archive_entry_set_perm(entry, 0644);
    if (from.type == AE_IFLNK)
      archive_entry_set_symlink(entry, from.text.c_str());
    else
      archive_entry_set_size(entry, static_cast<la_int64_t>(from.text.size()));
    REQUIRE(archive_write_header(writer, entry) == ARCHIVE_OK);
    if (from.type == AE_IFREG) archive_write_data(writer, from.text.data(), from.text.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

// All files below `directory`, links too.
std::vector<std::string> everything_in(const fs::path& directory) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator{directory})
    if (!entry.is_directory()) found.push_back(fs::relative(entry.path(), directory).string());
  std::sort(found.begin(), found.end());
  return found;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("artifacts are files, directories and globs", "[artifacts]") {
  Tree tree;
  for (const char* name : {"a.txt", "b.log", "out/c.txt", "out/deep/d.txt", "other/e.txt"})
    tree.add(name);

  CHECK(tree.selected({"a.txt"}) == Names{"a.txt"});
  CHECK(tree.selected({"out/"}) == Names{"out/c.txt", "out/deep/d.txt"});
  CHECK(tree.selected({"./out"}) == Names{"out/c.txt", "out/deep/d.txt"});
  CHECK(tree.selected({(tree.path / "a.txt").string()}) == Names{"a.txt"});
  CHECK(tree.selected({"*.txt"}) == Names{"a.txt"});
  CHECK(tree.selected({"out/*.txt"}) == Names{"out/c.txt"});
  CHECK(tree.selected({"**/*.txt"}) ==
        Names{"a.txt", "other/e.txt", "out/c.txt", "out/deep/d.txt"});
  CHECK(tree.selected({"o*"}) == Names{"other/e.txt", "out/c.txt", "out/deep/d.txt"});
  CHECK(tree.selected({"."}).size() == 5);
  CHECK(tree.selected({"a.txt", "*.txt", "a.txt"}) == Names{"a.txt"});
  CHECK(tree.warnings.empty());
}

TEST_CASE("exclude takes files out again", "[artifacts]") {
  Tree tree;
  for (const char* name : {"out/a.o", "out/a.txt", "out/deep/b.o"}) tree.add(name);

  CHECK(tree.selected({"out"}, {"out/**/*.o"}) == Names{"out/a.txt"});
  CHECK(tree.selected({"out"}, {"out/*.o"}) == Names{"out/a.txt", "out/deep/b.o"});
  CHECK(tree.selected({"out"}, {"out/**"}).empty());
}

TEST_CASE("what is not there or outside is told", "[artifacts]") {
  Tree tree;
  CHECK(tree.selected({"none", "*.none", "../x", "/etc/passwd"}).empty());
  CHECK(tree.warnings == Names{"none: no matching files", "*.none: no matching files",
                               "../x: is outside of the project's directory",
                               "/etc/passwd: is outside of the project's directory"});
}

TEST_CASE("untracked files are added but for those excluded", "[artifacts]") {
  Tree tree;
  ProcessSpec git;
  git.argv = {"git", "init", "--quiet", "."};
  git.workdir = tree.path;
  git.env = environment_subset({"PATH"});
  REQUIRE(collect_process(git));
  for (const char* name : {"new.txt", "dir/with space", "dir/ignored.log", ".gitignore"})
    tree.add(name, "*.log\n");
  Selection selection;

  REQUIRE(add_untracked(tree.path, {"new.*"}, selection));

  CHECK(selection.files == Names{".gitignore", "dir/ignored.log", "dir/with space"});
}

TEST_CASE("what is packed comes out as it was", "[artifacts]") {
  Tree tree;
  const std::string bytes = std::string(300'000, '\0') + "\xff end";
  tree.add("bin/tool", bytes);
  fs::permissions(tree.path / "bin/tool", fs::perms{0755});
  tree.add("\xc3\xbcmlaut", "text");
  const fs::path zip = tree.directory / "a.zip";
  const fs::path to = tree.directory / "to";
  fs::create_directory(to);

  REQUIRE(write_zip(tree.path, {"bin/tool", "\xc3\xbcmlaut"}, zip));
  const auto extracted = extract_archive(zip, to);
  CAPTURE(extracted ? "" : extracted.error().message);
  REQUIRE(extracted);

  CHECK(read_file(to / "bin/tool").value_or("") == bytes);
  CHECK(read_file(to / "\xc3\xbcmlaut").value_or("") == "text");
  struct stat status {};
  REQUIRE(::stat((to / "bin/tool").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0755);
}

TEST_CASE("each file of a gzip report is a member of its own", "[artifacts]") {
  Tree tree;
  tree.add("a.xml", "<a/>");
  tree.add("b.xml", "<b/>");
  const fs::path packed = tree.directory / "reports.gz";
  REQUIRE(write_gzip(tree.path, {"a.xml", "b.xml"}, packed));

  ProcessSpec gzip;
  gzip.argv = {"gzip", "--decompress", "--stdout", packed.string()};
  gzip.env = environment_subset({"PATH"});
  const auto text = collect_process(gzip);
  REQUIRE(text);
  CHECK(text->output == "<a/><b/>");
}

TEST_CASE("nothing is read through a link", "[artifacts]") {
  Tree tree;
  REQUIRE(replace_file(tree.directory / "secret", "the secret"));
  tree.add("out/plain");
  fs::create_symlink(tree.directory.path(), tree.path / "out/way");
  fs::create_symlink(tree.directory / "secret", tree.path / "out/link");
  const fs::path zip = tree.directory / "a.zip";

  CHECK(tree.selected({"out/way/secret"}).empty());
  CHECK(tree.warnings == Names{"out/way/secret: leads through a link"});
  CHECK(tree.selected({"out/way/*"}).empty());
  const auto files = tree.selected({"out"});
  (void)write_zip(tree.path, files, zip);
  CHECK(read_file(zip).value_or("").find("the secret") == std::string::npos);
  // Not even when it becomes a link between the choice and the packing.
  (void)write_zip(tree.path, {"out/way/secret"}, zip);
  CHECK(read_file(zip).value_or("").find("secret") == std::string::npos);
}

TEST_CASE("no name of an entry leads out of the tree", "[artifacts]") {
  for (const std::string name : {"../x",
                                 "a/../../x",
                                 "a/b/../../../x",
                                 "./../x",
                                 "/x",
                                 "//x",
                                 "../../../../../../../x",
                                 "..",
                                 "../",
                                 "a/..",
                                 "..\\x",
                                 "a\\..\\..\\x",
                                 "C:\\x",
                                 "C:/x",
                                 "\\\\host\\x",
                                 "a/./../../x",
                                 ".../x",
                                 "..%2fx",
                                 "\xc0\xae\xc0\xae/x",
                                 "x.",
                                 "..."}) {
    CAPTURE(name);
    Tree tree;
    const fs::path zip = tree.directory / "hostile.zip";
    make_zip(zip, {{name, "hostile"}});
    (void)extract_archive(zip, tree.path);
    for (const std::string& file : everything_in(tree.directory.path()))
      CHECK((file == "hostile.zip" || file.rfind("tree/", 0) == 0));
    CHECK_FALSE(fs::exists("/x"));
  }
  Tree tree;
  make_zip(tree.directory / "hostile.zip", {{"a/../../x", "hostile"}});
  CHECK_FALSE(extract_archive(tree.directory / "hostile.zip", tree.path));
}

TEST_CASE("no entry is written through a link", "[artifacts]") {
  const std::vector<std::vector<Entry>> archives{
      {{"way", "..", AE_IFLNK}, {"way/x", "hostile"}},
      {{"way/x", "hostile"}, {"way", "..", AE_IFLNK}},
      {{"file", "../target", AE_IFLNK}, {"file", "hostile"}},
      {{"way", "/", AE_IFLNK}}};
  for (const auto& entries : archives) {
    Tree tree;
    REQUIRE(replace_file(tree.directory / "target", "mine"));
    make_zip(tree.directory / "hostile.zip", entries);
    (void)extract_archive(tree.directory / "hostile.zip", tree.path);
    CHECK(read_file(tree.directory / "target").value_or("") == "mine");
    CHECK_FALSE(fs::exists(tree.directory / "x"));
    for (const auto& entry : fs::recursive_directory_iterator{tree.path})
      CHECK_FALSE(entry.is_symlink());
  }
  // A link that is in the tree already is no way out either.
  Tree tree;
  fs::create_symlink("..", tree.path / "way");
  make_zip(tree.directory / "a.zip", {{"way/x", "hostile"}});
  CHECK_FALSE(extract_archive(tree.directory / "a.zip", tree.path));
  CHECK_FALSE(fs::exists(tree.directory / "x"));
}

TEST_CASE("an archive with more than is allowed is refused", "[artifacts]") {
  Tree tree;
  const fs::path zip = tree.directory / "big.zip";
  make_zip(zip, {{"a", std::string(1'000'000, '0')}, {"b", "x"}, {"c", "x"}});

  CHECK_FALSE(extract_archive(zip, tree.path, {100, 999'999}));
  CHECK_FALSE(extract_archive(zip, tree.path, {2, 2'000'000}));
  CHECK(extract_archive(zip, tree.path, {3, 2'000'000}));
  REQUIRE(replace_file(zip, "no zip at all"));
  CHECK_FALSE(extract_archive(zip, tree.path));
}
