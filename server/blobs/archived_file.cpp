#include "server/blobs/archived_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <memory>

namespace slipway::server {
namespace {

struct CloseArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

std::string without_dot(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  return std::string{path};
}

Result<std::string> content_of(archive* reader, const std::string& path, std::size_t limit) {
  std::string text;
  char piece[16384];
  for (;;) {
    const auto got = archive_read_data(reader, piece, sizeof piece);
    if (got == 0) return text;
    if (got < 0)
      return fail(ErrorKind::InvalidInput, "'" + path + "' in the artifacts archive is damaged");
    if (text.size() + static_cast<std::size_t>(got) > limit)
      return fail(ErrorKind::TooLarge, "'" + path + "' in the artifacts archive has more than " +
                                           std::to_string(limit >> 10U) + " KiB");
    text.append(piece, static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::string> read_archived_file(const OpenBlob& archive, const std::string& path,
                                       std::size_t limit) {
  const std::unique_ptr<struct archive, CloseArchive> reader{archive_read_new()};
  archive_read_support_format_zip(reader.get());
  if (::lseek(archive.file.get(), 0, SEEK_SET) != 0 ||
      archive_read_open_fd(reader.get(), archive.file.get(), 65536) != ARCHIVE_OK)
    return fail(ErrorKind::InvalidInput, "the artifacts archive is no zip file");
  const std::string wanted = without_dot(path);
  archive_entry* entry = nullptr;
  int more = ARCHIVE_OK;
  while ((more = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK ||
         more == ARCHIVE_WARN) {
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG || without_dot(name) != wanted)
      continue;
    return content_of(reader.get(), path, limit);
  }
  if (more != ARCHIVE_EOF)
    return fail(ErrorKind::InvalidInput, "the artifacts archive is no zip file");
  return fail(ErrorKind::NotFound, "the artifacts archive has no file '" + path + "'");
}

}  // namespace slipway::server
