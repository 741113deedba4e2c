/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine MATH computes for kernels: the checks of math.def's rows, and recording them. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "record/number.h"
#include "record/work.h"

typedef enum form { UNARY, BINARY, TERNARY, SCALAR, FILL, CAST, REDUCE, ROWS } form;

typedef struct function {
    const char *name;
    form form;
    bool floats_only;
} function;

enum { FLOAT = 1, NUMBER = 0 };

static const function functions[] = {
#define TL_MATH(name, FUNC, FORM, DTYPES, help) [KB_FUNC_##FUNC] = {"tl_" #name, FORM, DTYPES},
#include "kbsim/math.def"
#undef TL_MATH
};

/* --- checks ---------------------------------------------------------------------------------- */

static bool has_dtype(tl_stream *stream, const function *f, const tl_view *view, tl_where where) {
    const bool is_known = kbs_is_float(view->dtype) || (!f->floats_only && kbs_is_integer(view->dtype));
    if (!is_known)
        kbs_mistake(stream, where, "%s works on %s, and not on %s", f->name,
                    f->floats_only ? "floats" : "numbers", kb_word_name(KB_VOC_DTYPE, view->dtype));
    return is_known;
}

/* Shapes of two views, whatever their dtypes. */
static bool have_one_shape(tl_stream *stream, const tl_view *out, const tl_view *in, tl_where where) {
    tl_view like = *in;
    like.dtype = out->dtype;
    return kbs_views_agree(stream, out, &like, where);
}

/* What a reduction gives: one element a row, of the same dtype or the one that it is summed in. */
static bool fits_reduction(tl_stream *stream, tl_view *out, const tl_view *in, tl_where where) {
    if (out->dims == in->dims && out->shape[out->dims - 1] == 1) { /* the reduced axis was kept */
        out->dims--;
        out->shape[out->dims] = 0;
        out->stride[out->dims] = 0;
    }
    bool fits = out->dims + 1 == in->dims;
    for (uint32_t axis = 0; fits && axis < out->dims; axis++)
        fits = out->shape[axis] == in->shape[axis];
    fits = fits && (out->dtype == in->dtype || (out->dtype == KB_DTYPE_F32 && kbs_is_float(in->dtype)) ||
                    (out->dtype == KB_DTYPE_I32 && kbs_is_integer(in->dtype)));
    if (!fits) {
        char one[KBS_VIEW_CHARS], other[KBS_VIEW_CHARS];
        kbs_mistake(
            stream, where,
            "%s cannot hold one element for each row of %s: it has the same outer axes, and its dtype or "
            "the one it is summed in",
            kbs_view_text(out, one), kbs_view_text(in, other));
    }
    return fits;
}

static bool has_rows(tl_stream *stream, const function *f, const tl_view *in, tl_where where) {
    if (in->dims == 0) {
        kbs_mistake(stream, where,
                    in->queue != KB_NONE ? "%s needs the shape of the message: give it one by tl_reshape"
                                         : "%s needs rows, and this is a single element",
                    f->name);
        return false;
    }
    if (in->shape[in->dims - 1] == 0)
        kbs_mistake(stream, where, "%s of rows without elements", f->name);
    return in->shape[in->dims - 1] != 0;
}

/* One input; a message has the dtype of `out`, and its shape where it was given none. */
static bool check_input(kbs_work *work, const function *f, uint32_t i) {
    tl_view *in = &work->views[i], *out = &work->views[0];
    tl_stream *stream = work->stream;
    work->lies[i] = kbs_view_check(stream, in, "source", work->where);
    if (work->lies[i] == KBS_LIES_NOWHERE)
        return false;
    const bool is_message = work->lies[i] == KBS_LIES_MESSAGE;
    if ((f->form == REDUCE || f->form == ROWS) && !has_rows(stream, f, in, work->where))
        return false;
    if (is_message && f->form == CAST) {
        kbs_mistake(stream, work->where, "the dtype of a message is that of its use: copy it, and cast that");
        return false;
    }
    if (is_message) {
        in->dtype = out->dtype;
        if (in->dims == 0)
            return true;
    }
    if (!has_dtype(stream, f, in, work->where))
        return false;
    if (f->form == REDUCE)
        return fits_reduction(stream, out, in, work->where);
    return f->form == CAST ? have_one_shape(stream, out, in, work->where)
                           : kbs_views_agree(stream, out, in, work->where);
}

/* --- scalars --------------------------------------------------------------------------------- */

static bool set_immediate(kbs_work *work, const function *f, double value) {
    const uint32_t dtype = work->views[0].dtype;
    const char *name = kb_word_name(KB_VOC_DTYPE, dtype);
    work->immediate_count = 1;
    if (kbs_is_float(dtype)) {
        const double most = dtype == KB_DTYPE_F16 && f->form == FILL ? 65504 : FLT_MAX;
        if (isnan(value) || (isfinite(value) && fabs(value) > most)) {
            kbs_mistake(work->stream, work->where, "%s: %s cannot hold %g", f->name, name, value);
            return false;
        }
        memcpy(&work->immediate, &value, sizeof value);
        return true;
    }
    const double most = dtype == KB_DTYPE_I8 && f->form == FILL ? 127 : INT32_MAX;
    if (!(value >= -most - 1 && value <= most) || value != floor(value)) {
        kbs_mistake(work->stream, work->where, "%s: %s cannot hold %g", f->name, name, value);
        return false;
    }
    work->immediate = (uint64_t)(int64_t)value;
    return true;
}

/* --- recording ------------------------------------------------------------------------------- */

static uint32_t record(kbs_work *work, double value) {
    if (!kbs_is_kernel(work->stream, work->where))
        return 0;
    const function *f = &functions[work->func];
    work->lies[0] = kbs_view_check_written(work->stream, &work->views[0], "destination", work->where);
    if (work->lies[0] == KBS_LIES_NOWHERE || !has_dtype(work->stream, f, &work->views[0], work->where))
        return 0;
    for (uint32_t i = 1; i < work->count; i++)
        if (!check_input(work, f, i))
            return 0;
    if ((f->form == SCALAR || f->form == FILL) && !set_immediate(work, f, value))
        return 0;
    work->rows = f->form == REDUCE || f->form == ROWS;
    return kbs_work_record(work);
}

/* All but the views, which are many bytes. */
static void work_init(kbs_work *work, tl_stream *stream, uint32_t func, uint32_t count, tl_where where) {
    work->stream = stream;
    work->where = where;
    work->kind = KB_OP_MATH;
    work->func = func;
    work->immediate_count = 0;
    work->immediate = 0;
    work->rows = work->is_async = false;
    work->count = count + 1;
}

void tl_math_at(tl_stream *stream, uint32_t func, tl_view out, const tl_view *in, uint32_t count,
                double value, tl_where where) {
    kbs_work work;
    work_init(&work, stream, func, count, where);
    work.views[0] = out;
    for (uint32_t i = 0; i < count; i++)
        work.views[i + 1] = in[i];
    record(&work, value);
}

tl_token tl_math_async_at(tl_stream *stream, uint32_t func, tl_view out, const tl_view *in, uint32_t count,
                          double value, tl_where where) {
    kbs_work work;
    work_init(&work, stream, func, count, where);
    work.views[0] = out;
    for (uint32_t i = 0; i < count; i++)
        work.views[i + 1] = in[i];
    work.is_async = true;
    const uint32_t commands = record(&work, value);
    return kbs_token_new(stream, commands, where);
}

void tl_reduce_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    static const uint32_t funcs[] = {[KB_REDUCE_SUM] = KB_FUNC_ADD,
                                     [KB_REDUCE_PROD] = KB_FUNC_MUL,
                                     [KB_REDUCE_MIN] = KB_FUNC_MIN,
                                     [KB_REDUCE_MAX] = KB_FUNC_MAX};
    if (!kbs_is_ok(stream))
        return;
    if (stream->reduce == 0 || stream->reduce == KB_REDUCE_NONE) {
        kbs_mistake(stream, where, "tl_reduce applies the op of a collective, and this is none: try tl_add");
        return;
    }
    kbs_work work;
    work_init(&work, stream, funcs[stream->reduce], 2, where);
    work.views[0] = work.views[1] = into;
    work.views[2] = from;
    record(&work, 0);
}
