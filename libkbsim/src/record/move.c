/* SPDX-License-Identifier: Apache-2.0 */
/* Moving data, as kernels record it: load, store and copy. */
#include "record/work.h"

/* Returns how many commands the token stands for. */
static uint32_t move(tl_stream *stream, const tl_view *into, const tl_view *from, bool is_async,
                     tl_where where) {
    if (!kbs_is_kernel(stream, where))
        return 0;
    kbs_work work;
    work.stream = stream;
    work.where = where;
    work.kind = KB_OP_DMA_READ;
    work.rows = false;
    work.is_async = is_async;
    work.count = 2;
    work.views[0] = *into;
    work.views[1] = *from;
    work.lies[0] = kbs_view_check_written(stream, into, "destination", where);
    work.lies[1] =
        work.lies[0] != KBS_LIES_NOWHERE ? kbs_view_check(stream, from, "source", where) : KBS_LIES_NOWHERE;
    if (work.lies[1] == KBS_LIES_NOWHERE)
        return 0;
    if (work.lies[1] == KBS_LIES_MESSAGE)
        work.views[1].dtype = into->dtype; /* a message is what it is used as */
    if ((from->queue == KB_NONE || from->dims > 0) && !kbs_views_agree(stream, into, &work.views[1], where))
        return 0;
    return kbs_work_record(&work);
}

/* Whether a view lies in the PE's TCM, or is a message; a mistake where not. */
static bool is_near(tl_stream *stream, const tl_view *view, const char *function, const char *what,
                    const char *instead, tl_where where) {
    if (!kbs_is_ok(stream))
        return false;
    if (view->queue != KB_NONE || view->memory == stream->tcm)
        return true;
    kbs_mistake(stream, where, "the %s of %s does not lie in this PE's TCM (%s takes any memory)", what,
                function, instead);
    return false;
}

void tl_load_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    if (is_near(stream, &into, "tl_load", "destination", "tl_copy", where))
        move(stream, &into, &from, false, where);
}

tl_token tl_load_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    uint32_t count = 0;
    if (is_near(stream, &into, "tl_load_async", "destination", "tl_copy", where))
        count = move(stream, &into, &from, true, where);
    return kbs_token_new(stream, count, where);
}

void tl_store_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    if (is_near(stream, &from, "tl_store", "source", "tl_copy", where))
        move(stream, &into, &from, false, where);
}

tl_token tl_store_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    uint32_t count = 0;
    if (is_near(stream, &from, "tl_store_async", "source", "tl_copy", where))
        count = move(stream, &into, &from, true, where);
    return kbs_token_new(stream, count, where);
}

void tl_copy_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    move(stream, &into, &from, false, where);
}

tl_token tl_copy_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    const uint32_t count = move(stream, &into, &from, true, where);
    return kbs_token_new(stream, count, where);
}
