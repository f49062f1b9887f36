/*
 * Versions of the libraries behind core/base, for `migrate version`. Each function is in the file
 * that knows its library. is_runtime: the one that is loaded, else the one it was built with. The
 * texts are static.
 */
#ifndef CORE_BASE_LIBRARIES_H
#define CORE_BASE_LIBRARIES_H

#include "core/base/base.h"

const char *json_library_version(bool is_runtime);   /* jansson; json.c */
const char *yaml_library_version(bool is_runtime);   /* libyaml; yaml.c */
const char *digest_library_version(bool is_runtime); /* libcrypto; digest.c */

#endif
