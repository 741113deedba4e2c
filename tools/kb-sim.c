/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim: runs benches in the simulator and writes traces; lists and explains what it knows. */
#include "sim/config.h"
#include "sim/lint.h"
#include "sim/run.h"

/* --- options of its commands --------------------------------------------------------------------- */

static const kbt_option run_options[] = {
    {'o', "output", KBT_TEXT, offsetof(sim_run_values, output), "OUT",
     "the trace: FILE.zst, FOLDER/ for a file a rank, - for stdout", 0, 0, NULL, true},
    SIM_RANK_OPTIONS(sim_run_values),
    {'p', "param", KBT_LIST, offsetof(sim_run_values, params), "KEY=VALUE", "a parameter of the bench", 0, 0,
     NULL, false},
    SIM_CONFIG_OPTIONS(sim_run_values, config),
    SIM_GUARD_OPTIONS(sim_run_values, guard),
    {0, "seed", KBT_COUNT, offsetof(sim_run_values, seed), "N", "of the inputs' contents (default: 1)", 0, 0,
     NULL, false},
    {0, "max-time", KBT_TEXT, offsetof(sim_run_values, max_time), "T",
     "stop the clock at T (ps, ns, us, ms, s): the trace ends incomplete", 0, 0, NULL, false},
    {0, "verify", KBT_FLAG, offsetof(sim_run_values, verify), NULL,
     "have kb-replay check the trace afterwards", 0, 0, NULL, false},
};

static const sim_run_values run_defaults = {.common.color = "auto", .rank_unit = "pe", .seed = 1};

static const kbt_option lint_options[] = {
    SIM_RANK_OPTIONS(sim_lint_values),
    {'p', "param", KBT_LIST, offsetof(sim_lint_values, params), "KEY=VALUE", "a parameter of the bench", 0, 0,
     NULL, false},
    SIM_CONFIG_OPTIONS(sim_lint_values, config),
    SIM_GUARD_OPTIONS(sim_lint_values, guard),
    {0, "seed", KBT_COUNT, offsetof(sim_lint_values, seed), "N", "of the inputs' contents (default: 1)", 0, 0,
     NULL, false},
};

static const sim_lint_values lint_defaults = {.common.color = "auto", .rank_unit = "pe", .seed = 1};

static const kbt_common list_defaults = {.color = "auto"};

static const kbt_option explain_options[] = {
    SIM_CONFIG_OPTIONS(sim_explain_values, config),
    {0, "format", KBT_CHOICE, offsetof(sim_explain_values, format), "FORMAT",
     "text, or yaml: a topology that can be read back", 0, 0, "text yaml", false},
};

static const sim_explain_values explain_defaults = {.common.color = "auto", .format = "text"};

static const kbt_option probe_options[] = {
    SIM_CONFIG_OPTIONS(sim_probe_values, config),
    {0, "sizes", KBT_TEXT, offsetof(sim_probe_values, sizes), "N,N...",
     "bytes of the transfers (default: 1 to 1Mi, each 4 times the one before)", 0, 0, NULL, false},
    {0, "pe", KBT_COUNT, offsetof(sim_probe_values, pe), "N", "which PE moves data (default: 0)", 0,
     UINT32_MAX, NULL, false},
    {0, "alone", KBT_FLAG, offsetof(sim_probe_values, alone), NULL,
     "single transfers only: nothing of many PEs at once", 0, 0, NULL, false},
};

static const sim_probe_values probe_defaults = {.common.color = "auto"};

static const kbt_command commands[] = {
    {.name = "run",
     .usage = "BENCH [OPTION]... -o OUT",
     .summary = "Records a bench, simulates it and writes its trace.",
     .examples = "  kb-sim run allreduce --ranks 8 -p elems=1000 -o ring.zst\n"
                 "  kb-sim run allreduce --ranks 16 -p bytes=64KiB -p dtype=bf16 --verify -o ring.zst\n"
                 "  kb-sim run allreduce --machine cubes=2x2,pes=16 --set ipcq.slots=8 -o ring/\n"
                 "  kb-sim run allreduce --topology kernbench --set dma.setup_ns=0.5us -o ring.zst\n"
                 "  kb-sim run broadcast -p algo=chain -p root=5 -p group=0-15 -o chain.zst\n"
                 "  kb-sim run allreduce -p bytes=4KiB:16MiB:x4 -o sweep/\n"
                 "  kb-sim run allreduce --rank-unit sip --machine sips=4,cubes=1x1,pes=4 -o sips.zst\n"
                 "  kb-sim run ./my_bench.c -p algo=./my_algorithm.c -o mine.zst\n",
     .more = "BENCH and its parameters: kb-sim list benches. The machine's: kb-sim explain-config.\n"
             "Bench and algorithm may be files of one's own, C or shared objects.\n"
             "A size may be swept, elems or bytes: FIRST:LAST:xFACTOR runs once a size, into a folder OUT.\n"
             "Exit status: 0 fine; 1 a deadlock, or stopped by ^C or --max-time; 2 trouble.\n",
     .options = run_options,
     .option_count = sizeof run_options / sizeof run_options[0],
     .least_words = 1,
     .most_words = 1,
     .word_name = "BENCH",
     .values_size = sizeof(sim_run_values),
     .defaults = &run_defaults,
     .run = sim_run},
    {.name = "lint",
     .usage = "BENCH [OPTION]...",
     .summary = "Proves that a program cannot hang, or says where it does; warns of what looks wrong.",
     .examples = "  kb-sim lint allreduce --ranks 8 -p elems=1000\n"
                 "  kb-sim lint allreduce -p algo=tree -p slots=1 --json\n"
                 "  kb-sim lint allreduce --set 'ipcq.slots_of.pe0>pe1=2' --set engine.queue_depth=1\n",
     .more =
         "The options are those of kb-sim run, which looks for the same before the clock moves.\n"
         "A program that hangs is told op by op, with the fewest slots that let it end, of all rings and\n"
         "ring by ring. Exit status: 0 proven free, with warnings or without; 1 it is not; 2 trouble.\n",
     .options = lint_options,
     .option_count = sizeof lint_options / sizeof lint_options[0],
     .least_words = 1,
     .most_words = 1,
     .word_name = "BENCH",
     .values_size = sizeof(sim_lint_values),
     .defaults = &lint_defaults,
     .run = sim_lint},
    {.name = "list",
     .usage = "[benches|algorithms|components|topologies|checks]",
     .summary = "Lists what this build can run.",
     .examples = "  kb-sim list\n  kb-sim list algorithms --json\n",
     .most_words = 1,
     .word_name = "WHAT",
     .values_size = sizeof(kbt_common),
     .defaults = &list_defaults,
     .run = sim_list},
    {.name = "explain-config",
     .usage = "[--topology FILE|NAME] [--machine SHORT] [--ccl FILE] [--set PATH=VALUE]...",
     .summary = "Prints every parameter of the machine: its value and where that came from.",
     .examples = "  kb-sim explain-config\n"
                 "  kb-sim explain-config --topology kernbench --set ipcq.slots=8\n"
                 "  kb-sim explain-config --machine pes=16 --format yaml > mine.yaml\n",
     .more = "Of two that set the same the later one in this row wins: default, --topology, --machine, "
             "--ccl, --set,\n"
             "-p (of run). Files may include others; what they say themselves wins over what they include.\n"
             "Models of components and faults have paths, too: components.gemm=peak, "
             "fault.sip0.cube0.pe1.math=2.\n",
     .options = explain_options,
     .option_count = sizeof explain_options / sizeof explain_options[0],
     .word_name = "",
     .values_size = sizeof(sim_explain_values),
     .defaults = &explain_defaults,
     .run = sim_explain_config},
    {.name = "probe",
     .usage = "[--topology FILE|NAME] [--machine SHORT] [--set PATH=VALUE]... [--sizes N,N...]",
     .summary = "Measures single transfers of the machine, beside what a closed form says of each.",
     .examples = "  kb-sim probe\n"
                 "  kb-sim probe --topology kernbench --sizes 1,4Ki,1Mi\n"
                 "  kb-sim probe --set dma.reads_outstanding=2 --pe 5 --json\n",
     .more =
         "A transfer takes from its command's issue until its last byte is visible; nothing else goes on.\n"
         "The form is computed from the parameters alone: a difference other than 0 is a fault of one of the "
         "two.\n"
         "Then many transfers at once, and what channels and PEs' links could carry; fairness is the first\n"
         "PE's time by the last one's. Exit status: 0 fine; 1 a difference; 2 trouble.\n",
     .options = probe_options,
     .option_count = sizeof probe_options / sizeof probe_options[0],
     .word_name = "",
     .values_size = sizeof(sim_probe_values),
     .defaults = &probe_defaults,
     .run = sim_probe},
};

static const kbt_tool tool = {
    .name = "kb-sim",
    .summary = "Simulates programs for near-memory accelerators: how long do they take?",
    .examples =
        "  kb-sim run allreduce --ranks 8 -p elems=1000 -o ring.zst    simulate a ring all-reduce\n"
        "  kb-sim lint allreduce --ranks 8 -p elems=1000               can it hang?\n"
        "  kb-sim list benches                                         what can be run\n"
        "  kb-sim explain-config                                       the machine, and why it is so\n"
        "  kb-sim probe                                                what its parts take, one by one\n",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
};

int main(int argc, char **argv) {
    return kbt_main(&tool, argc, argv);
}
