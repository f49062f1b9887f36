/*
 * Settings of a PostgreSQL connection: one table says which are libpq's own, which are other tools'
 * words for the same thing, and which are of no concern to a migration. libpq refuses a URL with a
 * key that it does not know ("invalid URI query parameter"), so nothing else may be left in it.
 */
#include "core/model/target_url_parts.h"

enum setting_use {
    USE_KEPT,        /* libpq's own */
    USE_SECRET,      /* libpq's own, never shown */
    USE_RENAMED,     /* libpq has it under another name */
    USE_SCHEMA,      /* one schema name: becomes the search path */
    USE_SEARCH_PATH, /* a list of schema names as SET search_path takes it */
    USE_SSL,         /* true, false, or an sslmode */
    USE_SSLMODE,
    USE_SSLACCEPT,
    USE_SERVER_TYPE,
    USE_BOOLEAN, /* renamed, true and false becoming 1 and 0 */
    USE_DROPPED, /* known to be about pools, caches and clients */
};

struct setting_row {
    const char *key;
    enum setting_use use;
    const char *libpq_key; /* where it differs */
};

/*
 * libpq: "Parameter Key Words" of the documentation, 15 to 18. Keys newer than the library at hand
 * are left to it to refuse: dropping require_auth would weaken the connection.
 */
static const struct setting_row rows[] = {
    {"application_name", USE_KEPT, NULL},
    {"channel_binding", USE_KEPT, NULL},
    {"client_encoding", USE_KEPT, NULL},
    {"connect_timeout", USE_KEPT, NULL},
    {"dbname", USE_KEPT, NULL},
    {"fallback_application_name", USE_KEPT, NULL},
    {"gssdelegation", USE_KEPT, NULL},
    {"gssencmode", USE_KEPT, NULL},
    {"gsslib", USE_KEPT, NULL},
    {"host", USE_KEPT, NULL},
    {"hostaddr", USE_KEPT, NULL},
    {"keepalives", USE_KEPT, NULL},
    {"keepalives_count", USE_KEPT, NULL},
    {"keepalives_idle", USE_KEPT, NULL},
    {"keepalives_interval", USE_KEPT, NULL},
    {"krbsrvname", USE_KEPT, NULL},
    {"load_balance_hosts", USE_KEPT, NULL},
    {"max_protocol_version", USE_KEPT, NULL},
    {"min_protocol_version", USE_KEPT, NULL},
    {"oauth_client_id", USE_KEPT, NULL},
    {"oauth_client_secret", USE_SECRET, NULL},
    {"oauth_issuer", USE_KEPT, NULL},
    {"oauth_scope", USE_KEPT, NULL},
    {"options", USE_KEPT, NULL},
    {"passfile", USE_KEPT, NULL},
    {"password", USE_SECRET, NULL},
    {"port", USE_KEPT, NULL},
    {"replication", USE_KEPT, NULL},
    {"require_auth", USE_KEPT, NULL},
    {"requirepeer", USE_KEPT, NULL},
    {"scram_client_key", USE_SECRET, NULL},
    {"scram_server_key", USE_SECRET, NULL},
    {"service", USE_KEPT, NULL},
    {"servicefile", USE_KEPT, NULL},
    {"ssl_max_protocol_version", USE_KEPT, NULL},
    {"ssl_min_protocol_version", USE_KEPT, NULL},
    {"sslcert", USE_KEPT, NULL},
    {"sslcertmode", USE_KEPT, NULL},
    {"sslcompression", USE_KEPT, NULL},
    {"sslcrl", USE_KEPT, NULL},
    {"sslcrldir", USE_KEPT, NULL},
    {"sslkey", USE_KEPT, NULL},
    {"sslkeylogfile", USE_KEPT, NULL},
    {"sslmode", USE_SSLMODE, NULL},
    {"sslnegotiation", USE_KEPT, NULL},
    {"sslpassword", USE_SECRET, NULL},
    {"sslrootcert", USE_KEPT, NULL},
    {"sslsni", USE_KEPT, NULL},
    {"target_session_attrs", USE_KEPT, NULL},
    {"tcp_user_timeout", USE_KEPT, NULL},
    {"user", USE_KEPT, NULL},
    /* Prisma, Rails, lib/pq and dbmate, pgJDBC */
    {"schema", USE_SCHEMA, NULL},
    {"currentSchema", USE_SEARCH_PATH, NULL},
    {"schema_search_path", USE_SEARCH_PATH, NULL},
    {"search_path", USE_SEARCH_PATH, NULL},
    {"socket", USE_RENAMED, "host"},
    {"ssl", USE_SSL, NULL},
    {"sslMode", USE_SSLMODE, NULL},
    {"ssl_mode", USE_SSLMODE, NULL},
    {"sslaccept", USE_SSLACCEPT, NULL},
    {"ApplicationName", USE_RENAMED, "application_name"},
    {"channelBinding", USE_RENAMED, "channel_binding"},
    {"connectTimeout", USE_RENAMED, "connect_timeout"},
    {"gssEncMode", USE_RENAMED, "gssencmode"},
    {"kerberosServerName", USE_RENAMED, "krbsrvname"},
    {"targetServerType", USE_SERVER_TYPE, "target_session_attrs"},
    {"tcpKeepAlive", USE_BOOLEAN, "keepalives"},
    {"binary_parameters", USE_DROPPED, NULL},
    {"connection_limit", USE_DROPPED, NULL},
    {"loggerLevel", USE_DROPPED, NULL},
    {"loginTimeout", USE_DROPPED, NULL},
    {"pgbouncer", USE_DROPPED, NULL},
    {"pool", USE_DROPPED, NULL},
    {"pool_timeout", USE_DROPPED, NULL},
    {"preferQueryMode", USE_DROPPED, NULL},
    {"prepareThreshold", USE_DROPPED, NULL},
    {"prepared_statements", USE_DROPPED, NULL},
    {"reWriteBatchedInserts", USE_DROPPED, NULL},
    {"socketTimeout", USE_DROPPED, NULL},
    {"socket_timeout", USE_DROPPED, NULL},
    {"statement_cache_size", USE_DROPPED, NULL},
    {"stringtype", USE_DROPPED, NULL},
    {"x-migrations-table", USE_DROPPED, NULL},
    {"x-migrations-table-quoted", USE_DROPPED, NULL},
    {"x-multi-statement", USE_DROPPED, NULL},
    {"x-statement-timeout", USE_DROPPED, NULL},
};

struct spelling {
    const char *written;
    const char *meant;
};

/* sslmode as others write it (node-postgres, MySQL's words, Java's constants); '_' counts as '-'.
 */
static const struct spelling sslmodes[] = {
    {"disable", "disable"},
    {"disabled", "disable"},
    {"false", "disable"},
    {"0", "disable"},
    {"off", "disable"},
    {"no", "disable"},
    {"allow", "allow"},
    {"prefer", "prefer"},
    {"preferred", "prefer"},
    {"require", "require"},
    {"required", "require"},
    {"no-verify", "require"},
    {"verify-ca", "verify-ca"},
    {"verify-full", "verify-full"},
    {"verify-identity", "verify-full"},
};
static const struct spelling truths[] = {
    {"true", "1"}, {"1", "1"}, {"on", "1"}, {"yes", "1"}, {"", "1"},
};
/* pgJDBC's targetServerType → libpq's target_session_attrs. */
static const struct spelling server_types[] = {
    {"any", "any"},
    {"preferPrimary", "any"},
    {"primary", "primary"},
    {"master", "primary"},
    {"secondary", "standby"},
    {"slave", "standby"},
    {"preferSecondary", "prefer-standby"},
    {"preferSlave", "prefer-standby"},
};

static const char *meaning(const struct spelling *spellings, size_t count, struct str written)
{
    for (size_t i = 0; i < count; i++) {
        const char *w = spellings[i].written;
        bool is_same = strlen(w) == written.len;
        for (size_t n = 0; is_same && n < written.len; n++) {
            char c = written.at[n] == '_' ? '-' : char_lower(written.at[n]);
            is_same = c == char_lower(w[n]);
        }
        if (is_same)
            return spellings[i].meant;
    }
    return NULL;
}
#define MEANING(spellings, written) meaning((spellings), ARRAY_LEN(spellings), (written))

static const struct setting_row *find_row(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_equal(key, str_of(rows[i].key)))
            return &rows[i];
    }
    return NULL;
}

bool pg_settings_knows(struct str key)
{
    return find_row(key) != NULL;
}

static void keep(struct url_reader *r, struct pg_settings *s, const char *key, struct str raw,
                 struct str value)
{
    const struct {
        const char *key;
        struct str *shown;
    } shown[] = {
        {"user", &s->user}, {"host", &s->host},       {"hostaddr", &s->host},
        {"port", &s->port}, {"dbname", &s->database}, {"service", &s->service},
    };
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        bool is_spare = strcmp(key, "hostaddr") == 0 && shown[i].shown->len;
        if (strcmp(key, shown[i].key) == 0 && !is_spare)
            *shown[i].shown = value;
    }
    vec_push(r->arena, &s->kept, (struct pg_setting){str_of(key), raw});
}

/* A schema name as an identifier, quoted: Prisma's ?schema=MyApp means exactly that. */
static const char *quote_schema(struct arena *a, struct str name)
{
    SCOPED(buf) struct buf out = {0};
    buf_add_char(&out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            buf_add_char(&out, '"');
        buf_add_char(&out, name.at[i]);
    }
    buf_add_char(&out, '"');
    return arena_cstr(a, buf_str(&out));
}

static bool take_search_path(struct url_reader *r, struct pg_settings *s,
                             const struct setting_row *row, struct str value)
{
    if (value.len == 0) {
        url_note(r, "dropped %s, which is empty", row->key);
        return true;
    }
    bool is_one = row->use == USE_SCHEMA;
    s->search_path = is_one ? quote_schema(r->arena, value) : arena_cstr(r->arena, value);
    if (strcmp(row->key, "search_path") != 0)
        url_note(r, "took %s as the search path", row->key);
    return true;
}

static bool take_ssl(struct url_reader *r, struct pg_settings *s, struct str value)
{
    if (MEANING(truths, value))
        s->ssl = s->is_jdbc ? "verify-full" : "require"; /* pgJDBC 42.2.5 and later */
    else
        s->ssl = MEANING(sslmodes, value);
    if (s->ssl)
        return true;
    return url_refuse(r, "the value of ssl in the connection text is not understood",
                      "Use sslmode=require or sslmode=verify-full.");
}

static bool take_sslmode(struct url_reader *r, struct pg_settings *s, struct str value)
{
    s->sslmode = MEANING(sslmodes, value);
    if (!s->sslmode && value.len && MEANING(truths, value))
        s->sslmode = "require";
    if (s->sslmode || value.len == 0)
        return true;
    return url_refuse(r, "the value of sslmode in the connection text is not understood",
                      "It is one of disable, allow, prefer, require, verify-ca and verify-full.");
}

static bool take_server_type(struct url_reader *r, struct pg_settings *s,
                             const struct setting_row *row, struct str value)
{
    const char *attrs = MEANING(server_types, value);
    if (!attrs)
        return url_refuse(r,
                          "the value of targetServerType in the connection text is not understood",
                          "Use target_session_attrs=primary.");
    keep(r, s, row->libpq_key, str_of(attrs), str_of(attrs));
    url_note(r, "took %s as %s", row->key, row->libpq_key);
    return true;
}

static bool take_unknown(struct url_reader *r, const struct pg_settings *s, struct str key)
{
    if (!s->is_strict) {
        url_note_dropped(r, key, "which libpq does not know");
        return true;
    }
    if (r->has_seen_secret)
        fail_set(r->fail, EXIT_USAGE,
                 "the connection text holds a key behind the password that libpq does not know");
    else
        fail_set(r->fail, EXIT_USAGE, "libpq does not know the key \"%.*s\" of the connection text",
                 STR_ARG(key));
    return fail_hint(r->fail,
                     "Remove it; put values that hold blanks in quotes: password='two words'.");
}

bool pg_settings_take(struct url_reader *r, struct pg_settings *s, struct str key, struct str raw,
                      struct str value)
{
    const struct setting_row *row = find_row(key);
    if (!row)
        return take_unknown(r, s, key);
    switch (row->use) {
    case USE_KEPT:
        keep(r, s, row->key, raw, value);
        return true;
    case USE_SECRET:
        keep(r, s, row->key, raw, value);
        s->has_password = s->has_password || value.len > 0;
        r->has_seen_secret = true;
        return true;
    case USE_RENAMED:
        keep(r, s, row->libpq_key, raw, value);
        url_note(r, "took %s as %s", row->key, row->libpq_key);
        return true;
    case USE_SCHEMA:
    case USE_SEARCH_PATH:
        return take_search_path(r, s, row, value);
    case USE_SSL:
        return take_ssl(r, s, value);
    case USE_SSLMODE:
        return take_sslmode(r, s, value);
    case USE_SSLACCEPT: /* Prisma: strict, or accept_invalid_certs */
        s->wants_verified = s->wants_verified || str_equal(value, STR("strict"));
        url_note(r, "took sslaccept as part of sslmode");
        return true;
    case USE_SERVER_TYPE:
        return take_server_type(r, s, row, value);
    case USE_BOOLEAN: {
        struct str number = MEANING(truths, value) ? STR("1") : STR("0");
        keep(r, s, row->libpq_key, number, number);
        url_note(r, "took %s as %s", row->key, row->libpq_key);
        return true;
    }
    case USE_DROPPED:
        url_note(r, "dropped %s, which means nothing to a migration", row->key);
        return true;
    }
    BUG("a use of a setting that is not handled");
}

void pg_settings_finish(struct url_reader *r, struct pg_settings *s)
{
    const char *mode = s->wants_verified ? "verify-full" : s->sslmode ? s->sslmode : s->ssl;
    if (!mode)
        return;
    keep(r, s, "sslmode", str_of(mode), str_of(mode));
    if (!s->sslmode && s->ssl)
        url_note(r, "took ssl as sslmode=%s", mode);
}

/* "host:port,host:port", each port from the list of ports (one port serves all hosts). */
static void add_hosts(struct buf *out, struct str hosts, struct str ports)
{
    bool is_one_port = str_find_char(ports, ',') == SIZE_MAX;
    bool is_first = true;
    struct str host, port = ports;
    do {
        bool is_last = str_find_char(hosts, ',') == SIZE_MAX;
        hosts = str_cut(hosts, ',', &host);
        if (!is_one_port)
            ports = str_cut(ports, ',', &port);
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        /* A path of a socket may hold a ':' too (Google's /cloudsql/project:region:instance). */
        bool is_ipv6 = str_find_char(host, ':') != SIZE_MAX && str_find_char(host, '/') == SIZE_MAX;
        buf_add_cstr(out, is_ipv6 ? "[" : "");
        url_encode(out, host, is_ipv6 ? ":.%" : "._-~");
        buf_add_cstr(out, is_ipv6 ? "]" : "");
        if (port.len) {
            buf_add_char(out, ':');
            url_encode(out, port, "");
        }
        if (is_last)
            return;
    } while (true);
}

bool pg_settings_describe(struct url_reader *r, const struct pg_settings *s)
{
    /* libpq reads a database name of this form as a connection text of its own. */
    if (str_find(s->database, STR("://")) != SIZE_MAX ||
        str_find_char(s->database, '=') != SIZE_MAX)
        return url_refuse(r, "the database name in the connection text is itself a connection text",
                          "Give only the name of the database there.");
    SCOPED(buf) struct buf safe = {0};
    buf_add_cstr(&safe, "postgres://");
    if (s->user.len) {
        url_encode(&safe, s->user, "._-~");
        buf_add_char(&safe, '@');
    }
    add_hosts(&safe, s->host, s->port);
    if (s->database.len) {
        buf_add_char(&safe, '/');
        url_encode(&safe, s->database, "._-~$");
    }
    if (s->service.len) {
        buf_add_cstr(&safe, "?service=");
        url_encode(&safe, s->service, "._-~");
    }
    r->out->engine = ENGINE_POSTGRES;
    r->out->search_path = s->search_path;
    r->out->has_password = s->has_password;
    r->out->safe = arena_cstr(r->arena, buf_str(&safe));
    return true;
}
