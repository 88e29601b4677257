// Repositories behind git's own server program, over HTTP with a password, for tests of checkouts.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/files.h"
#include "base/process.h"
#include "pipeline/job_spec.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace slipway::test {

// Serves all repositories below its directory. What is asked without the password is refused.
class GitServer {
 public:
  GitServer() {
    constexpr const char* kServer = R"(
import base64, http.server, json, os, subprocess, sys
WANTED = 'Basic ' + base64.b64encode(b'gitlab-ci-token:glcbt-secret').decode()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.0'
    def log_message(self, *words): pass
    def do_GET(self): self.answer()
    def do_POST(self): self.answer()
    def answer(self):
        if self.headers.get('Authorization') != WANTED:
            self.send_response(401); self.send_header('WWW-Authenticate', 'Basic'); self.end_headers(); return
        path, _, query = self.path.partition('?')
        if '.git/info/lfs/objects/' in path or '/lfs-object/' in path: return self.answer_lfs(path)
        env = {'PATH': os.environ['PATH'], 'GIT_PROJECT_ROOT': os.getcwd(), 'GIT_HTTP_EXPORT_ALL': '1',
               'PATH_INFO': path, 'QUERY_STRING': query, 'REQUEST_METHOD': self.command, 'REMOTE_ADDR': '127.0.0.1',
               'CONTENT_TYPE': self.headers.get('Content-Type', ''), 'GIT_PROTOCOL': self.headers.get('Git-Protocol', ''),
               'HTTP_CONTENT_ENCODING': self.headers.get('Content-Encoding', ''),
               'GIT_CONFIG_COUNT': '2', 'GIT_CONFIG_KEY_0': 'safe.directory', 'GIT_CONFIG_VALUE_0': '*',
               'GIT_CONFIG_KEY_1': 'uploadpack.allowAnySHA1InWant', 'GIT_CONFIG_VALUE_1': 'true'}
        length = int(self.headers.get('Content-Length') or 0)
        done = subprocess.run(['git', 'http-backend'], input=self.rfile.read(length), env=env, capture_output=True)
        head, _, body = done.stdout.partition(b'\r\n\r\n')
        lines = [line.split(b': ', 1) for line in head.split(b'\r\n')]
        status = [value for name, value in lines if name == b'Status']
        self.send_response(int(status[0].split()[0]) if status else 200)
        for name, value in lines:
            if name != b'Status': self.send_header(name.decode(), value.decode())
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    # Of Git LFS' batch API the downloads: objects are in <repository>.lfs, and what was given out is listed there.
    def answer_lfs(self, path):
        folder = os.path.join(os.getcwd(), path.split('/')[1].removesuffix('.git').removesuffix('.lfs') + '.lfs')
        if self.command == 'GET':
            name = os.path.basename(path)
            with open(os.path.join(folder, 'given'), 'a') as given: given.write(name + '\n')
            body = open(os.path.join(folder, name), 'rb').read()
        else:
            asked = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
            def told(one):
                if not os.path.exists(os.path.join(folder, one['oid'])):
                    return {**one, 'error': {'code': 404, 'message': 'there is no such object'}}
                href = f"http://127.0.0.1:{self.server.server_port}/{os.path.basename(folder)}/lfs-object/{one['oid']}"
                return {**one, 'actions': {'download': {'href': href, 'header': {'Authorization': WANTED}}}}
            body = json.dumps({'transfer': 'basic', 'objects': [told(one) for one in asked['objects']]}).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/vnd.git-lfs+json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
)";
    ProcessSpec spec;
    spec.argv = {"python3", "-u", "-c", kServer};
    spec.workdir = directory_.path();
    spec.env = environment_subset({"PATH"});
    auto started = ChildProcess::start(spec);
    REQUIRE(started);
    process_.emplace(std::move(*started));
    while (port_.find('\n') == std::string::npos) {
      pollfd ready{process_->output_fd(), POLLIN, 0};
      REQUIRE(::poll(&ready, 1, 30'000) == 1);
      char piece[64];
      const ssize_t got = ::read(process_->output_fd(), piece, sizeof piece);
      REQUIRE(got > 0);
      port_.append(piece, static_cast<std::size_t>(got));
    }
    port_.erase(port_.find('\n'));
  }
  ~GitServer() {
    process_->signal_group(SIGKILL);
    process_->wait();
  }
  GitServer(const GitServer&) = delete;
  GitServer& operator=(const GitServer&) = delete;

  [[nodiscard]] const std::filesystem::path& root() const { return directory_.path(); }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + port_; }

 private:
  TempDirectory directory_;
  std::optional<ChildProcess> process_;
  std::string port_;
};

// One repository of it, with a first commit.
class GitRemote {
 public:
  explicit GitRemote(const GitServer& server, std::string name = "app")
      : server_(server), name_(std::move(name)) {
    std::filesystem::create_directory(directory());
    git({"init", "--quiet", "--initial-branch=main", "."});
    write("README", "hello\n");
    commit();
  }

  std::string git(std::vector<std::string> arguments) {
    ProcessSpec spec;
    spec.argv = {"git", "-c", "user.name=t", "-c", "user.email=t@t"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.workdir = directory();
    spec.env = environment_subset({"PATH"});
    spec.env["GIT_CONFIG_NOSYSTEM"] = "1";  // where Debian's git-lfs has put its filters
    auto done = collect_process(spec);
    REQUIRE(done);
    CAPTURE(arguments, done->output);
    REQUIRE(done->outcome.succeeded());
    return done->output;
  }
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((directory() / name).parent_path());
    REQUIRE(replace_file(directory() / name, text));
  }
  void commit() {
    git({"add", "--all"});
    git({"commit", "--quiet", "--allow-empty", "--message", "change"});
    sha = git({"rev-parse", "HEAD"}).substr(0, 40);
  }
  // A file whose content is kept by Git LFS.
  void write_large(const std::string& name, const std::string& text) {
    const std::string id = sha256_hex(text);
    const auto folder = directory().string() + ".lfs";
    std::filesystem::create_directories(folder);
    REQUIRE(replace_file(std::filesystem::path{folder} / id, text));
    write(".gitattributes", "*.large filter=lfs diff=lfs merge=lfs -text\n");
    write(name, "version https://git-lfs.github.com/spec/v1\noid sha256:" + id + "\nsize " +
                    std::to_string(text.size()) + "\n");
  }
  // The large files that were fetched, a line each.
  [[nodiscard]] std::string given() const {
    return read_file(directory().string() + ".lfs/given").value_or("");
  }
  // Another repository as a submodule at `path`, under the address `url`.
  void add_submodule(const GitRemote& other, const std::string& path, const std::string& url) {
    git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
         other.directory().string(), path});
    git({"config", "-f", ".gitmodules", "submodule." + path + ".url", url});
    commit();
  }
  [[nodiscard]] std::filesystem::path directory() const { return server_.root() / name_; }
  [[nodiscard]] std::string url() const { return "http://" + server_.host() + "/" + name_; }
  [[nodiscard]] pipeline::JobSpec spec(long long depth = 0) const {
    pipeline::JobSpec made;
    made.repo_url = "http://gitlab-ci-token:glcbt-secret@" + server_.host() + "/" + name_;
    made.ref = "main";
    made.sha = sha;
    made.depth = depth;
    made.refspecs = {"+refs/heads/*:refs/remotes/origin/*", "+" + sha + ":refs/pipelines/7"};
    return made;
  }

  std::string sha;

 private:
  const GitServer& server_;
  std::string name_;
};

}  // namespace slipway::test
