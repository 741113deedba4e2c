/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that is simulated: its parameters, their values, and where each value came from.
 *
 *   kbs_machine machine;
 *   kbs_machine_init(&machine);
 *   KB_TRY(kbs_machine_shorthand(&machine, "cubes=2x2,pes=16", trail));
 *   KB_TRY(kbs_machine_set(&machine, "ipcq.slots", "8", "set", trail));
 *   KB_TRY(kbs_machine_check(&machine, trail));
 *
 * Later calls win. Values are whole numbers: counts and bytes as they are, decimals in millionths of
 * their unit, grids as kbs_columns() and kbs_rows(), boxes as kbs_side(), words as their place in the row
 * of the table, so that nothing depends on floating point.
 */
#ifndef KBSIM_MACHINE_H
#define KBSIM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "kbsim/component.h"
#include "kbtrace/status.h"

/* Where a value came from. */
typedef struct kbs_origin {
    const char *by;        /* a constant: "default", "topology", "ccl", "set", "param" */
    const char *source;    /* the file or option; NULL where nobody set it */
    uint32_t line, column; /* in the file, from 1; 0 for an option */
} kbs_origin;

/* The components, in the order of their table: KBS_COMPONENT_gemm. */
typedef enum kbs_component {
#define KBS_COMPONENT(name, models, help) KBS_COMPONENT_##name,
#include "kbsim/components.def"
#undef KBS_COMPONENT
    KBS_COMPONENTS
} kbs_component;

enum { KBS_OPTION_CHARS = 24, KBS_VALUE_CHARS = 32 };

/* The model of a component that somebody chose, and its options: kbs_models_open() looks them up. */
typedef struct kbs_choice {
    const char *model; /* a name, or a file's (with a '/' in it); NULL: nobody chose */
    kbs_origin origin;
    struct {
        char name[KBS_OPTION_CHARS], value[KBS_VALUE_CHARS];
        kbs_origin origin;
    } options[KBS_MODEL_OPTIONS];
    size_t option_count;
} kbs_choice;

/* What is wrong with single PEs and links. */
typedef enum kbs_fault_kind {
#define KBS_FAULT(NAME, name, of_link, unit, least, most, help) KBS_FAULT_##NAME,
#include "kbsim/faults.def"
#undef KBS_FAULT
    KBS_FAULT_KINDS
} kbs_fault_kind;

enum { KBS_FAULTS = 64, KBS_TARGET_CHARS = 56, KBS_FAULT_CHARS = 96 };
#define KBS_ANY_STEP UINT32_MAX

typedef struct kbs_fault {
    char target[KBS_TARGET_CHARS]; /* "sip0.cube1.pe3", "sip0.cube0>cube1.ucie0" */
    kbs_fault_kind kind;
    uint64_t value; /* in millionths */
    char label[32]; /* of the step that is delayed; "": the first command of all */
    uint64_t step;  /* its number, or KBS_ANY_STEP */
    kbs_origin origin;
} kbs_fault;

/* A ring that has a size of its own: ipcq.slots_of.QUEUE. */
enum { KBS_RING_SLOTS = 256, KBS_RING_CHARS = 40, KBS_RING_PATH_CHARS = 56 };

typedef struct kbs_ring_slots {
    char queue[KBS_RING_CHARS]; /* "pe0>pe1", "pe0>pe1.2": its name in traces */
    uint64_t slots;
    kbs_origin origin;
} kbs_ring_slots;

typedef struct kbs_machine {
    struct {
#define KBS_PARAM(field, path, kind, unit, value, least, most, source, help) uint64_t field;
#include "kbsim/params.def"
#undef KBS_PARAM
    } at;
    struct {
#define KBS_PARAM(field, path, kind, unit, value, least, most, source, help) kbs_origin field;
#include "kbsim/params.def"
#undef KBS_PARAM
    } origin;
    kbs_choice choices[KBS_COMPONENTS];
    kbs_fault faults[KBS_FAULTS]; /* by target and kind */
    size_t fault_count;
    kbs_ring_slots ring_slots[KBS_RING_SLOTS]; /* by queue */
    size_t ring_slots_count;
} kbs_machine;

#define KBS_MILLION UINT64_C(1000000)

static inline uint32_t kbs_columns(uint64_t grid) {
    return (uint32_t)(grid >> 32U);
}
static inline uint32_t kbs_rows(uint64_t grid) {
    return (uint32_t)grid;
}
/* Side 0, 1 or 2 of a box. */
static inline uint32_t kbs_side(uint64_t box, unsigned side) {
    return (uint32_t)(box >> (2 - side) * 21U) & ((1U << 21U) - 1);
}

/* The words of parameters, in the order of their rows. */
enum { KBS_GRID_RING, KBS_GRID_TORUS, KBS_GRID_MESH };   /* system.grid */
enum { KBS_HASH_NONE, KBS_HASH_XOR };                    /* hbm.channel_hash */
enum { KBS_TIMING_OFF, KBS_TIMING_HBM3 };                /* hbm.timing */
enum { KBS_LAUNCH_STAMPED, KBS_LAUNCH_ON_ARRIVAL };      /* launch.mode */
enum { KBS_SLOTS_SEPARATE, KBS_SLOTS_SHARED };           /* pe.compute_slots */
enum { KBS_TRANSFERS_OVERLAPPED, KBS_TRANSFERS_SINGLE }; /* dma.transfers */
enum { KBS_RING_TCM, KBS_RING_SRAM, KBS_RING_HBM };      /* ipcq.ring */
enum { KBS_PRESSURE_SLEEP, KBS_PRESSURE_POLL };          /* ipcq.backpressure */
enum { KBS_CREDIT_FAST, KBS_CREDIT_VC };                 /* ipcq.credit_path */

void kbs_machine_init(kbs_machine *machine);

/*
 * `value` may have a unit: "2us" where the parameter counts ns. `by` is a constant, as in kbs_origin. The
 * path components.NAME chooses that component's model, and components.NAME.OPTION sets an option of it; a
 * model's name outlives the machine. fault.TARGET.WHAT is wrong with one PE or link;
 * ipcq.slots_of.QUEUE is the size of one ring.
 */
kb_status kbs_machine_set(kbs_machine *machine, const char *path, const char *value, const char *by,
                          kb_trail *trail) KB_MUST_USE;
/* The same; what `origin` points to outlives the machine. */
kb_status kbs_machine_set_from(kbs_machine *machine, const char *path, const char *value,
                               const kbs_origin *origin, kb_trail *trail) KB_MUST_USE;
/* "PATH=VALUE", as --set has it; the text outlives the machine. */
kb_status kbs_machine_assign(kbs_machine *machine, const char *assignment, const char *by,
                             kb_trail *trail) KB_MUST_USE;
/* "sips=3x2,cubes=4x4,pes=8", any of them. */
kb_status kbs_machine_shorthand(kbs_machine *machine, const char *text, kb_trail *trail) KB_MUST_USE;
/* What no single value can tell: do the PEs find routers, do ports find edges. */
kb_status kbs_machine_check(const kbs_machine *machine, kb_trail *trail) KB_MUST_USE;

/* --- the table, for listings ------------------------------------------------------------------- */

typedef struct kbs_param {
    const char *path, *unit, *standard, *least, *most, *source, *help;
} kbs_param;

uint32_t kbs_param_count(void);
const kbs_param *kbs_param_describe(uint32_t index);
/* kbs_param_count() where there is none of that path. */
uint32_t kbs_param_find(const char *path);
/* Whole numbers as they are, decimals in millionths. */
uint64_t kbs_machine_number(const kbs_machine *machine, uint32_t index);
/* As a user would write it, without a sign of size. */
const char *kbs_machine_value(const kbs_machine *machine, uint32_t index, char buffer[KBS_VALUE_CHARS]);
/* The same with a sign of size where one fits: 6GiB. */
const char *kbs_machine_written(const kbs_machine *machine, uint32_t index, char buffer[KBS_VALUE_CHARS]);
const kbs_origin *kbs_machine_origin(const kbs_machine *machine, uint32_t index);

typedef struct kbs_fault_row {
    const char *name, *unit, *least, *most, *help;
    bool of_link;
} kbs_fault_row;

const kbs_fault_row *kbs_fault_describe(kbs_fault_kind kind);
/* "fault.sip0.cube1.pe3.math", and its value as a user would write it. */
const char *kbs_fault_path(const kbs_fault *fault, char buffer[KBS_FAULT_CHARS]);
const char *kbs_fault_value(const kbs_fault *fault, char buffer[KBS_FAULT_CHARS]);

/* "ipcq.slots_of.pe0>pe1" */
const char *kbs_ring_slots_path(const kbs_ring_slots *ring, char buffer[KBS_RING_PATH_CHARS]);

/* PEs of one package, and of the whole machine. */
uint64_t kbs_machine_pes_of_sip(const kbs_machine *machine);
uint64_t kbs_machine_pes(const kbs_machine *machine);

#endif
