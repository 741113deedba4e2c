/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thing taken away from a program that was drawn, such that it can still be called: a wait that comes at
 * the kernel's end instead, or for a launch, at the program's end; a command that does not hold its stream; a
 * fence or barrier or a write that does not come at all; a message that is released before its reader was
 * waited for. Checks must find it, unless nothing depended on it.
 */
#ifndef KB_TESTS_CLEAN_SPOIL_H
#define KB_TESTS_CLEAN_SPOIL_H

#include "support/clean/plan.h"

typedef enum clean_fault {
    CLEAN_NO_WAIT,
    CLEAN_NO_HOLD,
    CLEAN_NO_FENCE,
    CLEAN_NO_BARRIER,
    CLEAN_EARLY_RELEASE,
    CLEAN_NO_WRITE,
    CLEAN_NO_LANDING,
    CLEAN_FAULTS
} clean_fault;

const char *clean_fault_name(clean_fault fault);

/* How often a program can have a fault; and the one with that number, modulo this, which must not be 0. */
uint32_t clean_spoil_count(clean_plan *plan, clean_fault fault);
const clean_call *clean_spoil(clean_plan *plan, clean_fault fault, uint32_t number);

/* Whether a call that is not left out works on an element that nothing has written. */
bool clean_is_undefined(const clean_plan *plan);

#endif
