/* Many cases from one moment (contract: fork_server.h). */
#include "frontend/fork_server.h"

#include "machine/checkpoint.h"
#include "machine/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define OUTPUT_MOST (1u << 20) /* what a case says beyond is lost */
#define INPUT_MOST  (1u << 20)
#define LINE_BYTES  64u

struct server {
    struct machine *machine;
    uint8_t *input, *output;
    size_t output_bytes;
    uint64_t start_ns, start_steps;
};

static void on_output(void *owner, const uint8_t *bytes, size_t n)
{
    struct server *s = owner;
    n = min_u64(n, OUTPUT_MOST - s->output_bytes);
    memcpy(s->output + s->output_bytes, bytes, n);
    s->output_bytes += n;
}

/* --- cases ------------------------------------------------------------------------------------ */

/* False at the end of the input; or err is filled. */
static bool read_case(struct server *s, size_t *n, uint64_t *limit_ns, bool *ok, struct error *err)
{
    char line[LINE_BYTES], end;
    uint64_t bytes;
    *ok = true;
    if (!fgets(line, sizeof line, stdin))
        return false;
    if (sscanf(line, "%" SCNu64 " %" SCNu64 "%c", &bytes, limit_ns, &end) != 3 || end != '\n')
        *ok = error_set(err, "fork server: a case begins with its bytes and its limit in ns");
    else if (bytes > INPUT_MOST)
        *ok = error_set(err, "fork server: a case has more than %u bytes", INPUT_MOST);
    else if (fread(s->input, 1, bytes, stdin) != bytes)
        *ok = error_set(err, "fork server: a case ends early");
    *n = bytes;
    return *ok;
}

static const char *name_of(enum machine_stop stop)
{
    switch (stop) {
    case MACHINE_POWER_OFF:
        return "power-off";
    case MACHINE_RESET:
        return "reset";
    case MACHINE_IO_ERROR:
        return "io-error";
    default:
        return "limit";
    }
}

static bool flush(struct error *err)
{
    return fflush(stdout) == 0 || error_set(err, "fork server: nobody reads the answers");
}

static bool run_case(struct server *s, size_t n, uint64_t limit_ns, struct error *err)
{
    struct machine *m = s->machine;
    bool is_intact;
    s->output_bytes = 0;
    if (!machine_return(m, &is_intact, err))
        return false;
    input_push(machine_door(m), machine_console_entry(m), s->input, n);
    uint64_t end_ns = limit_ns < UINT64_MAX - s->start_ns ? s->start_ns + limit_ns : UINT64_MAX;
    struct machine_exit exit = machine_run(m, end_ns);
    printf("%s %d %" PRIu64 " %zu\n", name_of(exit.stop), exit.status,
           machine_steps(m) - s->start_steps, s->output_bytes);
    fwrite(s->output, 1, s->output_bytes, stdout);
    return flush(err);
}

static bool serve(struct server *s, struct error *err)
{
    size_t n;
    uint64_t limit_ns;
    bool ok;
    s->start_ns = machine_now_ns(s->machine);
    s->start_steps = machine_steps(s->machine);
    puts("rivulet fork server 1");
    ok = flush(err);
    while (ok && read_case(s, &n, &limit_ns, &ok, err))
        ok = run_case(s, n, limit_ns, err);
    return ok;
}

/* --- the machine -------------------------------------------------------------------------------
 */

static bool load(struct machine *m, const struct options *o, struct error *err)
{
    bool is_intact, is_named = !o->load_is_file && snapshot_is_name(o->load_file);
    return (is_named ? snapshot_load_named : snapshot_load)(m, o->load_file, &is_intact, err);
}

static bool start(struct server *s, const struct options *o, struct machine_config *config,
                  struct error *err)
{
    config->serial = (struct byte_sink){.write = on_output, .owner = s};
    config->no_reboot = true;
    config->icount_sleep &= o->sleep_given; /* nobody sits at the console */
    config->awaits_snapshot = o->load_file != NULL;
    s->input = malloc(INPUT_MOST);
    s->output = malloc(OUTPUT_MOST);
    if (!s->input || !s->output)
        return error_set(err, "no memory for the fork server");
    s->machine = machine_create(config, err);
    if (!s->machine || (o->load_file && !load(s->machine, o, err)))
        return false;
    if (o->until_ns != UINT64_MAX &&
        machine_run(s->machine, o->until_ns).stop != MACHINE_TIME_LIMIT)
        return error_set(err, "the guest ends before the moment of -until");
    return machine_take_checkpoint(s->machine, err);
}

bool fork_server_run(const struct options *o, int *status, struct error *err)
{
    struct server s = {0};
    struct machine_config config = o->machine;
    config.log = log_open(o->log_file, o->log_topics | LOG_HOST_ERRORS, err);
    *status = EXIT_SUCCESS;
    if (!config.log)
        return false;
    bool ok = start(&s, o, &config, err) && serve(&s, err);
    machine_destroy(s.machine);
    log_close(config.log);
    free(s.input);
    free(s.output);
    return ok;
}
