/* The block builder: guest instructions of one page become ops.
 *
 * Layout of exits (DESIGN.md section 5): a branch or jump has a link slot behind it, whose `target`
 * is followed without a test. On this page it first points at itself, where op_resolve finds the
 * block; a target on another page has an exit record of two slots at the end of the block, whose
 * first op (op_cross) checks that the fetch TLB still maps the target to the page it knows. */
#include "cpu/code_build.h"

#include "cpu/exec.h"
#include "cpu/fp_host.h"
#include "cpu/fuse.h"

#define RM_DYNAMIC 7
#define RM_RMM     4

struct builder {
    const struct build_request *request;
    uint32_t used;   /* slots so far */
    uint32_t offset; /* in the page, of the current instruction */
    uint8_t length;  /* of the current instruction */
    uint8_t count;   /* instructions before the current one */
    uint8_t written; /* the x register written last: the accumulator has its value */
    bool guarded;    /* a guard op stands before */
    bool done;
    uint32_t links[BLOCK_MAX + 1]; /* slots whose targets lie on other pages */
    unsigned link_count;
    uint64_t seen[PAGE_BYTES / 2 / 64]; /* halfwords where an instruction of the block begins */
};

static uint8_t sink(uint8_t rd)
{
    return rd ? rd : X_SINK;
}

static struct op *emit(struct builder *b, handler *run)
{
    struct code_cache *code = b->request->code;
    uint32_t slot = b->request->at + b->used++;
    code->ops[slot] = (struct op){.run = run};
    code->side[slot] = (struct op_side){
        .offset = (uint16_t)b->offset, .before = b->count, .length = b->length & 15};
    return &code->ops[slot];
}

/* Emits the op of an instruction with its registers. */
static struct op *emit_insn(struct builder *b, handler *run, const struct decoded *in)
{
    struct op *op = emit(b, run);
    struct op_side *side = &b->request->code->side[op - b->request->code->ops];
    if (in->uses & INSN_USES_RS1 && in->rs1 == b->written)
        side->forward |= FORWARD_RS1;
    if (in->uses & INSN_USES_RS2 && in->rs2 == b->written)
        side->forward |= FORWARD_RS2;
    op->rd = in->rd;
    op->rs1 = in->rs1;
    op->rs2 = in->rs2;
    op->imm = in->imm;
    if (in->uses & INSN_USES_RD)
        b->written = op->rd = sink(in->rd);
    return op;
}

/* The link slot behind an exit to page offset `target`, which may lie outside the page. */
static void emit_link(struct builder *b, int32_t target)
{
    struct op *link = emit(b, op_resolve);
    link->target = link;
    if (target < 0 || target >= (int32_t)PAGE_BYTES)
        b->links[b->link_count++] = (uint32_t)(link - b->request->code->ops);
}

static void emit_exit(struct builder *b, handler *run, const struct decoded *in, int32_t target)
{
    struct op *op = emit_insn(b, run, in);
    op->n = (uint8_t)(b->count + 1);
    op->imm = target;
    emit_link(b, target);
}

/* An exit that goes on at page offset `target` and charges the instructions before it alone. */
static void emit_end(struct builder *b, int32_t target, unsigned steps)
{
    struct op *op = emit(b, op_j);
    op->n = (uint8_t)steps;
    op->imm = target;
    emit_link(b, target);
    b->done = true;
}

static bool was_seen(const struct builder *b, uint32_t offset)
{
    return b->seen[offset / 128] >> (offset / 2 % 64) & 1;
}

/* jal: writes the return address; a target on this page is followed, else, and when runs are
 * watched, the block ends. True when it was followed: offset and count are those of the next
 * instruction. A jump that begins the block has an op in any case: the first op is that of the
 * first instruction, so that a dropped block is left before anything of it has been done. */
static bool build_jump(struct builder *b, const struct decoded *in)
{
    int32_t target = (int32_t)b->offset + in->imm;
    if (in->rd || !b->used) {
        struct op *op = emit_insn(b, op_link, in);
        op->imm = (int32_t)b->offset + in->length;
    }
    bool follows = b->request->code->watch == CODE_UNWATCHED;
    if (follows && target >= 0 && target < (int32_t)PAGE_BYTES) {
        b->offset = (uint32_t)target;
        b->count++;
        return true;
    }
    emit_exit(b, op_j, in, target);
    b->done = true;
    return false;
}

static void build_jump_register(struct builder *b, const struct decoded *in)
{
    struct op *op = emit_insn(b, in->base->run, in);
    op->n = (uint8_t)(b->count + 1);
    op->imm = (int32_t)((uint32_t)in->imm << 16 | (b->offset + in->length));
    emit(b, NULL)->va = 1; /* odd: no target equals it */
    emit(b, NULL)->page = 1;
    b->done = true;
}

static void build_illegal(struct builder *b)
{
    emit(b, op_illegal);
    b->done = true;
}

/* What stands before a floating-point op: a guard, and what makes FS dirty. False: the instruction
 * is illegal or ends the block here. */
static bool prepare_fp(struct builder *b, const struct decoded *in)
{
    unsigned fs = b->request->context & 3;
    if (!b->guarded)
        emit(b, op_fp_guard)->imm = (int32_t)b->request->context;
    b->guarded = true;
    if (fs == FS_MODE_OFF) {
        build_illegal(b);
        return false;
    }
    if (fs == FS_MODE_CLEAN && in->base->flags & INSN_FP_WRITE) {
        emit(b, op_fp_dirty);
        b->done = true;
        return false;
    }
    return true;
}

/* Chooses between the host's and the software operation by the effective rounding mode, which goes
 * to *rm; NULL: a reserved mode. */
static handler *choose_rounding(const struct builder *b, const struct decoded *in, int32_t *rm)
{
    unsigned frm = b->request->context >> 2;
    unsigned effective = in->rm == RM_DYNAMIC ? frm : in->rm;
    if (effective > RM_RMM)
        return NULL;
    if (!in->base->soft)
        return in->base->run;
    *rm = (int32_t)effective;
    bool host = effective == frm && fp_host_rounds(effective);
    return host ? in->base->run : in->base->soft;
}

static void build_fp(struct builder *b, const struct decoded *in)
{
    if (!prepare_fp(b, in))
        return;
    int32_t imm = in->imm;
    handler *run = choose_rounding(b, in, &imm);
    if (!run) {
        build_illegal(b);
        return;
    }
    struct op *op = emit_insn(b, run, in);
    op->n = in->rs3;
    op->imm = imm;
}

static void build_plain(struct builder *b, const struct decoded *in)
{
    struct op *op = emit_insn(b, in->base->run, in);
    if (in->base->format == FORMAT_UPC)
        op->imm += (int32_t)b->offset;
}

/* Behind it FS and frm may be others: floating point wants a guard again. */
static void build_csr(struct builder *b, const struct decoded *in)
{
    if (!exec_choose_csr(emit_insn(b, in->base->run, in)))
        b->guarded = false;
}

static void build_instruction(struct builder *b, const struct decoded *in)
{
    b->length = in->length;
    b->seen[b->offset / 128] |= 1ull << (b->offset / 2 % 64);
    switch (in->insn ? in->base->format : FORMAT_COUNT) {
    case FORMAT_COUNT:
        build_illegal(b);
        break;
    case FORMAT_B:
        emit_exit(b, in->base->run, in, (int32_t)b->offset + in->imm);
        break;
    case FORMAT_J:
        if (build_jump(b, in))
            return;
        break;
    case FORMAT_JR:
        build_jump_register(b, in);
        break;
    case FORMAT_CSR:
        build_csr(b, in);
        break;
    case FORMAT_END:
        emit(b, in->base->run);
        b->done = true;
        break;
    default:
        if (in->base->flags & INSN_FP)
            build_fp(b, in);
        else
            build_plain(b, in);
    }
    b->offset += in->length;
    b->count++;
}

static void mark_lines(const struct builder *b, unsigned length)
{
    if (b->request->lines)
        *b->request->lines |= 1ull << (b->offset / 64) | 1ull << ((b->offset + length - 1) / 64);
}

/* The word at the current offset; the upper half of one that runs over the page is missing. */
static uint32_t fetch(const struct builder *b)
{
    uint16_t low, high = 0;
    memcpy(&low, b->request->page + b->offset, 2);
    if (b->offset + 2 < PAGE_BYTES)
        memcpy(&high, b->request->page + b->offset + 2, 2);
    return low | (uint32_t)high << 16;
}

/* Blocks know no virtual addresses: a breakpoint counts on every page, and its op compares all of
 * pc. */
static bool breakpoint_may_be_at(const struct code_cache *code, uint32_t offset)
{
    for (unsigned i = 0; i < code->breakpoint_count; i++)
        if (code->breakpoints[i] % PAGE_BYTES == offset)
            return true;
    return false;
}

static bool is_marked(const struct code_cache *code, uint32_t word, bool is_whole)
{
    return code->marks && (!is_whole || code->marks(code->marks_owner, word));
}

/* Decodes at the current offset, or ends the block where it must. */
static void build_next(struct builder *b)
{
    if (b->count >= b->request->limit || b->offset >= PAGE_BYTES || was_seen(b, b->offset)) {
        emit_end(b, (int32_t)b->offset, b->count);
        return;
    }
    uint32_t word = fetch(b);
    bool wide = (word & 3) == 3;
    bool straddles = b->offset == PAGE_BYTES - 2 && wide;
    if (straddles && b->count) {
        emit_end(b, (int32_t)b->offset, b->count);
        return;
    }
    mark_lines(b, wide && !straddles ? 4 : 2);
    b->length = wide ? 4 : 2;
    if (breakpoint_may_be_at(b->request->code, b->offset))
        emit(b, op_breakpoint);
    if (is_marked(b->request->code, word, !straddles))
        emit(b, op_mark);
    if (straddles) {
        emit(b, op_straddle);
        b->count++;
        b->done = true;
        return;
    }
    struct decoded in;
    insn_decode(b->request->code->decoder, word, &in);
    build_instruction(b, &in);
}

/* Gives each link to another page its record: op_cross, then {page, target}. */
static void emit_records(struct builder *b)
{
    struct code_cache *code = b->request->code;
    for (unsigned i = 0; i < b->link_count; i++) {
        struct op *link = &code->ops[b->links[i]];
        struct op *record = emit(b, op_cross);
        record->imm = link[-1].imm;
        emit(b, NULL)->page = 1; /* no page has this address */
        link->target = record;
    }
}

struct build_result build_block(const struct build_request *request)
{
    struct builder b = {
        .request = request, .offset = (uint32_t)(request->pa % PAGE_BYTES), .written = X_SINK};
    while (!b.done)
        build_next(&b);
    if (request->fuser)
        fuse(request->fuser, &request->code->ops[request->at], &request->code->side[request->at],
             b.used);
    emit_records(&b);
    return (struct build_result){.slots = b.used, .instructions = b.count};
}

void build_straddle(struct code_cache *code, uint32_t at, uint32_t word, unsigned context)
{
    struct build_request request = {.code = code, .context = context, .limit = 1, .at = at};
    struct builder b = {.request = &request, .offset = PAGE_BYTES - 2};
    struct decoded in;
    insn_decode(code->decoder, word, &in);
    build_instruction(&b, &in);
    if (!b.done)
        emit_end(&b, (int32_t)b.offset, b.count);
    emit_records(&b);
}
