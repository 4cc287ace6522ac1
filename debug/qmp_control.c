/* QMP's commands that change something: the machine's run, its input, files of the host. */
#include "debug/qmp_internal.h"

#include "debug/actions.h"
#include "debug/monitor.h"
#include "debug/vnc_access.h"

#include <stdlib.h>

static json_t *done(bool ok)
{
    return ok ? json_object() : NULL;
}

static const char *text_of(json_t *arguments, const char *name)
{
    return json_string_value(json_object_get(arguments, name));
}

/* --- running ----------------------------------------------------------------------------- */

static json_t *stop(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    control_stop(q->control, RUN_PAUSED);
    return json_object();
}

static json_t *go_on(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments;
    return done(control_continue(q->control, err));
}

static json_t *system_reset(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments;
    return done(control_reset(q->control, err));
}

static json_t *system_powerdown(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments;
    error_set(err, "the board has no power button");
    return NULL;
}

static json_t *system_wakeup(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments;
    error_set(err, "wake-up from suspend is not supported by this guest");
    return NULL;
}

static json_t *inject_nmi(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments;
    error_set(err, "this feature or command is not currently supported");
    return NULL;
}

/* The answer comes before the end. */
static json_t *quit(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    control_defer(q->control, &q->quitting);
    return json_object();
}

/* --- the monitor ------------------------------------------------------------------------- */

/* What the monitor says, in pieces. */
struct collected {
    char *text;
    size_t used;
};

static void collect(void *owner, const uint8_t *bytes, size_t n)
{
    struct collected *c = owner;
    char *grown = realloc(c->text, c->used + n + 1);
    if (!grown)
        return;
    memcpy(grown + c->used, bytes, n);
    c->text = grown;
    c->used += n;
    c->text[c->used] = 0;
}

static bool check_hart(struct qmp *q, json_int_t number, struct error *err)
{
    return (number >= 0 && number < MACHINE_MAX_HARTS &&
            machine_hart(control_machine(q->control), (unsigned)number)) ||
           error_set(err, "Parameter 'cpu-index' expects a CPU number");
}

static json_t *human_command(struct qmp *q, json_t *arguments, struct error *err)
{
    struct collected answer = {0};
    struct byte_sink sink = {.write = collect, .owner = &answer};
    json_t *hart = json_object_get(arguments, "cpu-index");
    if (hart && !check_hart(q, json_integer_value(hart), err))
        return NULL;
    unsigned before = monitor_current_hart(q->monitor);
    if (hart)
        monitor_choose_hart(q->monitor, (unsigned)json_integer_value(hart));
    monitor_run(q->monitor, text_of(arguments, "command-line"), &sink);
    if (hart)
        monitor_choose_hart(q->monitor, before);
    json_t *text = json_string(answer.text ? answer.text : "");
    if (!text)
        error_set(err, "the answer is no UTF-8");
    free(answer.text);
    return text;
}

/* --- files and keys ---------------------------------------------------------------------- */

static json_t *save_memory(struct qmp *q, json_t *arguments, bool physical, struct error *err)
{
    json_int_t hart = json_integer_value(json_object_get(arguments, "cpu-index"));
    json_int_t address = json_integer_value(json_object_get(arguments, "val"));
    json_int_t size = json_integer_value(json_object_get(arguments, "size"));
    if (!check_hart(q, hart, err))
        return NULL;
    if (size < 0) {
        error_set(err, "Parameter 'size' is negative");
        return NULL;
    }
    return done(action_save_memory(machine_hart(control_machine(q->control), (unsigned)hart),
                                   physical, (uint64_t)address, (uint64_t)size,
                                   text_of(arguments, "filename"), err));
}

static json_t *memsave(struct qmp *q, json_t *arguments, struct error *err)
{
    return save_memory(q, arguments, false, err);
}

static json_t *pmemsave(struct qmp *q, json_t *arguments, struct error *err)
{
    return save_memory(q, arguments, true, err);
}

static json_t *screendump(struct qmp *q, json_t *arguments, struct error *err)
{
    const char *format = text_of(arguments, "format"), *device = text_of(arguments, "device");
    json_t *head = json_object_get(arguments, "head");
    if (head && !device) {
        error_set(err, "'head' must be specified together with 'device'");
        return NULL;
    }
    if (device && !qmp_has_device(q, device, err))
        return NULL;
    return done(action_dump_screen(control_machine(q->control), device, json_integer_value(head),
                                   text_of(arguments, "filename"), format ? format : "ppm", err));
}

/* [{"type": "qcode", "data": "ctrl"}, ...]: the codes are the names that the monitor knows. */
static json_t *send_key(struct qmp *q, json_t *arguments, struct error *err)
{
    char names[256] = "";
    size_t i, used = 0;
    json_t *key;
    json_array_foreach(json_object_get(arguments, "keys"), i, key)
    {
        const char *name = text_of(key, "data");
        if (!name || strchr(name, '-')) {
            error_set(err, "a key is {\"type\": \"qcode\", \"data\": \"ret\"}");
            return NULL;
        }
        int n = snprintf(names + used, sizeof names - used, "%s%s", i ? "-" : "", name);
        if ((used += (size_t)n) >= sizeof names) {
            error_set(err, "too many keys");
            return NULL;
        }
    }
    return done(action_send_keys(control_machine(q->control), names, err));
}

/* --- the VNC server ---------------------------------------------------------------------- */

static struct vnc_target target_of(struct qmp *q, json_t *arguments)
{
    struct vnc_target target = {.protocol = text_of(arguments, "protocol"),
                                .display = text_of(arguments, "display"),
                                .action = text_of(arguments, "connected")};
    if (strcmp(target.protocol, "spice") == 0)
        q->error_class = QMP_NOT_ACTIVE;
    return target;
}

static json_t *set_password(struct qmp *q, json_t *arguments, struct error *err)
{
    const struct vnc_target target = target_of(q, arguments);
    return done(vnc_access_set_password(monitor_vnc(q->monitor), &target,
                                        text_of(arguments, "password"), err));
}

static json_t *change_vnc_password(struct qmp *q, json_t *arguments, struct error *err)
{
    const struct vnc_target vnc = {.protocol = "vnc"};
    return done(vnc_access_set_password(monitor_vnc(q->monitor), &vnc,
                                        text_of(arguments, "password"), err));
}

static json_t *expire_password(struct qmp *q, json_t *arguments, struct error *err)
{
    const struct vnc_target target = target_of(q, arguments);
    return done(
        vnc_access_set_expiry(monitor_vnc(q->monitor), &target, text_of(arguments, "time"), err));
}

/* --- others ------------------------------------------------------------------------------ */

/* The format is utf8: other bytes are an error, and lost. */
static json_t *read_ring(struct qmp *q, json_t *arguments, struct error *err)
{
    const char *format = text_of(arguments, "format");
    if (format && strcmp(format, "utf8") != 0) {
        error_set(err, "Parameter 'format' does not accept value '%.40s'", format);
        return NULL;
    }
    json_int_t size = json_integer_value(json_object_get(arguments, "size"));
    if (size <= 0) {
        error_set(err, "Parameter 'size' expects a value greater than zero");
        return NULL;
    }
    char *text = action_read_ring(control_machine(q->control), text_of(arguments, "device"),
                                  (uint64_t)size, err);
    json_t *answer = text ? json_string(text) : NULL;
    if (text && !answer)
        error_set(err, "what it keeps is no UTF-8");
    free(text);
    return answer;
}

/* There is no device of this kind; QEMU's clients ask all the same. */
static json_t *inflate(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments;
    q->error_class = QMP_NOT_ACTIVE;
    error_set(err, "No balloon device has been activated");
    return NULL;
}

/* Ours: QEMU's replay has no other way on. */
static json_t *branch(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments;
    return done(control_branch(q->control, err));
}

const struct qmp_row qmp_control_rows[] = {
    {"balloon", "I:value", inflate},
    {"branch", "", branch},
    {"change-vnc-password", "S:password", change_vnc_password},
    {"cont", "", go_on},
    {"expire_password", "S:protocol S:time s:display", expire_password},
    {"human-monitor-command", "S:command-line i:cpu-index", human_command},
    {"inject-nmi", "", inject_nmi},
    {"memsave", "I:val I:size S:filename i:cpu-index", memsave},
    {"pmemsave", "I:val I:size S:filename", pmemsave},
    {"query-balloon", "", inflate},
    {"quit", "", quit},
    {"ringbuf-read", "S:device I:size s:format", read_ring},
    {"screendump", "S:filename s:device i:head s:format", screendump},
    {"send-key", "A:keys i:hold-time", send_key},
    {"set_password", "S:protocol S:password s:connected s:display", set_password},
    {"stop", "", stop},
    {"system_powerdown", "", system_powerdown},
    {"system_reset", "", system_reset},
    {"system_wakeup", "", system_wakeup},
    {.name = NULL},
};
