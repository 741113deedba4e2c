/* SPDX-License-Identifier: Apache-2.0 */
/* What launches and collectives have in common: calls that all hosts make, and what a PE does for one. */
#ifndef KBSIM_SRC_LAUNCH_H
#define KBSIM_SRC_LAUNCH_H

#include "record/view.h"

/* Whether it is a host's stream, without a mistake so far; names the function that is for hosts where not. */
bool kbs_is_host(tl_stream *stream, const char *what, tl_where where);

/* Whether the group of a call came from kb_group_of; a mistake where not. */
bool kbs_check_group(tl_stream *host, uint32_t group, const char *what, tl_where where);

/* "kernel", "all_reduce" */
const char *kbs_call_kind(const kbs_call *call);

/* The call that all ranks make here, as rank 0 made it; NULL after a mistake. */
kbs_call *kbs_call_match(tl_stream *host, const kbs_call *call);

/* The launch of a call, in its host. Whoever records the call counts it in host->launches at the end. */
void kbs_call_launch(tl_stream *host, const kbs_call *call, bool is_async);

/* What that PE of the host's rank records for a call, from here to its end; NULL after a mistake. */
tl_stream *kbs_call_begin(tl_stream *host, const kbs_call *call, uint32_t pe);
void kbs_call_end(tl_stream *host, tl_stream *stream, tl_where where);

#endif
