/* Repositories made by the git command, as people make them. */
#include <setjmp.h> /* cmocka.h wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/source/git.h"
#include "drivers/testkit/fixture.h"

#include <sys/stat.h>
#include <unistd.h>

struct bench {
    struct arena *arena;
    struct fail fail;
    const char *repository;
};

/* Runs git in the repository and returns what it prints, without its last newline. */
static const char *git(struct bench *b, const char *arguments)
{
    const char *script = fixture_text("git %s", arguments);
    const char *const argv[] = {"sh", "-c", script, NULL};
    const char *const env[] = {
        "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_CONFIG_SYSTEM=/dev/null",
        "GIT_AUTHOR_NAME=Ann Ärger",
        "GIT_AUTHOR_EMAIL=ann@example.org",
        "GIT_COMMITTER_NAME=Bob",
        "GIT_COMMITTER_EMAIL=bob@example.org",
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        NULL,
    };
    struct program_options options = {.argv = argv, .env = env, .directory = b->repository};
    struct program_result r = run_program(&options);
    if (r.exit_code != 0)
        fail_msg("git %s: %s", arguments, r.err);
    const char *out = arena_cstr(b->arena, str_trim(str_of(r.out)));
    program_result_release(&r);
    return out;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    b->arena = arena_make();
    b->repository = fixture_directory();
    git(b, "init -q -b main");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    fail_clear(&b->fail);
    arena_release(b->arena);
    free(b);
    return 0;
}

static void commit_files(struct bench *b)
{
    fixture_write(b->repository, "db/migrations/001.sql", "CREATE TABLE t (a);\n");
    fixture_write(b->repository, "other.txt", "other\n");
    git(b, "add .");
    git(b, "commit -q -m first");
}

static struct git_place place_of(struct bench *b, const char *name)
{
    struct git_place p;
    const char *path = name[0] == '/' ? name : fixture_path(b->repository, name);
    if (!git_describe_place(b->arena, path, &p, &b->fail))
        fail_msg("%s: %s", name, b->fail.message);
    return p;
}

static void commit_author_and_branch_are_those_of_head(void **state)
{
    struct bench *b = *state;
    commit_files(b);
    static const char *const names[] = {".", "db", "db/migrations", "db/migrations/001.sql",
                                        "db/../db/./migrations/"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct git_place p = place_of(b, names[i]);
        assert_true(p.is_repository);
        assert_string_equal(p.commit, git(b, "rev-parse HEAD"));
        assert_string_equal(p.author, "Ann Ärger <ann@example.org>");
        assert_string_equal(p.branch, "main");
        assert_true(p.is_clean);
        assert_null(p.note);
    }
}

static void a_change_makes_only_its_own_path_unclean(void **state)
{
    struct bench *b = *state;
    commit_files(b);
    fixture_write(b->repository, "other.txt", "changed\n");
    assert_true(place_of(b, "db/migrations").is_clean);
    assert_false(place_of(b, ".").is_clean);
    assert_false(place_of(b, "other.txt").is_clean);
    git(b, "checkout -q other.txt");
    fixture_write(b->repository, "db/migrations/001.sql", "CREATE TABLE u (a);\n");
    assert_false(place_of(b, "db/migrations").is_clean);
    git(b, "add -A"); /* staged is not committed */
    assert_false(place_of(b, "db/migrations").is_clean);
    git(b, "commit -q -m second");
    assert_true(place_of(b, "db/migrations").is_clean);
    assert_int_equal(unlink(fixture_path(b->repository, "db/migrations/001.sql")), 0);
    assert_false(place_of(b, "db/migrations").is_clean);
}

static void an_untracked_file_makes_its_directory_unclean(void **state)
{
    struct bench *b = *state;
    commit_files(b);
    fixture_write(b->repository, "db/migrations/002.sql", "SELECT 1;\n");
    assert_false(place_of(b, "db/migrations").is_clean);
    assert_false(place_of(b, "db/migrations/002.sql").is_clean);
    assert_true(place_of(b, "db/migrations/001.sql").is_clean);
}

static void names_with_wildcards_are_names(void **state)
{
    struct bench *b = *state;
    fixture_write(b->repository, "a*/1.sql", "SELECT 1;\n");
    commit_files(b);
    fixture_write(b->repository, "ab/2.sql", "SELECT 2;\n");
    assert_true(place_of(b, "a*").is_clean);
    assert_false(place_of(b, "ab").is_clean);
}

static void an_ignored_directory_is_not_clean(void **state)
{
    struct bench *b = *state;
    fixture_write(b->repository, ".gitignore", "ignored/\n*.db\n");
    fixture_write(b->repository, "ignored/1.sql", "SELECT 1;\n");
    commit_files(b);
    fixture_write(b->repository, "db/migrations/dev.db", "x");
    assert_false(place_of(b, "ignored").is_clean);
    assert_true(place_of(b, "db/migrations").is_clean);
}

static void a_detached_head_has_no_branch(void **state)
{
    struct bench *b = *state;
    commit_files(b);
    git(b, "checkout -q --detach");
    struct git_place p = place_of(b, "db");
    assert_string_equal(p.branch, "");
    assert_string_equal(p.commit, git(b, "rev-parse HEAD"));
    assert_true(p.is_clean);
}

static void before_the_first_commit_there_is_only_a_branch(void **state)
{
    struct bench *b = *state;
    fixture_write(b->repository, "1.sql", "SELECT 1;\n");
    struct git_place p = place_of(b, "1.sql");
    assert_true(p.is_repository);
    assert_string_equal(p.commit, "");
    assert_string_equal(p.author, "");
    assert_string_equal(p.branch, "main");
    assert_false(p.is_clean);
}

static void outside_of_a_repository_is_no_failure(void **state)
{
    struct bench *b = *state;
    const char *elsewhere = fixture_directory();
    struct git_place p = place_of(b, elsewhere);
    assert_false(p.is_repository);
    assert_false(p.is_clean);
    assert_string_equal(p.commit, "");
    assert_null(p.note);
}

static void a_path_that_does_not_exist_is_a_failure(void **state)
{
    struct bench *b = *state;
    struct git_place p;
    assert_false(git_describe_place(b->arena, fixture_path(b->repository, "no"), &p, &b->fail));
    assert_int_equal(b->fail.kind, FAIL_NOT_FOUND);
    assert_non_null(b->fail.hint);
}

static void links_and_work_trees_are_followed(void **state)
{
    struct bench *b = *state;
    commit_files(b);
    const char *link = fixture_path(fixture_directory(), "link");
    assert_int_equal(symlink(fixture_path(b->repository, "db/migrations"), link), 0);
    assert_true(place_of(b, link).is_clean);
    const char *second = fixture_path(fixture_directory(), "second");
    git(b, fixture_text("worktree add -q -b feature %s", second));
    struct git_place p = place_of(b, fixture_path(second, "db"));
    assert_string_equal(p.branch, "feature");
    assert_true(p.is_clean);
}

/* It has no .git by which one would know it. */
static void a_directory_in_a_bare_repository_is_known_too(void **state)
{
    struct bench *b = *state;
    commit_files(b);
    const char *apart = fixture_directory();
    git(b, fixture_text("clone -q --bare . %s/bare", apart));
    fixture_write(apart, "bare/kept/001.sql", "SELECT 1;\n");
    assert_true(place_of(b, fixture_path(apart, "bare/kept")).is_repository);
    assert_false(place_of(b, apart).is_repository);
}

/* git itself says "dubious ownership" here; a pipeline's audit trail should not suffer from it. */
static void a_repository_of_another_user_is_read(void **state)
{
    struct bench *b = *state;
    commit_files(b);
    if (geteuid() == 0)
        fixture_give_to_server_user(b->repository);
    assert_true(place_of(b, "db").is_repository);
}

static void a_damaged_repository_is_a_failure_with_a_hint(void **state)
{
    struct bench *b = *state;
    struct git_place p;
    commit_files(b);
    fixture_write(b->repository, ".git/HEAD", "nonsense\n");
    bool is_done = git_describe_place(b->arena, b->repository, &p, &b->fail);
    assert_true(!is_done || !p.is_repository);
    if (!is_done)
        assert_non_null(b->fail.hint);
}

static void versions_are_known(void **state)
{
    (void)state;
    assert_true(strlen(git_library_version(false)) >= 5);
    assert_true(strlen(git_library_version(true)) >= 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(commit_author_and_branch_are_those_of_head),
        TEST(a_change_makes_only_its_own_path_unclean),
        TEST(an_untracked_file_makes_its_directory_unclean),
        TEST(names_with_wildcards_are_names),
        TEST(an_ignored_directory_is_not_clean),
        TEST(a_detached_head_has_no_branch),
        TEST(before_the_first_commit_there_is_only_a_branch),
        TEST(outside_of_a_repository_is_no_failure),
        TEST(a_path_that_does_not_exist_is_a_failure),
        TEST(links_and_work_trees_are_followed),
        TEST(a_directory_in_a_bare_repository_is_known_too),
        TEST(a_repository_of_another_user_is_read),
        TEST(a_damaged_repository_is_a_failure_with_a_hint),
        TEST(versions_are_known),
    };
    return cmocka_run_group_tests_name("git", tests, NULL, NULL);
}
