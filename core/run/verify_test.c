/*
 * The record proves itself: whatever is edited, removed, added or replaced in events and rows, a
 * finding names it. The record under test is made by real runs over a database in memory.
 */
#include "core/run/run_testing.h"

static const char *directory;

static int make_directory(void **state)
{
    (void)state;
    directory = fixture_directory();
    return 0;
}

static const struct file_text files[FILES_MAX] = {
    {"1_a.sql", "a;", 0},
    {"2_b.sql", "b; alone x; c;", 0},
    {"3_c.sql", "d;", 0},
    {"r.sql", "e;", 0},
};

/* Three migrations and a repeatable are applied; the fourth file stopped half-way. */
static struct fake_project *make_record(struct arena *a)
{
    struct fake_project *p = fake_project_make(a, directory, files);
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    static const struct file_text more[FILES_MAX] = {
        {"1_a.sql", "a;", 0}, {"2_b.sql", "b; alone x; c;", 0},
        {"3_c.sql", "d;", 0}, {"4_d.sql", "f; alone y; g;", 0},
        {"r.sql", "e;", 0},
    };
    project_files(p, directory, more);
    p->db->refused_text = STR("g");
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_INCOMPLETE);
    assert_int_equal(p->db->history.count, 5);
    return p;
}

static struct verification verify(const struct fake_project *p, struct arena *a, struct str anchor)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct verification v = verification_start(a, anchor);
    for (size_t i = 0; i < p->db->events.count; i++)
        assert_true(verification_event(&v, &p->db->events.at[i], &f));
    verification_rows(&v, &p->db->history);
    return v;
}

static void assert_finding(const struct verification *v, const char *what, const char *text)
{
    for (size_t i = 0; i < v->findings.count; i++) {
        if (strstr(v->findings.at[i].text, text))
            return;
    }
    fail_msg("%s: \"%s\" is not among %zu findings%s%s", what, text, v->findings.count,
             v->findings.count ? ", first: " : "", v->findings.count ? v->findings.at[0].text : "");
}

static void a_record_of_real_runs_is_whole(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    struct verification v = verify(p, a, (struct str){0});
    assert_int_equal(v.findings.count, 0);
    assert_int_equal(v.events, p->db->events.count);
}

static void an_empty_record_is_whole(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct verification v = verification_start(a, (struct str){0});
    verification_rows(&v, &(struct history){0});
    assert_int_equal(v.findings.count, 0);
}

/* Every text and number of an event, by its place in the struct. */
static const struct {
    const char *name;
    size_t offset;
    bool is_number;
} event_fields[] = {
    {"run", offsetof(struct event, run), false},
    {"at", offsetof(struct event, at), false},
    {"kind", offsetof(struct event, kind), false},
    {"version", offsetof(struct event, version), false},
    {"unit", offsetof(struct event, unit), true},
    {"actor", offsetof(struct event, actor), false},
    {"db_role", offsetof(struct event, db_role), false},
    {"host", offsetof(struct event, host), false},
    {"git_commit", offsetof(struct event, git_commit), false},
    {"git_author", offsetof(struct event, git_author), false},
    {"plan_digest", offsetof(struct event, plan_digest), false},
    {"evidence_digest", offsetof(struct event, evidence_digest), false},
    {"sql", offsetof(struct event, sql), false},
    {"duration_us", offsetof(struct event, duration_us), true},
    {"lock_wait_us", offsetof(struct event, lock_wait_us), true},
    {"rows", offsetof(struct event, rows), true},
    {"sqlstate", offsetof(struct event, sqlstate), false},
    {"detail", offsetof(struct event, detail), false},
    {"previous", offsetof(struct event, previous), false},
    {"digest", offsetof(struct event, digest), false},
};

static void edit(void *at, bool is_number)
{
    if (is_number)
        ++*(int64_t *)at;
    else
        *(struct str *)at = STR("edited");
}

static void an_edit_of_any_field_of_any_event_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    for (size_t i = 0; i < p->db->events.count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(event_fields); k++) {
            struct event kept = p->db->events.at[i];
            edit((char *)&p->db->events.at[i] + event_fields[k].offset, event_fields[k].is_number);
            struct verification v = verify(p, a, (struct str){0});
            const char *what = arena_printf(a, "%s of event %zu", event_fields[k].name, i + 1);
            assert_finding(&v, what, arena_printf(a, "event %zu (", i + 1));
            assert_finding(&v, what, "was edited: its digest does not match its content");
            p->db->events.at[i] = kept;
        }
    }
}

static const struct {
    const char *name;
    size_t offset;
    bool is_number;
} row_fields[] = {
    {"version", offsetof(struct history_row, version), false},
    {"description", offsetof(struct history_row, description), false},
    {"kind", offsetof(struct history_row, kind), false},
    {"layout", offsetof(struct history_row, layout), false},
    {"script", offsetof(struct history_row, script), false},
    {"state", offsetof(struct history_row, state), false},
    {"units_done", offsetof(struct history_row, units_done), true},
    {"statements", offsetof(struct history_row, statements), true},
    {"digest_raw", offsetof(struct history_row, digest_raw), false},
    {"digest_normalized", offsetof(struct history_row, digest_normalized), false},
    {"digest_tree", offsetof(struct history_row, digest_tree), false},
    {"installed_by", offsetof(struct history_row, installed_by), false},
    {"installed_at", offsetof(struct history_row, installed_at), false},
    {"duration_us", offsetof(struct history_row, duration_us), true},
    {"run", offsetof(struct history_row, run), false},
};

static void an_edit_of_any_field_of_any_row_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    struct history *h = &p->db->history;
    for (size_t i = 0; i < h->count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(row_fields); k++) {
            struct history_row kept = h->at[i];
            edit((char *)&h->at[i] + row_fields[k].offset, row_fields[k].is_number);
            struct verification v = verify(p, a, (struct str){0});
            const char *what = arena_printf(a, "%s of row %zu", row_fields[k].name, i + 1);
            assert_int_equal(v.findings.count, 1);
            assert_finding(&v, what,
                           arena_printf(a, "history row %lld (", (long long)h->at[i].rank));
            assert_finding(&v, what, "was edited: it is not what event");
            h->at[i] = kept;
        }
    }
}

static void a_row_set_back_to_incomplete_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    p->db->history.at[0].state = STR("incomplete");
    struct verification v = verify(p, a, (struct str){0});
    assert_finding(&v, "state", "history row 1 (version 1) was edited");
}

static void a_removed_event_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    size_t count = p->db->events.count;
    for (size_t i = 0; i + 1 < count; i++) {
        struct event all[64];
        assert_true(count < ARRAY_LEN(all));
        memcpy(all, p->db->events.at, count * sizeof(*all));
        memmove(&p->db->events.at[i], &p->db->events.at[i + 1], (count - i - 1) * sizeof(*all));
        p->db->events.count--;
        struct verification v = verify(p, a, (struct str){0});
        assert_finding(&v, "removed", arena_printf(a, "event %zu is missing", i + 1));
        memcpy(p->db->events.at, all, count * sizeof(*all));
        p->db->events.count = count;
    }
}

static void several_removed_events_are_named_as_a_range(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    memmove(&p->db->events.at[2], &p->db->events.at[5],
            (p->db->events.count - 5) * sizeof(struct event));
    p->db->events.count -= 3;
    struct verification v = verify(p, a, (struct str){0});
    assert_finding(&v, "removed", "events 3 to 5 are missing");
}

/* The newest entries can be cut off unseen by the chain; rows and the anchor tell. */
static void events_cut_off_at_the_end_leave_a_row_unproved(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    struct str head = arena_str(a, p->db->history.head_digest);
    p->db->events.count--; /* back to the end of the first run */
    while (!str_equal(p->db->events.at[p->db->events.count - 1].kind, STR(EVENT_RUN_FINISHED)))
        p->db->events.count--;
    struct verification v = verify(p, a, head);
    assert_finding(&v, "cut off", "no event speaks of history row 5 (version 4)");
    assert_finding(&v, "cut off",
                   arena_printf(a, "the anchor %.*s is not in the chain", STR_ARG(head)));
}

static void an_anchor_in_the_chain_is_found(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    for (size_t i = 0; i < p->db->events.count; i++)
        assert_int_equal(verify(p, a, p->db->events.at[i].digest).findings.count, 0);
}

/* Edited with its digest made anew: then the next event does not follow. */
static void a_replaced_event_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    struct event *e = &p->db->events.at[3];
    e->actor = STR("nobody");
    struct digest d = event_digest(e);
    e->digest = arena_str(a, digest_str(&d));
    struct verification v = verify(p, a, (struct str){0});
    assert_int_equal(v.findings.count, 1);
    assert_finding(&v, "replaced", "event 5 does not follow event 4: one of them was replaced");
}

static void a_row_added_by_hand_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    struct history_row row = p->db->history.at[0];
    row.rank = 99;
    row.version = STR("0042");
    vec_push(a, &p->db->history, row);
    struct verification v = verify(p, a, (struct str){0});
    assert_int_equal(v.findings.count, 1);
    assert_finding(&v, "added", "no event speaks of history row 99 (version 0042)");
}

static void a_removed_row_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    struct history *h = &p->db->history;
    for (size_t i = 0; i < h->count; i++) {
        struct history_row all[8];
        size_t count = h->count;
        memcpy(all, h->at, count * sizeof(*all));
        int64_t rank = h->at[i].rank;
        memmove(&h->at[i], &h->at[i + 1], (count - i - 1) * sizeof(*all));
        h->count--;
        struct verification v = verify(p, a, (struct str){0});
        assert_int_equal(v.findings.count, 1);
        assert_finding(&v, "removed", arena_printf(a, "history row %lld (", (long long)rank));
        assert_finding(&v, "removed", "is missing: event");
        memcpy(h->at, all, count * sizeof(*all));
        h->count = count;
    }
}

static void remove_last_row(struct fake_project *p)
{
    p->db->history.count--;
}

/* Without the look at the chain a second run would run the file again, and the freed rank would hide
   it: the record must tell even then. */
static void a_row_that_took_the_place_of_a_removed_one_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = fake_project_make(a, directory, files);
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    remove_last_row(p);
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    struct verification v = verify(p, a, (struct str){0});
    assert_int_equal(v.findings.count, 1);
    assert_finding(&v, "reused", "history row 4 (version r.sql), which event");
    assert_finding(&v, "reused", "was removed: event");
    assert_finding(&v, "reused", "gave its place to version r.sql once more");
}

/* An event of a person, behind all others. */
static void add_resolution(struct arena *a, struct fake_project *p, const char *version,
                           const char *detail)
{
    struct run_identity who = {
        .run = "r", .actor = "ada", .db_role = "", .host = "", .git_commit = "", .git_author = ""};
    struct journal journal = journal_start(&who, &p->db->history);
    struct event e = journal_event(a, &journal, EVENT_RESOLVED, str_of(version));
    e.detail = str_of(detail);
    journal_link(a, &journal, &e, 1);
    vec_push(a, &p->db->events, e);
    p->db->history.head_id = e.id;
    p->db->history.head_digest = e.digest;
}

static void a_removed_row_that_was_withdrawn_is_not_missed(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    int64_t rank = p->db->history.at[p->db->history.count - 1].rank;
    remove_last_row(p);
    struct verification v = verify(p, a, (struct str){0});
    assert_non_null(verification_lost_row(&v, STR("4")));
    assert_null(verification_lost_row(&v, STR("3")));
    add_resolution(a, p, "4",
                   arena_printf(a, "{\"rank\": %lld, \"withdrawn\": true}", (long long)rank));
    v = verify(p, a, (struct str){0});
    assert_int_equal(v.findings.count, 0);
    assert_null(verification_lost_row(&v, STR("4")));
    struct history_row back = p->db->history.at[0];
    back.rank = rank;
    vec_push(a, &p->db->history, back);
    v = verify(p, a, (struct str){0});
    assert_finding(&v, "back", "was added by hand: event");
}

/* Another run goes on while the record is read: rows and head are of one moment, the events are read
   behind it. */
static void events_behind_the_head_that_was_read_do_not_count(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fake_project *p = make_record(a);
    struct history before = p->db->history;
    before.exists = true;
    before.at = arena_array(a, struct history_row, before.count);
    memcpy(before.at, p->db->history.at, before.count * sizeof(*before.at));
    p->db->refused_text = STR("none");
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    assert_true(p->db->history.head_id > before.head_id);
    struct verification v;
    struct connection *c = fake_connect(a, p->db, FAKE_NO_FAULT, 0);
    assert_true(verification_run(a, fake_driver(), c, &before, (struct str){0}, &v, &f));
    assert_int_equal(v.findings.count, 0);
    assert_int_equal(v.events, before.head_id);
    assert_true(verification_check(&v, &f));
    fake_driver()->close(c);
}

/* A file whose row was removed is neither pending nor out of order. */
static void a_file_whose_row_was_removed_is_unrecorded(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fake_project *p = fake_project_make(a, directory, files);
    assert_int_equal(run_project(p, FAKE_NO_FAULT, 0).code, EXIT_DONE);
    struct history *h = &p->db->history;
    memmove(&h->at[1], &h->at[2], (h->count - 2) * sizeof(*h->at));
    h->count--;
    struct reconciliation r;
    assert_true(reconcile(a, &p->files, h, read_fake_digests, p, &r, &f));
    assert_int_equal(r.at[1].state, STATE_OUT_OF_ORDER);
    struct verification v = verify(p, a, (struct str){0});
    verification_mark(&v, &r);
    assert_int_equal(r.at[1].state, STATE_UNRECORDED);
    assert_int_equal(r.pending, 0);
    assert_int_equal(r.problems, 1);
    assert_string_equal(reconciled_sentence(a, &r.at[1]) + strlen(r.at[1].migration->path.at),
                        " was applied, but its row was removed from the history");
    assert_false(verification_check(&v, &f));
    assert_int_equal(f.code, EXIT_INTEGRITY);
    assert_string_equal(f.message,
                        "the history is not whole: history row 2 (version 2) is missing: event 6 "
                        "wrote it");
}

static void what_was_accepted_is_counted_and_what_follows_is_found(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct fake_project *p = make_record(a);
    p->db->events.at[1].actor = STR("nobody");
    p->db->history.at[1].installed_by = STR("nobody");
    assert_int_equal(verify(p, a, (struct str){0}).findings.count, 2);
    struct digest row = history_row_digest(&p->db->history.at[1]);
    add_resolution(a, p, "",
                   arena_printf(a,
                                "{\"accepts_record\": true, \"reason\": \"known\", \"findings\": "
                                "[\"x\", \"y\"], \"rows\": [{\"rank\": 2, \"row\": \"%s\"}]}",
                                row.hex));
    struct verification v = verify(p, a, (struct str){0});
    assert_int_equal(v.findings.count, 0);
    assert_int_equal(v.accepted, 2);
    assert_int_equal(v.accepted_by, p->db->history.head_id);
    assert_true(str_equal(v.acceptance, STR("known")));
    p->db->history.at[1].installed_by = STR("somebody");
    v = verify(p, a, (struct str){0});
    assert_int_equal(v.findings.count, 1);
    assert_finding(&v, "edited once more", "history row 2 (version 2) was edited");
    /* An acceptance that was edited itself accepts nothing. */
    struct event *acceptance = &p->db->events.at[p->db->events.count - 1];
    acceptance->actor = STR("nobody");
    v = verify(p, a, (struct str){0});
    assert_int_equal(v.accepted, 0);
    assert_finding(&v, "acceptance", "event 2 (");
}

static void findings_are_bounded(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct verification v = verification_start(a, (struct str){0});
    struct event e = {.id = 1, .digest = STR("no digest")};
    for (; e.id <= 5000; e.id++)
        assert_true(verification_event(&v, &e, &f));
    assert_int_equal(v.findings.count, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_of_real_runs_is_whole),
        cmocka_unit_test(an_empty_record_is_whole),
        cmocka_unit_test(an_edit_of_any_field_of_any_event_is_named),
        cmocka_unit_test(an_edit_of_any_field_of_any_row_is_named),
        cmocka_unit_test(a_row_set_back_to_incomplete_is_named),
        cmocka_unit_test(a_removed_event_is_named),
        cmocka_unit_test(several_removed_events_are_named_as_a_range),
        cmocka_unit_test(events_cut_off_at_the_end_leave_a_row_unproved),
        cmocka_unit_test(an_anchor_in_the_chain_is_found),
        cmocka_unit_test(a_replaced_event_is_named),
        cmocka_unit_test(a_row_added_by_hand_is_named),
        cmocka_unit_test(a_removed_row_is_named),
        cmocka_unit_test(a_row_that_took_the_place_of_a_removed_one_is_named),
        cmocka_unit_test(a_removed_row_that_was_withdrawn_is_not_missed),
        cmocka_unit_test(events_behind_the_head_that_was_read_do_not_count),
        cmocka_unit_test(a_file_whose_row_was_removed_is_unrecorded),
        cmocka_unit_test(what_was_accepted_is_counted_and_what_follows_is_found),
        cmocka_unit_test(findings_are_bounded),
    };
    return cmocka_run_group_tests_name("core/run/verify", tests, make_directory, NULL);
}
