/* Machines on small bare-metal programs, for the tests of machine/. The program is assembled into a
 * file that machine_create loads at the base of RAM. */
#ifndef RIVULET_TESTS_UNIT_MACHINE_RIG_H
#define RIVULET_TESTS_UNIT_MACHINE_RIG_H

#include "cpu/hart.h"
#include "machine/machine.h"
#include "tests/unit/asm.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RIG_RAM     0x80000000ull
#define RIG_PROGRAM 4096u
#define RIG_DATA    (RIG_RAM + 0x2000)
#define RIG_CLINT   0x02000000
#define RIG_TEST    0x00100000
#define RIG_UART    0x10000000
#define RIG_US      1000ull
#define RIG_MS      1000000ull

#define CSR_MSTATUS 0x300
#define CSR_MIE     0x304
#define CSR_MTVEC   0x305
#define CSR_MCAUSE  0x342
#define CSR_MHARTID 0xf14

struct program {
    uint8_t bytes[RIG_PROGRAM];
    struct insn_decoder *decoder;
    struct assembler a;
    char path[32];
};

static inline void program_begin(struct program *p)
{
    memset(p, 0, sizeof *p);
    p->decoder = insn_decoder_create(NULL);
    p->a = (struct assembler){.decoder = p->decoder,
                              .bytes = p->bytes,
                              .base = RIG_RAM,
                              .size = RIG_PROGRAM,
                              .pc = RIG_RAM};
}

static inline void program_end(struct program *p)
{
    strcpy(p->path, "/tmp/rivulet-test-XXXXXX");
    int fd = mkstemp(p->path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p->bytes, sizeof p->bytes), sizeof p->bytes);
    close(fd);
    insn_decoder_destroy(p->decoder);
}

/* A machine and what its UART has sent. */
struct rig {
    struct machine *m;
    char sent[1 << 18];
    size_t sent_bytes;
};

static inline void rig_sent(void *owner, const uint8_t *bytes, size_t n)
{
    struct rig *r = (struct rig *)owner;
    ck_assert_uint_le(r->sent_bytes + n, sizeof r->sent);
    memcpy(r->sent + r->sent_bytes, bytes, n);
    r->sent_bytes += n;
}

static inline struct machine_config rig_config(const struct program *p, unsigned harts)
{
    struct machine_config config;
    machine_config_init(&config);
    config.ram_bytes = 8 << 20;
    config.harts = harts;
    config.bios = BIOS_NONE;
    config.kernel_file = p->path;
    config.icount = true;
    config.rtc = RTC_FIXED;
    return config;
}

static inline struct rig *rig_create_with(struct machine_config config)
{
    struct error err;
    struct rig *r = (struct rig *)calloc(1, sizeof *r);
    config.serial = (struct byte_sink){.write = rig_sent, .owner = r};
    r->m = machine_create(&config, &err);
    ck_assert_msg(r->m != NULL, "%s", err.text);
    return r;
}

static inline struct rig *rig_create(const struct program *p, unsigned harts)
{
    return rig_create_with(rig_config(p, harts));
}

static inline void rig_free(struct rig *r)
{
    machine_destroy(r->m);
    free(r);
}

static inline void rig_type(struct rig *r, const char *text)
{
    input_push(machine_door(r->m), machine_console_entry(r->m), text, strlen(text));
}

static inline enum machine_stop rig_run(struct rig *r, uint64_t until_ns)
{
    return machine_run(r->m, until_ns).stop;
}

/* --- a saved state --- */

struct saved {
    uint8_t *bytes;
    size_t size;
};

static inline struct saved rig_save(struct rig *r)
{
    struct saved saved;
    struct state *s = state_new_save();
    machine_state(r->m, s);
    const void *data = state_data(s, &saved.size);
    saved.bytes = (uint8_t *)malloc(saved.size);
    memcpy(saved.bytes, data, saved.size);
    state_free(s);
    return saved;
}

static inline bool rig_load(struct rig *r, const void *bytes, size_t size)
{
    struct state *s = state_new_load(bytes, size);
    machine_state(r->m, s);
    bool ok = state_ok(s);
    state_free(s);
    return ok;
}

/* --- the program that does a little of everything --- */

/* Mcause of a timer interrupt: the next one in 100 us, counted at RIG_DATA + 64 + 8 * hart; of a
 * software interrupt: msip is cleared, counted at RIG_DATA + 128 + 8 * hart. */
static inline void put_busy_handler(struct assembler *a)
{
    ASM(a, csrrs, .rd = A3, .imm = CSR_MCAUSE);
    ASM(a, andi, .rd = A3, .rs1 = A3, .imm = 4);
    ASM(a, slli, .rd = A4, .rs1 = A0, .imm = 3);
    ASM(a, add, .rd = A4, .rs1 = A4, .rs2 = S0);
    uint64_t to_software = a->pc;
    ASM(a, beq, .rs1 = A3);
    ASM(a, ld, .rd = A5, .rs1 = A4, .imm = 64);
    ASM(a, addi, .rd = A5, .rs1 = A5, .imm = 1);
    ASM(a, sd, .rs1 = A4, .rs2 = A5, .imm = 64);
    ASM(a, addi, .rd = SP, .rs1 = SP, .imm = 1000); /* sp: the next compare value */
    ASM(a, sd, .rs1 = TP, .rs2 = SP);               /* tp: mtimecmp of this hart */
    ASM(a, mret);
    asm_land(a, to_software);
    ASM(a, ld, .rd = A5, .rs1 = A4, .imm = 128);
    ASM(a, addi, .rd = A5, .rs1 = A5, .imm = 1);
    ASM(a, sd, .rs1 = A4, .rs2 = A5, .imm = 128);
    ASM(a, sw, .rs1 = GP); /* gp: msip of this hart */
    ASM(a, mret);
}

/* Registers of the loop. T5: msip of the next hart. */
enum { T3 = 28, T4, T5, T6 };

static inline void put_busy_start(struct assembler *a, unsigned harts)
{
    ASM(a, csrrs, .rd = A0, .imm = CSR_MHARTID);
    asm_li(a, S0, RIG_DATA);
    asm_li(a, S1, RIG_UART);
    asm_li(a, GP, RIG_CLINT);
    ASM(a, addi, .rd = T5, .rs1 = A0, .imm = 1);
    ASM(a, andi, .rd = T5, .rs1 = T5, .imm = (int32_t)harts - 1);
    ASM(a, slli, .rd = T5, .rs1 = T5, .imm = 2);
    ASM(a, add, .rd = T5, .rs1 = T5, .rs2 = GP);
    asm_li(a, TP, RIG_CLINT + 0x4000);
    ASM(a, slli, .rd = T0, .rs1 = A0, .imm = 3);
    ASM(a, add, .rd = TP, .rs1 = TP, .rs2 = T0);
    ASM(a, slli, .rd = T0, .rs1 = A0, .imm = 2);
    ASM(a, add, .rd = GP, .rs1 = GP, .rs2 = T0);
    asm_li(a, SP, 1000);
    ASM(a, sd, .rs1 = TP, .rs2 = SP);
    asm_li(a, T1, 1);
    asm_li(a, A1, 0);
    ASM(a, addi, .rd = T4, .rs1 = A0, .imm = 'A');
}

/* Hart 0 echoes what is typed; q powers off, f fails with status 5, r resets. */
static inline void put_busy_console(struct assembler *a, uint64_t loop)
{
    ASM(a, bne, .rs1 = A0, .imm = asm_to(a, loop));
    ASM(a, lbu, .rd = T2, .rs1 = S1, .imm = 5);
    ASM(a, andi, .rd = T2, .rs1 = T2, .imm = 1);
    ASM(a, beq, .rs1 = T2, .imm = asm_to(a, loop));
    ASM(a, lbu, .rd = T2, .rs1 = S1);
    ASM(a, sb, .rs1 = S1, .rs2 = T2);
    asm_li(a, T3, RIG_TEST);
    static const struct {
        char key;
        int32_t command;
    } keys[] = {{'q', 0x5555}, {'f', 0x53333}, {'r', 0x7777}};
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        asm_li(a, T6, keys[i].key);
        uint64_t skip = a->pc;
        ASM(a, bne, .rs1 = T2, .rs2 = T6);
        asm_li(a, T6, keys[i].command);
        ASM(a, sw, .rs1 = T3, .rs2 = T6);
        asm_land(a, skip);
    }
    ASM(a, jal, .imm = asm_to(a, loop));
}

/* All harts count by atomics at RIG_DATA; every 256 rounds a hart sends an IPI to the next, a
 * character to the UART, and sleeps; timers come every 100 us. Returns the address of the loop. */
static inline uint64_t put_busy_program(struct assembler *a, unsigned harts)
{
    a->pc = RIG_RAM + 0x400;
    put_busy_handler(a);
    a->pc = RIG_RAM;
    put_busy_start(a, harts);
    asm_csrw(a, CSR_MTVEC, RIG_RAM + 0x400);
    asm_csrw(a, CSR_MIE, 1 << IRQ_MTIP | 1 << IRQ_MSIP);
    asm_csrw(a, CSR_MSTATUS, MSTATUS_MIE);
    uint64_t loop = a->pc;
    ASM(a, addi, .rd = A1, .rs1 = A1, .imm = 1);
    ASM(a, amoadd_d, .rd = A2, .rs1 = S0, .rs2 = T1);
    ASM(a, add, .rd = A7, .rs1 = A7, .rs2 = A2); /* the order of all harts shows */
    ASM(a, andi, .rd = T2, .rs1 = A1, .imm = 0xff);
    uint64_t skip = a->pc;
    ASM(a, bne, .rs1 = T2);
    ASM(a, sw, .rs1 = T5, .rs2 = T1);
    ASM(a, sb, .rs1 = S1, .rs2 = T4);
    ASM(a, wfi);
    asm_land(a, skip);
    put_busy_console(a, loop);
    return loop;
}

#endif
