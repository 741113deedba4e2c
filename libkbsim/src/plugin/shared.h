/* SPDX-License-Identifier: Apache-2.0 */
/* Shared objects of users': opened, named by the digest of their bytes, asked for what they export. */
#ifndef KBSIM_SRC_SHARED_H
#define KBSIM_SRC_SHARED_H

#include "kbtrace/fs.h"
#include "kbtrace/op.h"

/* The digest of a file's bytes. `what` is what the file is taken for: "a model". */
kb_status kbs_shared_digest(const kb_fs *fs, const char *path, const char *what, kb_digest *ret,
                            kb_trail *trail) KB_MUST_USE;

/* `path` has a '/' in it. Its constructors run. */
kb_status kbs_shared_open(const kb_fs *fs, const char *path, const char *what, void **ret,
                          kb_trail *trail) KB_MUST_USE;
/* NULL where it exports nothing of that name. */
const void *kbs_shared_find(void *object, const char *symbol);
/* Takes NULL. */
void kbs_shared_close(void *object);

#endif
