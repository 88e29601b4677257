#include "server/store/copy.h"

#include "server/store/session.h"
#include "server/store/shape.h"
#include "tests/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/killed.h"

using namespace slipway;
using namespace slipway::server;
using slipway::server::test::StoreFixture;
using slipway::test::die;
using slipway::test::died_in;
using slipway::test::TestPlace;

namespace {

// Rows of many tables, more than a page of one, absent values, odd bytes, a number that was given
// to a row that is gone.
struct Filled : StoreFixture {
  ProjectId id = project("Group/Name");
  PipelineRow made = pipeline(id);
  std::string odd = std::string{"nul \0 and \xFF", 12};

  Filled() {
    for (int i = 0; i < 120; ++i) job(made, "job " + std::to_string(i));
    commit([&](Stores& stores) {
      DeliveryRow delivery;
      delivery.project_id = id;
      delivery.delivery_key = "one";
      delivery.body = odd;
      stores.deliveries.insert(delivery);
      PipelineRow changed = made;
      changed.coverage = 87.3;
      changed.finished_at = 77;
      stores.pipelines.update_state(changed);
      stores.audit.append({});
      stores.audit.append({});
      VariableRow variable;
      variable.group_path = "Group";
      variable.key = "KEY";
      stores.variables.insert(variable);
      return 0;
    });
    const ProjectId gone = project("gone/soon");
    commit([&](Stores& stores) {
      stores.projects.remove(gone);
      return 0;
    });
  }

  void check_is_in(Database& other) const {
    auto read = other.read();
    const auto found = read->projects.find_by_path("group/name");
    REQUIRE(found);
    CHECK(found->id == id);
    CHECK(read->jobs.of_pipeline(made.id).size() == 120);
    CHECK(read->jobs.plan(read->jobs.of_pipeline(made.id).back().plan_id) ==
          "{\"name\":\"job 119\"}");
    CHECK(read->pipelines.find(made.id)->coverage == 87.3);
    CHECK_FALSE(read->pipelines.find(made.id)->started_at);
    CHECK(read->deliveries.find_by_key(id, "one")->body == odd);
    CHECK(read->audit.verify().rows == 2);
    CHECK_FALSE(read->audit.verify().broken);
    CHECK(read->variables.find(VariableOwner::group("group"), "KEY").size() == 1);
  }
  static ProjectId add(Database& other) {
    other.begin();
    ProjectRow row;
    row.path = "new/one";
    const ProjectId made = other.writer().projects.insert(row);
    other.commit();
    return made;
  }
};

std::unique_ptr<Database> opened(const DatabasePlace& place) {
  return std::move(Database::open(place).value());
}

}  // namespace

TEST_CASE("a store moves to the other kind and back with every row", "[store][copy]") {
  Filled fixture;
  fixture.database.reset();
  // From one kind to the other, when there is another.
  const DatabasePlace file = DatabasePlace::at_file(fixture.directory / "moved.db");
  const TestPlace back{fixture.directory / "back.db"};

  const auto there = migrate_store(fixture.at.place(), file);
  CHECK((there ? "" : there.error().message) == "");
  REQUIRE(there);
  const auto again = migrate_store(file, back.place());
  REQUIRE(again);

  CHECK(there->size() == table_shapes().size());
  for (std::size_t i = 0; i < there->size(); ++i) {
    CHECK((*there)[i].rows == (*again)[i].rows);
    CHECK((*there)[i].sha256 == (*again)[i].sha256);
  }
  for (const DatabasePlace& place : {file, back.place()}) {
    auto database = opened(place);
    fixture.check_is_in(*database);
    // Not the number of the project that is gone.
    CHECK(Filled::add(*database).value > fixture.id.value + 1);
  }
  fixture.reopen();
  fixture.check_is_in(*fixture.database);
}

TEST_CASE("a store moves only to where none is, and while no server runs on it", "[store][copy]") {
  Filled fixture;
  const DatabasePlace file = DatabasePlace::at_file(fixture.directory / "moved.db");
  const auto busy = migrate_store(fixture.at.place(), file);
  REQUIRE_FALSE(busy);
  CHECK(busy.error().kind == ErrorKind::Unavailable);

  fixture.database.reset();
  {
    auto other = opened(file);
    Filled::add(*other);
  }
  const auto full = migrate_store(fixture.at.place(), file);
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::Conflict);
  CHECK(full.error().message == "the target already holds rows, in 'projects'");

  const auto nowhere =
      migrate_store(DatabasePlace::at_file(fixture.directory / "none.db"), fixture.at.place());
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().kind == ErrorKind::NotFound);
  CHECK_FALSE(std::filesystem::exists(fixture.directory / "none.db"));
}

TEST_CASE("a move that was killed before its commit is begun again", "[store][copy]") {
  Filled fixture;
  fixture.database.reset();
  const TestPlace target{fixture.directory / "target.db"};
  const bool before = GENERATE(true, false);
  REQUIRE(died_in([&] {
    auto source = opened(fixture.at.place());
    auto other = opened(target.place());
    if (before) {
      // All rows are written, and nothing is committed.
      other->begin();
      Session& session = other->writer_session();
      execute(session, "INSERT INTO settings (name, value) VALUES ('half', 'done')");
      die();
    }
    (void)copy_rows(source->writer_session(), other->writer_session());
    die();
  }));

  const auto moved = migrate_store(fixture.at.place(), target.place());

  CHECK(moved.has_value() == before);
  auto database = opened(target.place());
  fixture.check_is_in(*database);
}

TEST_CASE("a running server's store is copied as of one moment", "[store][copy]") {
  Filled fixture;
  const auto file = fixture.directory / "copy.db";

  const auto copied = copy_to_file(fixture.at.place(), file);

  CHECK((copied ? "" : copied.error().message) == "");
  REQUIRE(copied);
  // The server goes on, and its copy does not.
  Filled::add(*fixture.database);
  auto database = opened(DatabasePlace::at_file(file));
  fixture.check_is_in(*database);
  CHECK(database->read()->projects.list("", "", {}).total == 1);
  CHECK_FALSE(std::filesystem::exists(file.string() + ".unfinished"));
}

TEST_CASE("every table is known, behind those that it refers to", "[store][copy]") {
  const auto shapes = table_shapes();
  const auto place_of = [&](const std::string& name) {
    for (std::size_t i = 0; i < shapes.size(); ++i)
      if (shapes[i].name == name) return i;
    FAIL("'" + name + "' is missing");
    return shapes.size();
  };
  CHECK(place_of("projects") < place_of("pipelines"));
  CHECK(place_of("pipelines") < place_of("jobs"));
  CHECK(place_of("jobs") < place_of("artifacts"));
  CHECK(shapes[place_of("projects")].numbered);
  CHECK_FALSE(shapes[place_of("settings")].numbered);
  CHECK(shapes[place_of("runner_managers")].key == std::vector<std::size_t>{0, 1});
  CHECK(shapes[place_of("pipelines")].kinds.at(0) == Slot::Kind::Integer);
}
