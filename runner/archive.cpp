// Packing and unpacking with libarchive. Of what comes from elsewhere only zip is read: the readers
// of other formats have had most of the library's holes. Tar is only what this machine has stored.

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <locale.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/files.h"
#include "runner/artifacts.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

struct WriterFree {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct ReaderFree {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct EntryFree {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Writer = std::unique_ptr<archive, WriterFree>;
using Reader = std::unique_ptr<archive, ReaderFree>;
using NewEntry = std::unique_ptr<archive_entry, EntryFree>;

Error archive_error(archive* handle, const std::string& what) {
  const char* words = archive_error_string(handle);
  return fail(ErrorKind::InvalidInput, what + ": " + (words == nullptr ? "not readable" : words));
}

// The library takes names through the character set of the locale, and a service has none: file
// names beyond ASCII would be lost.
class Utf8Names {
 public:
  Utf8Names() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = ::uselocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  ~Utf8Names() {
    if (locale_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

// Opened below `tree` without passing through a link anywhere.
UniqueFd open_below(int tree, const std::string& path, unsigned long long flags,
                    unsigned long long mode) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd{static_cast<int>(::syscall(SYS_openat2, tree, path.c_str(), &how, sizeof how))};
}

Result<void> copy_into(archive* writer, int fd, const std::string& name) {
  std::vector<char> buffer(std::size_t{256} << 10U);
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("cannot read '" + name + "'", errno);
    if (got == 0) return {};
    if (archive_write_data(writer, buffer.data(), static_cast<std::size_t>(got)) < 0)
      return archive_error(writer, "cannot pack '" + name + "'");
  }
}

Result<void> add_file(archive* writer, int tree, const std::string& name) {
  struct stat info {};
  const UniqueFd parent = open_below(
      tree, fs::path{name}.parent_path().empty() ? "." : fs::path{name}.parent_path().string(),
      O_PATH | O_DIRECTORY, 0);
  const std::string last = fs::path{name}.filename().string();
  if (!parent.is_open() || ::fstatat(parent.get(), last.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return {};  // gone since it was selected
  const NewEntry entry{archive_entry_new()};
  archive_entry_set_pathname_utf8(entry.get(), name.c_str());
  archive_entry_set_mtime(entry.get(), info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  archive_entry_set_perm(entry.get(), info.st_mode & 0777U);
  if (S_ISLNK(info.st_mode)) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(parent.get(), last.c_str(), target.data(), target.size());
    target.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    archive_entry_set_filetype(entry.get(), AE_IFLNK);
    archive_entry_set_symlink_utf8(entry.get(), target.c_str());
    if (archive_write_header(writer, entry.get()) < ARCHIVE_WARN)
      return archive_error(writer, "cannot pack '" + name + "'");
    return {};
  }
  if (!S_ISREG(info.st_mode)) return {};
  const UniqueFd file = open_below(tree, name, O_RDONLY | O_NONBLOCK, 0);
  if (!file.is_open()) return errno_error("cannot read '" + name + "'", errno);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_size(entry.get(), info.st_size);
  if (archive_write_header(writer, entry.get()) < ARCHIVE_WARN)
    return archive_error(writer, "cannot pack '" + name + "'");
  return copy_into(writer, file.get(), name);
}

Result<UniqueFd> open_tree(const fs::path& tree) {
  UniqueFd fd{::open(tree.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.is_open()) return errno_error("cannot open '" + tree.string() + "'", errno);
  return fd;
}

Result<void> close_writer(archive* writer, const fs::path& target) {
  if (archive_write_close(writer) == ARCHIVE_OK) return {};
  return archive_error(writer, "cannot write '" + target.string() + "'");
}

bool is_harmless(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.size() > 4096 ||
      path.find('\\') != std::string::npos)
    return false;
  for (const fs::path& part : fs::path{path})
    if (part == ".." || part.string().size() > 255) return false;
  return true;
}

Result<void> make_directories(int tree, const fs::path& path) {
  fs::path at;
  for (const fs::path& part : path) {
    if (part.empty() || part == ".") continue;
    at /= part;
    const UniqueFd parent = open_below(
        tree, at.parent_path().empty() ? "." : at.parent_path().string(), O_PATH | O_DIRECTORY, 0);
    if (!parent.is_open() || (::mkdirat(parent.get(), part.c_str(), 0755) != 0 && errno != EEXIST))
      return errno_error("cannot make '" + at.string() + "'", errno);
  }
  return {};
}

class Extraction {
 public:
  Extraction(archive* reader, int tree, const ExtractLimits& limits)
      : reader_(reader), tree_(tree), limits_(limits) {}

  Result<void> all() {
    archive_entry* entry = nullptr;
    while (true) {
      const int code = archive_read_next_header(reader_, &entry);
      if (code == ARCHIVE_EOF) return {};
      if (code < ARCHIVE_WARN) return archive_error(reader_, "the archive cannot be read");
      if (++entries_ > limits_.entries)
        return fail(ErrorKind::TooLarge,
                    "the archive has more than " + std::to_string(limits_.entries) + " entries");
      if (auto done = one(entry); !done) return done;
    }
  }

 private:
  Result<void> one(archive_entry* entry) {
    const char* name = archive_entry_pathname_utf8(entry);
    const std::string path = name == nullptr ? "" : name;
    if (!is_harmless(path))
      return fail(ErrorKind::InvalidInput, "the archive holds '" + path + "', which leads out");
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR: return make_directories(tree_, path);
      case AE_IFREG: return file(entry, path);
      case AE_IFLNK:
        // Links are kept in archives, and left out of other jobs' trees.
        return limits_.restore ? link(entry, path) : Result<void>{};
      default:
        return fail(ErrorKind::InvalidInput, "the archive holds '" + path + "', which is no file");
    }
  }

  Result<void> file(archive_entry* entry, const std::string& path) {
    if (auto made = make_directories(tree_, fs::path{path}.parent_path()); !made) return made;
    const UniqueFd out = open_below(tree_, path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK,
                                    (archive_entry_perm(entry) & 0755U) | 0600U);
    if (!out.is_open()) return errno_error("cannot unpack '" + path + "'", errno);
    std::array<char, 65536> buffer{};
    while (true) {
      const la_ssize_t got = archive_read_data(reader_, buffer.data(), buffer.size());
      if (got == 0) break;
      if (got < 0) return archive_error(reader_, "cannot unpack '" + path + "'");
      bytes_ += got;
      if (bytes_ > limits_.bytes)
        return fail(ErrorKind::TooLarge,
                    "the archive unpacks to more than " + std::to_string(limits_.bytes) + " bytes");
      if (auto written = write_all(out.get(), {buffer.data(), static_cast<std::size_t>(got)});
          !written)
        return std::move(written).error().in("cannot unpack '" + path + "'");
    }
    if (!limits_.restore) return {};
    const timespec modified{archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    const timespec times[2] = {modified, modified};
    if (::futimens(out.get(), times) != 0)
      return errno_error("cannot unpack '" + path + "'", errno);
    return {};
  }

  // What stands there already gives way, unless it is a directory.
  Result<void> link(archive_entry* entry, const std::string& path) {
    const fs::path parent_path = fs::path{path}.parent_path();
    if (auto made = make_directories(tree_, parent_path); !made) return made;
    const UniqueFd parent = open_below(tree_, parent_path.empty() ? "." : parent_path.string(),
                                       O_PATH | O_DIRECTORY, 0);
    const std::string last = fs::path{path}.filename().string();
    const char* target = archive_entry_symlink_utf8(entry);
    if (parent.is_open() && target != nullptr) {
      ::unlinkat(parent.get(), last.c_str(), 0);
      if (::symlinkat(target, parent.get(), last.c_str()) == 0) {
        const timespec modified{archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
        const timespec times[2] = {modified, modified};
        ::utimensat(parent.get(), last.c_str(), times, AT_SYMLINK_NOFOLLOW);
        return {};
      }
    }
    return errno_error("cannot unpack the link '" + path + "'", errno);
  }

  archive* reader_;
  int tree_;
  const ExtractLimits& limits_;
  std::size_t entries_ = 0;
  long long bytes_ = 0;
};

}  // namespace

Result<void> write_zip(const fs::path& tree, const std::vector<std::string>& files,
                       const fs::path& target) {
  const Utf8Names utf8;
  auto root = open_tree(tree);
  if (!root) return std::move(root).error();
  const Writer writer{archive_write_new()};
  archive_write_set_format_zip(writer.get());
  archive_write_set_options(writer.get(), "zip:hdrcharset=UTF-8");
  if (archive_write_open_filename(writer.get(), target.c_str()) != ARCHIVE_OK)
    return archive_error(writer.get(), "cannot write '" + target.string() + "'");
  for (const std::string& file : files)
    if (auto added = add_file(writer.get(), root->get(), file); !added) return added;
  return close_writer(writer.get(), target);
}

Result<void> write_gzip(const fs::path& tree, const std::vector<std::string>& files,
                        const fs::path& target) {
  const Utf8Names utf8;
  auto root = open_tree(tree);
  if (!root) return std::move(root).error();
  const UniqueFd out{::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!out.is_open()) return errno_error("cannot write '" + target.string() + "'", errno);
  for (const std::string& file : files) {
    const Writer writer{archive_write_new()};
    archive_write_set_format_raw(writer.get());
    archive_write_add_filter_gzip(writer.get());
    // A regular file would be padded to whole blocks.
    archive_write_set_bytes_in_last_block(writer.get(), 1);
    if (archive_write_open_fd(writer.get(), out.get()) != ARCHIVE_OK)
      return archive_error(writer.get(), "cannot write '" + target.string() + "'");
    if (auto added = add_file(writer.get(), root->get(), file); !added) return added;
    if (auto closed = close_writer(writer.get(), target); !closed) return closed;
  }
  return {};
}

Result<void> extract_archive(const fs::path& archive_file, const fs::path& tree,
                             const ExtractLimits& limits) {
  const Utf8Names utf8;
  auto root = open_tree(tree);
  if (!root) return std::move(root).error();
  const Reader reader{archive_read_new()};
  archive_read_support_format_zip(reader.get());
  if (archive_read_open_filename(reader.get(), archive_file.c_str(), 65536) != ARCHIVE_OK)
    return archive_error(reader.get(), "the archive cannot be read");
  return Extraction{reader.get(), root->get(), limits}.all();
}

namespace {

struct TarOut {
  const std::function<Result<void>(std::string_view)>& take;
  std::optional<Error> refused;
};

la_ssize_t take_tar(archive*, void* context, const void* bytes, std::size_t size) {
  auto& out = *static_cast<TarOut*>(context);
  auto taken = out.take({static_cast<const char*>(bytes), size});
  if (taken) return static_cast<la_ssize_t>(size);
  out.refused = std::move(taken).error();
  return -1;
}

struct TarIn {
  const std::function<Result<std::string_view>()>& next;
  std::optional<Error> refused;
};

la_ssize_t give_tar(archive*, void* context, const void** bytes) {
  auto& in = *static_cast<TarIn*>(context);
  auto piece = in.next();
  if (!piece) {
    in.refused = std::move(piece).error();
    return -1;
  }
  *bytes = piece->data();
  return static_cast<la_ssize_t>(piece->size());
}

}  // namespace

Result<void> write_tar(const fs::path& tree, const std::vector<std::string>& files,
                       const std::function<Result<void>(std::string_view)>& take) {
  const Utf8Names utf8;
  auto root = open_tree(tree);
  if (!root) return std::move(root).error();
  const Writer writer{archive_write_new()};
  archive_write_set_format_pax(writer.get());
  archive_write_set_bytes_per_block(writer.get(), 1 << 20);
  archive_write_set_bytes_in_last_block(writer.get(), 1);  // nothing is filled up to a block
  TarOut out{take, {}};
  if (archive_write_open2(writer.get(), &out, nullptr, take_tar, nullptr, nullptr) != ARCHIVE_OK)
    return archive_error(writer.get(), "cannot pack");
  for (const std::string& file : files)
    if (auto added = add_file(writer.get(), root->get(), file); !added)
      return out.refused ? Result<void>{*out.refused} : added;
  if (archive_write_close(writer.get()) == ARCHIVE_OK) return {};
  return out.refused ? *out.refused : archive_error(writer.get(), "cannot pack");
}

Result<void> extract_tar(const std::function<Result<std::string_view>()>& next,
                         const fs::path& tree, const ExtractLimits& limits) {
  const Utf8Names utf8;
  auto root = open_tree(tree);
  if (!root) return std::move(root).error();
  const Reader reader{archive_read_new()};
  archive_read_support_format_tar(reader.get());
  TarIn in{next, {}};
  if (archive_read_open2(reader.get(), &in, nullptr, give_tar, nullptr, nullptr) != ARCHIVE_OK)
    return in.refused ? *in.refused : archive_error(reader.get(), "the archive cannot be read");
  auto done = Extraction{reader.get(), root->get(), limits}.all();
  if (!done && in.refused) return *in.refused;
  return done;
}

}  // namespace slipway::runner
