#include "server/assembly/backup.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "server/assembly/stored.h"

namespace slipway::server {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kDatabase = "slipway.db";
constexpr const char* kKey = "secret.key";
constexpr const char* kManifest = "backup.json";

Error disk_error(const std::string& attempted, const std::error_code& failed) {
  return errno_error(attempted, failed.value());
}

Result<void> make_directory(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) return disk_error("cannot make the directory '" + path.string() + "'", failed);
  return {};
}

enum class Placed : std::uint8_t { Done, Gone };

// Artifacts never change, so that a second name is as good as a copy where the disk is the same.
enum class Means : std::uint8_t { Copy, LinkOrCopy };

Result<Placed> place_file(const fs::path& from, const fs::path& to, Means means) {
  if (auto made = make_directory(to.parent_path()); !made) return made.error();
  std::error_code failed;
  if (means == Means::LinkOrCopy) {
    fs::create_hard_link(from, to, failed);
    if (!failed || failed == std::errc::file_exists) return Placed::Done;
    failed.clear();
  }
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, failed);
  if (failed == std::errc::no_such_file_or_directory) return Placed::Gone;
  if (failed) return disk_error("cannot copy '" + from.string() + "'", failed);
  return Placed::Done;
}

// Logs grow in place: they are copied, never linked. Each is at least as long as the database says,
// since it is copied later.
Result<std::size_t> copy_logs(const fs::path& from, const fs::path& to) {
  std::size_t count = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry{from, failed}, end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().extension() != ".log") continue;
    const auto placed =
        place_file(entry->path(), to / fs::relative(entry->path(), from), Means::Copy);
    if (!placed) return placed.error();
    count += *placed == Placed::Done ? 1 : 0;
  }
  return count;
}

Result<std::size_t> place_artifacts(const std::vector<std::string>& names, const fs::path& from,
                                    const fs::path& to, std::vector<std::string>& missing) {
  std::size_t count = 0;
  for (const std::string& name : names) {
    const auto placed = place_file(from / name, to / name, Means::LinkOrCopy);
    if (!placed) return placed.error();
    if (*placed == Placed::Done)
      ++count;
    else
      missing.push_back(name);
  }
  return count;
}

long long total(const std::vector<CopiedTable>& tables) {
  long long rows = 0;
  for (const CopiedTable& table : tables) rows += table.rows;
  return rows;
}

json manifest_tables(const std::vector<CopiedTable>& tables) {
  json all = json::object();
  for (const CopiedTable& table : tables)
    all[table.name] = {{"rows", table.rows}, {"sha256", table.sha256}};
  return all;
}

Result<json> read_manifest(const fs::path& directory) {
  const auto text = read_file(directory / kManifest);
  if (!text)
    return fail(ErrorKind::InvalidInput,
                "'" + directory.string() + "' is no finished backup: it has no " + kManifest);
  json manifest = json::parse(*text, nullptr, false);
  if (!manifest.is_object() || manifest.value("format", 0) != kFormat ||
      !manifest.contains("tables"))
    return fail(ErrorKind::InvalidInput,
                "'" + (directory / kManifest).string() + "' is not of a form that is known")
        .with_hint("restore it with the slipway that made it, or a newer one");
  return manifest;
}

Result<bool> restore_key(const ServerSettings& settings, const fs::path& directory) {
  const auto kept = read_file(directory / kKey);
  if (!kept) return false;
  const fs::path target = key_file(settings);
  if (const auto there = read_file(target); there && *there != *kept)
    return fail(ErrorKind::Conflict, "'" + target.string() + "' holds another key than the backup")
        .with_hint("move it away, if nothing was sealed with it");
  if (auto written = replace_file(target, *kept, 0600, Durable::yes); !written)
    return written.error();
  return true;
}

// Rows of tables that have changed since with the schema are not compared.
Result<void> compare(const json& manifest, const std::vector<CopiedTable>& tables,
                     const fs::path& directory) {
  const json said = manifest.at("tables");
  if (said.size() != tables.size()) return {};
  for (const CopiedTable& table : tables)
    if (said.contains(table.name) && said.at(table.name).at("rows") != table.rows)
      return fail(ErrorKind::InvalidInput, "'" + directory.string() + "' has not the rows of '" +
                                               table.name + "' that " + kManifest + " tells of");
  return {};
}

}  // namespace

Result<BackupReport> back_up(const ServerSettings& settings, const fs::path& directory,
                             KeyFile key) {
  std::error_code failed;
  if (fs::exists(directory, failed) && !fs::is_empty(directory, failed))
    return fail(ErrorKind::Conflict, "'" + directory.string() + "' holds something already")
        .with_hint("name a new directory");
  const DatabasePlace place = database_place(settings);
  if (auto exists = check_exists(place); !exists) return exists.error();
  if (auto made = make_directory(directory); !made) return made.error();
  fs::permissions(directory, fs::perms::owner_all, failed);

  const auto tables = copy_to_file(place, directory / kDatabase);
  if (!tables) return tables.error();
  BackupReport report;
  report.rows = total(*tables);
  const auto names = blobs_in_file(directory / kDatabase);
  if (!names) return names.error();
  std::vector<std::string> missing;
  const auto artifacts =
      place_artifacts(*names, settings.data_dir / "artifacts", directory / "artifacts", missing);
  if (!artifacts) return artifacts.error();
  report.artifacts = *artifacts;
  report.missing = missing.size();
  const auto logs = copy_logs(settings.data_dir / "traces", directory / "traces");
  if (!logs) return logs.error();
  report.logs = *logs;
  if (key == KeyFile::Included) {
    const auto text = read_file(key_file(settings));
    if (!text) return text.error();
    if (auto written = replace_file(directory / kKey, *text, 0600, Durable::yes); !written)
      return written.error();
    report.key = true;
  }
  const json manifest{{"format", kFormat},
                      {"tables", manifest_tables(*tables)},
                      {"artifacts", report.artifacts},
                      {"missing_artifacts", missing},
                      {"logs", report.logs},
                      {"key", report.key}};
  if (auto written =
          replace_file(directory / kManifest, manifest.dump(2) + "\n", 0600, Durable::yes);
      !written)
    return written.error();
  return report;
}

Result<BackupReport> restore(const ServerSettings& settings, const fs::path& directory) {
  const auto manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  if (auto made = make_directory(settings.data_dir); !made) return made.error();
  // Migrated where it is of an older version, which the backup itself is not.
  const fs::path unpacked = settings.data_dir / "restored.db";
  const auto clear = [&] {
    std::error_code ignored;
    for (const char* part : {"", "-wal", "-shm", ".lock"})
      fs::remove(unpacked.string() + part, ignored);
  };
  clear();
  const auto names = blobs_in_file(directory / kDatabase);
  if (!names) return names.error();
  if (auto copied = place_file(directory / kDatabase, unpacked, Means::Copy); !copied)
    return copied.error();

  BackupReport report;
  const auto tables = migrate_store(
      DatabasePlace::at_file(unpacked), database_place(settings), [&]() -> Result<void> {
        const auto key = restore_key(settings, directory);
        if (!key) return key.error();
        report.key = *key;
        std::vector<std::string> missing;
        const auto artifacts = place_artifacts(*names, directory / "artifacts",
                                               settings.data_dir / "artifacts", missing);
        if (!artifacts) return artifacts.error();
        report.artifacts = *artifacts;
        report.missing = missing.size();
        const auto logs = copy_logs(directory / "traces", settings.data_dir / "traces");
        if (!logs) return logs.error();
        report.logs = *logs;
        return {};
      });
  clear();
  if (!tables) return tables.error();
  if (auto same = compare(*manifest, *tables, directory); !same) return same.error();
  report.rows = total(*tables);
  return report;
}

Result<std::vector<CopiedTable>> move_store(const ServerSettings& settings, const std::string& from,
                                            const std::string& to) {
  const auto place = [&](const std::string& text) {
    if (text.find("://") == std::string::npos) return DatabasePlace::at_file(text);
    return DatabasePlace{{}, text, settings.database_password};
  };
  return migrate_store(place(from), place(to));
}

}  // namespace slipway::server
