/*
 * Migrations from directories: names and headers of files become struct migrations, in the order in
 * which they are applied. Understands the layouts of other tools (core/model/layout.h), detects
 * which one fits, and computes the raw checksum of every file. Used by cmd; nothing is written and
 * no SQL is looked into: only names, markers and the comments at the top of a file.
 */
#ifndef DRIVERS_SOURCE_DIRECTORY_H
#define DRIVERS_SOURCE_DIRECTORY_H

#include "core/model/migration.h"

struct source_request {
    const struct str *directories; /* as the user wrote them; at least one */
    size_t count;
    enum layout layout;    /* LAYOUT_AUTO: detect */
    enum engine engine;    /* what a lock file or journal must agree with, where known */
    bool keeps_duplicates; /* files of one version are all given, and are the caller's matter */
};

/*
 * Reads all directories into one ordered list, in the arena. Directories without a migration give
 * none. Fails:
 *   EXIT_USAGE      a directory is missing or no directory; no layout fits, or several that would
 *                   read the files differently (names them and --layout); the format is known but
 *                   not read here; a file's markers or directives are malformed (file and line)
 *   EXIT_INTEGRITY  two files with one version, or a journal that names a missing file
 */
bool directory_read(struct arena *a, const struct source_request *r, struct migrations *out,
                    struct fail *f) MUST_CHECK;

/*
 * One file, whatever its name: its version is the number in front of the name, else the name.
 * dbmate's and goose's markers in it are obeyed. Fails as directory_read() does for a file.
 */
bool directory_read_file(struct arena *a, struct str path, enum engine engine,
                         struct migration *out, struct fail *f) MUST_CHECK;

/* How the versions of a layout are ordered; LAYOUT_AUTO: as texts. */
enum version_order layout_version_order(enum layout l);

/*
 * The digest of the normalised text of the whole file of a migration (checksums.normalized), which
 * directory_read() leaves unset because it is seldom needed. Reads the file again, piece by piece.
 * Fails as byte_source_open() does.
 */
bool source_normalized_digest(const struct migration *m, struct digest *out, struct fail *f)
    MUST_CHECK;

#endif
