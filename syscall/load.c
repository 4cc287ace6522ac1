/* execve: from a file to a program that stands at its first instruction (contract: process.h). */
#include "base/os.h"
#include "syscall/elf.h"
#include "syscall/process.h"
#include "syscall/vfork.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BYTES_LEAST (8ull << 20)
#define STACK_BYTES_MOST  (1ull << 30)
#define SCRIPTS_MOST      5
#define SCRIPT_LINE       256u
/* Where Linux puts position-independent programs: at two thirds. */
#define PROGRAM_PLACE (SPACE_BYTES / 3 * 2 & PAGE_MASK)

/* What was found out about a program before anything is given up for it. */
struct candidate {
    int fd, interpreter_fd;
    struct elf_file elf, interpreter;
    char *path; /* the guest's name of the file */
};

/* ---- finding ---- */

static int open_program(const struct process *p, int at, const char *path, const char **why)
{
    struct stat st;
    int fd = paths_open(&p->paths, at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111)
        return fd;
    close(fd);
    *why = "it is no file that may be executed";
    return -EACCES;
}

/* "#! interpreter argument": the words go before the script's name. 1: it is no script. */
static int read_script(int fd, const char *path, struct words *argv, char *interpreter)
{
    char line[SCRIPT_LINE];
    ssize_t n = pread(fd, line, sizeof line - 1, 0);
    if (n < 2 || line[0] != '#' || line[1] != '!')
        return 1;
    line[n] = 0;
    char *end = strchr(line, '\n');
    if (!end && n == (ssize_t)sizeof line - 1)
        return -ENOEXEC;
    if (end)
        *end = 0;
    char *name = line + 2 + strspn(line + 2, " \t");
    size_t length = strcspn(name, " \t");
    char *argument = name + length + strspn(name + length, " \t");
    name[length] = 0;
    for (size_t i = strlen(argument); i && strchr(" \t", argument[i - 1]); i--)
        argument[i - 1] = 0;
    if (!*name)
        return -ENOEXEC;
    snprintf(interpreter, SCRIPT_LINE, "%s", name);
    if (argv->count)
        words_remove(argv, 0);
    bool ok = words_insert(argv, 0, path) && (!*argument || words_insert(argv, 0, argument)) &&
              words_insert(argv, 0, name);
    return ok ? 0 : -ENOMEM;
}

static int open_interpreter(const struct process *p, struct candidate *c, const char **why)
{
    c->interpreter_fd = -1;
    if (!c->elf.interpreter[0])
        return 0;
    c->interpreter_fd = open_program(p, AT_FDCWD, c->elf.interpreter, why);
    if (c->interpreter_fd < 0) {
        *why = "its interpreter (the dynamic linker) is not there: -L TREE says where a riscv64 "
               "system's files are";
        return c->interpreter_fd;
    }
    return elf_read(c->interpreter_fd, &c->interpreter, why);
}

static void release_candidate(struct candidate *c)
{
    if (c->fd >= 0)
        close(c->fd);
    if (c->interpreter_fd >= 0)
        close(c->interpreter_fd);
    free(c->path);
    free(c);
}

/* The name by which /proc/self/exe knows it. */
static char *guest_name(const struct process *p, int fd, const char *path)
{
    char link[40], text[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, text, sizeof text - 1);
    if (n <= 0)
        return strdup(path);
    text[n] = 0;
    return strdup(paths_to_guest(&p->paths, text) ? text : path);
}

/* Follows scripts to a program. */
static int find_program(struct process *p, int at, const char *path, struct words *argv,
                        struct candidate *c, const char **why)
{
    char interpreter[SCRIPT_LINE], script[SCRIPT_LINE];
    for (int scripts = 0; scripts <= SCRIPTS_MOST; scripts++) {
        c->fd = open_program(p, at, path, why);
        if (c->fd < 0)
            return c->fd;
        int error = read_script(c->fd, path, argv, interpreter);
        if (error == 1) {
            c->path = guest_name(p, c->fd, path);
            error = c->path ? elf_read(c->fd, &c->elf, why) : -ENOMEM;
            return error ? error : open_interpreter(p, c, why);
        }
        close(c->fd);
        c->fd = -1;
        if (error)
            return error;
        memcpy(script, interpreter, sizeof script);
        path = script;
        at = AT_FDCWD;
    }
    *why = "scripts that are run by scripts, too often";
    return -ELOOP;
}

/* ---- the stack ---- */

struct stack {
    struct space *space;
    uint64_t sp, bottom;
};

/* False: it is full. */
static bool push(struct stack *s, const void *bytes, uint64_t n)
{
    if (s->sp - s->bottom < n + PAGE_BYTES)
        return false;
    s->sp -= n;
    memcpy(s->space->host + s->sp, bytes, n);
    return true;
}

static bool push_words(struct stack *s, const struct words *w, uint64_t *pointers)
{
    for (size_t i = w->count; i-- > 0; pointers[i] = s->sp)
        if (!push(s, w->at[i], strlen(w->at[i]) + 1))
            return false;
    pointers[w->count] = 0;
    return true;
}

/* Linux's uapi/asm/hwcap.h: the letters of misa. */
static uint64_t hwcap(const struct process *p)
{
    static const char letters[] = "imafdcv";
    uint64_t misa = isa_misa(&p->hart->isa), all = 0;
    for (const char *c = letters; *c; c++)
        all |= 1ull << (*c - 'a');
    return misa & all;
}

static void fill_auxv(struct process *p, const struct candidate *c, const struct elf_image *program,
                      uint64_t base, uint64_t random, uint64_t name)
{
    const uint64_t all[][2] = {
        {AT_PHDR, program->headers},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, c->elf.header.e_phnum},
        {AT_PAGESZ, PAGE_BYTES},
        {AT_BASE, base},
        {AT_FLAGS, 0},
        {AT_ENTRY, program->entry},
        {AT_UID, getuid()},
        {AT_EUID, geteuid()},
        {AT_GID, getgid()},
        {AT_EGID, getegid()},
        {AT_HWCAP, hwcap(p)},
        {AT_CLKTCK, 100},
        {AT_SECURE, 0},
        {AT_RANDOM, random},
        {AT_HWCAP2, 0},
        {AT_EXECFN, name},
        {AT_NULL, 0},
    };
    _Static_assert(ARRAY_LEN(all) <= AUXV_MOST, "the vector has room");
    memcpy(p->auxv, all, sizeof all);
    p->auxv_count = ARRAY_LEN(all);
}

/* argc, argv, envp and auxv as the ABI has them (riscv-elf-psabi and Linux). */
static int fill_stack(struct process *p, const struct candidate *c, struct stack *s,
                      const struct words *argv, const struct words *envp,
                      const struct elf_image *program, uint64_t base)
{
    uint8_t random[16];
    size_t words = 1 + argv->count + 1 + envp->count + 1;
    uint64_t *table = calloc(words, sizeof *table);
    bool ok = table != NULL;
    os_random(random, sizeof random);
    if (ok)
        table[0] = argv->count;
    ok = ok && push(s, c->path, strlen(c->path) + 1);
    uint64_t name = s->sp;
    ok = ok && push_words(s, envp, table + 1 + argv->count + 1) && push_words(s, argv, table + 1);
    s->sp &= ~15ull;
    ok = ok && push(s, random, sizeof random);
    uint64_t random_at = s->sp;
    fill_auxv(p, c, program, base, random_at, name);
    if (words % 2)
        ok = ok && push(s, &(uint64_t){0}, 8); /* sp is a multiple of 16 */
    ok = ok && push(s, p->auxv, p->auxv_count * sizeof p->auxv[0]) &&
         push(s, table, words * sizeof *table);
    free(table);
    return ok ? 0 : -E2BIG;
}

static int map_stack(struct process *p, bool executes, struct stack *s)
{
    uint64_t bytes = max_u64(min_u64(p->stack_limit[0], STACK_BYTES_MOST), STACK_BYTES_LEAST);
    unsigned protection = SPACE_READ | SPACE_WRITE | (executes ? SPACE_EXECUTE : 0);
    bytes &= PAGE_MASK;
    s->space = &p->space;
    s->sp = SPACE_STACK_TOP;
    s->bottom = SPACE_STACK_TOP - bytes;
    int64_t got = space_map(&p->space, s->bottom, bytes, protection,
                            SPACE_PRIVATE | SPACE_ANONYMOUS | SPACE_FIXED, -1, 0);
    p->space.map_top = s->bottom - (1ull << 20); /* what runs over the stack hits nothing */
    return got < 0 ? (int)got : 0;
}

/* What a signal handler returns to, behind the stack: li a7, rt_sigreturn; ecall. */
static int map_trampoline(struct process *p)
{
    static const uint32_t code[] = {0x08b00893, 0x00000073};
    int64_t got = space_map(&p->space, SPACE_STACK_TOP, PAGE_BYTES, SPACE_READ | SPACE_EXECUTE,
                            SPACE_PRIVATE | SPACE_ANONYMOUS | SPACE_FIXED, -1, 0);
    if (got < 0)
        return (int)got;
    memcpy(p->space.host + SPACE_STACK_TOP, code, sizeof code);
    p->signals.trampoline = SPACE_STACK_TOP;
    return 0;
}

/* ---- the new program ---- */

/* Descriptors that execve closes; our own stay. */
static void close_on_exec(struct process *p, const struct candidate *c)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        int fd = atoi(entry->d_name);
        bool own =
            fd == dirfd(folder) || fd == c->fd || fd == c->interpreter_fd || process_owns(p, fd);
        if (entry->d_name[0] == '.' || own || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
            continue;
        close(fd);
    }
    if (folder)
        closedir(folder);
    process_close_own(p, p->vfork_fd); /* the parent goes on */
    p->vfork_fd = -1;
}

static int build(struct process *p, const struct candidate *c, const struct words *argv,
                 const struct words *envp, uint64_t *entry, uint64_t *sp)
{
    struct elf_image program, interpreter = {0};
    struct stack stack;
    uint64_t place = c->elf.header.e_type == ET_DYN ? PROGRAM_PLACE : 0;
    int error = map_trampoline(p);
    if (!error)
        error = map_stack(p, c->elf.stack_executes, &stack);
    if (!error)
        error = elf_map(&p->space, c->fd, &c->elf, place, &program);
    if (!error && c->interpreter_fd >= 0)
        error = elf_map(&p->space, c->interpreter_fd, &c->interpreter, 0, &interpreter);
    if (error)
        return error;
    p->space.brk = p->space.brk_start = program.end;
    error = fill_stack(p, c, &stack, argv, envp, &program, interpreter.bias);
    *entry = c->interpreter_fd >= 0 ? interpreter.entry : program.entry;
    *sp = stack.sp;
    return error;
}

static void start_hart(struct process *p, uint64_t entry, uint64_t sp)
{
    struct hart *h = p->hart;
    memset(h->x, 0, sizeof h->x);
    memset(h->f, 0, sizeof h->f);
    h->frm = h->fflags = 0;
    h->csr.mstatus = (uint64_t)FS_INITIAL << MSTATUS_FS_SHIFT;
    h->reservation_valid = false;
    h->pc = entry & ~1ull;
    h->x[X_SP] = p->first_sp = sp;
    hart_set_priv(h, PRIV_U);
    hart_update_code_context(h);
    hart_flush_tlb(h);
}

static int replace(struct process *p, struct candidate *c, const struct words *argv,
                   const struct words *envp)
{
    uint64_t entry, sp;
    const char *base = strrchr(c->path, '/');
    vfork_tell(p);
    code_flush(p->code);
    space_clear(&p->space);
    signals_reset(p);
    process_delete_timers(p);
    if (p->paths.program) /* not the first one: the shell's descriptors are meant for it */
        close_on_exec(p, c);
    int error = build(p, c, argv, envp, &entry, &sp);
    if (!error && !bare_begin(p, argv))
        error = -ENOMEM;
    if (error)
        return error;
    free(p->paths.program);
    p->paths.program = c->path;
    c->path = NULL;
    prctl(PR_SET_NAME, base ? base + 1 : p->paths.program);
    start_hart(p, entry, sp);
    p->inspection.is_replaced = true;
    return 0;
}

/* The host's own programs run as they are, unless the program is to be kept from what they could
 * do. Returns when that fails. */
static int run_natively(struct process *p, const struct candidate *c, const struct words *argv,
                        const struct words *envp)
{
    static char *const none[] = {NULL};
    bool is_elf = memcmp(c->elf.header.e_ident, ELFMAG, SELFMAG) == 0;
    const struct exec_config *config = p->config;
    bool is_kept =
        p->paths.confined || p->paths.read_only || config->no_network || config->memory_bytes;
    if (!is_elf || c->elf.header.e_machine == EM_RISCV)
        return -ENOEXEC;
    if (is_kept) {
        log_line(p->log, LOG_UNIMP,
                 "exec: %s is no riscv64 program: run by the host it would not be confined",
                 c->path);
        return -ENOEXEC;
    }
    fflush(NULL);
    vfork_tell(p);
    syscall(SYS_execveat, c->fd, "", argv->at ? argv->at : none, envp->at ? envp->at : none,
            AT_EMPTY_PATH);
    return -errno;
}

int process_load(struct process *p, int at, const char *path, struct words *argv,
                 const struct words *envp, const char **why)
{
    struct candidate *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    bool first = p->paths.program == NULL;
    c->fd = c->interpreter_fd = -1;
    int error = find_program(p, at, path, argv, c, why);
    if (!error) {
        error = replace(p, c, argv, envp);
        if (error && !first)
            process_die(p, SIGKILL);
    } else if (error == -ENOEXEC && !first && c->fd >= 0) {
        error = run_natively(p, c, argv, envp);
    }
    release_candidate(c);
    return error;
}
