/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Banks of a channel of HBM: when its commands go, by the constraints of the memory's data sheet.
 *
 * An access is one column command. Where its row is not open, its bank is precharged and activated first.
 * Commands of a channel are decided one access after another and never taken back; activations, and column
 * commands, go in that order. Those of one packet that wait for the channel are its window: first comes the
 * one whose column command can go first, of equals the one with the first bytes. So rows that are open are
 * used before they are closed, and banks open their rows beside one another.
 *
 * A bank is due for a refresh every refi_ps, the banks of a channel one after another: its row is closed,
 * and it is busy for rfc_ps. An access finds a refresh begun that could begin before the access came. One
 * that could not goes first if the column command does not have to wait for it; else it is put off, but not
 * beyond so many intervals. Refreshes of different banks do not meet.
 *
 * Knows no packet and no link.
 */
#ifndef KBSIM_SRC_DRAM_H
#define KBSIM_SRC_DRAM_H

#include "kbsim/machine.h"
#include "kbtrace/memory.h"

enum { KBS_DRAM_READ, KBS_DRAM_WRITE, KBS_DRAM_WAYS };
enum { KBS_DRAM_WINDOW = 64 };     /* the bound of hbm3.window */
enum { KBS_DRAM_ACTIVATIONS = 4 }; /* that share a window of faw_ps */

/* What was decided, for those who check it. */
typedef enum kbs_dram_word {
    KBS_DRAM_PRECHARGE,
    KBS_DRAM_ACTIVATE,
    KBS_DRAM_REFRESH,
    KBS_DRAM_COLUMN
} kbs_dram_word;

typedef struct kbs_dram_command {
    kbs_dram_word word;
    uint32_t way; /* of a column command: KBS_DRAM_READ, _WRITE */
    uint32_t bank;
    uint64_t row;
    uint64_t
        count; /* of a refresh, with those after it that went when they were due, for the bank was idle */
    int64_t time_ps;
} kbs_dram_command;

typedef void (*kbs_dram_watch)(void *context, const kbs_dram_command *command);

typedef struct kbs_dram_kind {
    uint32_t banks, groups;              /* a bank's group is its number modulo groups */
    uint32_t group_bits, in_group_bits;  /* groups, and banks of one */
    uint32_t access_bits;                /* of hbm.access_bytes, */
    uint32_t stripe_bits;                /* hbm3.group_bytes, */
    uint32_t row_bits;                   /* and hbm3.row_bytes */
    uint32_t window;                     /* accesses that are looked at together */
    int64_t burst_ps;                    /* data of an access */
    int64_t latency_ps[KBS_DRAM_WAYS];   /* from a column command to its data */
    int64_t rcd_ps[KBS_DRAM_WAYS];       /* from activation to column command */
    int64_t precharge_ps[KBS_DRAM_WAYS]; /* from column command to precharge */
    int64_t rp_ps, ras_ps, rc_ps;        /* precharge to activate, activate to precharge, to activate */
    int64_t rrds_ps, rrdl_ps, faw_ps;    /* between activations: any, of a group, of every fourth */
    int64_t ccd_ps[KBS_DRAM_WAYS][KBS_DRAM_WAYS];       /* from a column command of one way to the other's */
    int64_t ccd_group_ps[KBS_DRAM_WAYS][KBS_DRAM_WAYS]; /* the same within a group */
    int64_t postponed;                                  /* refreshes of a bank that may be put off */
    int64_t refi_ps, rfc_ps;                            /* refi_ps 0: nothing is refreshed */
    kbs_dram_watch watch;                               /* NULL, but in tests */
    void *watch_context;
} kbs_dram_kind;

/* Of banks, groups and channels: from when on a command may go, as far as these know. 0 is the beginning. */
typedef struct kbs_dram_bank {
    uint64_t row; /* 1 + the open one; 0: none */
    int64_t activated_ps, activate_ps, precharge_ps;
    uint64_t refreshes; /* done */
} kbs_dram_bank;

typedef struct kbs_dram_group {
    int64_t activate_ps, column_ps[KBS_DRAM_WAYS];
} kbs_dram_group;

typedef struct kbs_dram_channel {
    int64_t data_ps; /* the bus is busy until then */
    kbs_dram_group any;
    int64_t activations_ps[KBS_DRAM_ACTIVATIONS]; /* by turns */
    uint32_t turn;
    kbs_dram_bank *banks;
    kbs_dram_group *groups;
} kbs_dram_channel;

void kbs_dram_kind_init(kbs_dram_kind *kind, const kbs_machine *machine);
/* Channels with closed banks. `kind` is the one that passes will be of. */
kb_status kbs_dram_create(const kbs_dram_kind *kind, uint32_t channels, kb_arena *arena,
                          kbs_dram_channel **ret, kb_trail *trail) KB_MUST_USE;

typedef struct kbs_dram_access {
    uint32_t bank;
    uint64_t row;
    int64_t ready_ps; /* no column command before; of a pass they never fall */
    int64_t lead_ps;  /* so much later than others its data may be there */
} kbs_dram_access;

/* The bank and row of a byte of a channel, counted in the channel. */
void kbs_dram_find(const kbs_dram_kind *kind, uint64_t offset_bytes, kbs_dram_access *ret);

/* One packet's accesses in one channel. */
typedef struct kbs_dram_pass {
    const kbs_dram_kind *kind;
    kbs_dram_channel *channel;
    uint32_t way;
    int64_t from_ps; /* no row is opened or closed before */
    int64_t busy_ps; /* the bus was, until then, with what others had decided */
    /* what came of it: the latest end of data, less its lead, and how long the bus waited for rows before */
    int64_t latest_ps, bank_ps;
    int64_t stall_ps; /* the same, till now */
    uint32_t count;
    kbs_dram_access window[KBS_DRAM_WINDOW];
} kbs_dram_pass;

void kbs_dram_begin(kbs_dram_pass *pass, const kbs_dram_kind *kind, kbs_dram_channel *channel, uint32_t way,
                    int64_t from_ps);
void kbs_dram_add(kbs_dram_pass *pass, const kbs_dram_access *access);
/* All that were added are decided. */
void kbs_dram_finish(kbs_dram_pass *pass);

#endif
