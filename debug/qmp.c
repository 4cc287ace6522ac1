/* QMP (contract: qmp.h). A request is everything up to the bracket that closes the first one: so
 * requests need no lines, and what is no JSON is thrown away up to there or to the line's end. */
#include "debug/qmp.h"

#include "base/bits.h"
#include "base/os.h"

#include <jansson.h>
#include <stdlib.h>

#define REQUEST_BYTES 65536u
#define DEPTH_MOST    64

struct qmp {
    struct control *control;
    struct monitor *monitor;
    struct control_observer observer;
    struct control_work quitting;
    struct byte_sink out;
    bool may_command; /* after qmp_capabilities */
    /* The request that is being read. */
    char request[REQUEST_BYTES];
    size_t used;
    bool is_too_long;
    int depth; /* of brackets */
    bool in_string, escaped;
};

/* --- answers ----------------------------------------------------------------------------- */

/* Takes the reference. */
static void send(struct qmp *q, json_t *object)
{
    static const char no_text[] =
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"the answer is no UTF-8\"}}";
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    const char *line = text ? text : no_text;
    q->out.write(q->out.owner, (const uint8_t *)line, strlen(line));
    q->out.write(q->out.owner, (const uint8_t *)"\r\n", 2);
    free(text);
    json_decref(object);
}

/* An answer to a request with this id, which may be NULL. Takes the reference of `answer`. */
static void reply(struct qmp *q, json_t *id, json_t *answer)
{
    if (id)
        json_object_set(answer, "id", id);
    send(q, answer);
}

static void reply_error(struct qmp *q, json_t *id, const char *class, const char *text)
{
    reply(q, id, json_pack("{s:{s:s,s:s}}", "error", "class", class, "desc", text));
}

static json_t *version(void)
{
    return json_pack("{s:{s:i,s:i,s:i},s:s}", "qemu", "major", RIVULET_MAJOR, "minor",
                     RIVULET_MINOR, "micro", RIVULET_MICRO, "package", "Rivulet");
}

/* --- events ------------------------------------------------------------------------------ */

static void send_event(struct qmp *q, const char *name, json_t *data)
{
    uint64_t ns = os_wall_clock_ns();
    json_t *event =
        json_pack("{s:{s:I,s:I},s:s}", "timestamp", "seconds", (json_int_t)(ns / 1000000000),
                  "microseconds", (json_int_t)(ns / 1000 % 1000000), "event", name);
    if (data)
        json_object_set_new(event, "data", data);
    send(q, event);
}

static json_t *cause(bool by_guest, const char *guest, const char *host)
{
    return json_pack("{s:b,s:s}", "guest", by_guest, "reason", by_guest ? guest : host);
}

static void on_news(void *owner, const struct control_news *news)
{
    struct qmp *q = owner;
    bool by_guest = news->by_guest;
    if (!q->may_command)
        return;
    switch (news->event) {
    case CONTROL_STOPPED:
        send_event(q, "STOP", NULL);
        break;
    case CONTROL_RESUMED:
        send_event(q, "RESUME", NULL);
        break;
    case CONTROL_RESET:
        send_event(q, "RESET", cause(by_guest, "guest-reset", "host-qmp-system-reset"));
        break;
    case CONTROL_LOADED: /* QEMU has no event of it */
        break;
    case CONTROL_SHUTDOWN:
        send_event(q, "SHUTDOWN", cause(by_guest, "guest-shutdown", "host-qmp-quit"));
        break;
    }
}

/* --- commands ---------------------------------------------------------------------------- */

/* A new reference to what goes into "return"; NULL: the command has failed, and err says why. */
typedef json_t *qmp_command(struct qmp *q, json_t *arguments, struct error *err);

static json_t *accept_capabilities(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    q->may_command = true;
    return json_object();
}

static json_t *stop(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    control_stop(q->control, RUN_PAUSED);
    return json_object();
}

static json_t *go_on(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments;
    return control_continue(q->control, err) ? json_object() : NULL;
}

static json_t *system_reset(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments;
    return control_reset(q->control, err) ? json_object() : NULL;
}

static json_t *system_powerdown(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments;
    error_set(err, "the board has no power button");
    return NULL;
}

/* The answer comes before the end. */
static json_t *quit(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    control_defer(q->control, &q->quitting);
    return json_object();
}

static void quit_now(void *owner)
{
    struct qmp *q = owner;
    control_quit(q->control);
}

static json_t *query_status(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    enum run_state state = control_state(q->control);
    return json_pack("{s:b,s:b,s:s}", "running", state == RUN_RUNNING, "singlestep", 0, "status",
                     run_state_name(state));
}

static json_t *query_version(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return version();
}

static json_t *query_kvm(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return json_pack("{s:b,s:b}", "enabled", 0, "present", 0);
}

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

static json_t *human_command(struct qmp *q, json_t *arguments, struct error *err)
{
    const char *line = json_string_value(json_object_get(arguments, "command-line"));
    struct collected answer = {0};
    struct byte_sink sink = {.write = collect, .owner = &answer};
    if (!line) {
        error_set(err, "Parameter 'command-line' is missing");
        return NULL;
    }
    monitor_run(q->monitor, line, &sink);
    json_t *text = json_string(answer.text ? answer.text : "");
    if (!text)
        error_set(err, "the answer is no UTF-8");
    free(answer.text);
    return text;
}

static qmp_command query_commands;

static const struct row {
    const char *name;
    const char *argument; /* the one it takes; NULL: none */
    qmp_command *run;
} rows[] = {
    {"qmp_capabilities", "enable", accept_capabilities},
    {"cont", NULL, go_on},
    {"human-monitor-command", "command-line", human_command},
    {"query-commands", NULL, query_commands},
    {"query-kvm", NULL, query_kvm},
    {"query-status", NULL, query_status},
    {"query-version", NULL, query_version},
    {"quit", NULL, quit},
    {"stop", NULL, stop},
    {"system_powerdown", NULL, system_powerdown},
    {"system_reset", NULL, system_reset},
};

static json_t *query_commands(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        json_array_append_new(list, json_pack("{s:s}", "name", rows[i].name));
    return list;
}

/* --- requests ---------------------------------------------------------------------------- */

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* Whether the command takes every argument that is given. */
static bool check_arguments(const struct row *row, json_t *arguments, struct error *err)
{
    const char *name;
    json_t *value;
    if (arguments && !json_is_object(arguments))
        return error_set(err, "QMP input member 'arguments' must be an object");
    json_object_foreach(
        arguments, name,
        value) if (!row->argument ||
                   strcmp(name, row->argument)) return error_set(err,
                                                                 "Parameter '%.80s' is unexpected",
                                                                 name);
    return true;
}

static void run_command(struct qmp *q, const char *name, json_t *arguments, json_t *id)
{
    char text[160];
    struct error err;
    const struct row *row = find(name);
    if (!q->may_command && (!row || row->run != accept_capabilities)) {
        reply_error(q, id, "CommandNotFound",
                    "Expecting capabilities negotiation with 'qmp_capabilities'");
        return;
    }
    if (!row || (q->may_command && row->run == accept_capabilities)) {
        snprintf(text, sizeof text, "The command %.80s has not been found", name);
        reply_error(q, id, "CommandNotFound", text);
        return;
    }
    json_t *result = check_arguments(row, arguments, &err) ? row->run(q, arguments, &err) : NULL;
    if (result)
        reply(q, id, json_pack("{s:o}", "return", result));
    else
        reply_error(q, id, "GenericError", err.text);
}

static void take_request(struct qmp *q)
{
    json_error_t why;
    json_t *request = json_loadb(q->request, q->used, JSON_REJECT_DUPLICATES, &why);
    json_t *name = json_object_get(request, "execute");
    if (!request)
        reply_error(q, NULL, "GenericError",
                    q->is_too_long ? "the request is too long" : "JSON parse error");
    else if (!json_is_object(request))
        reply_error(q, NULL, "GenericError", "QMP input must be a JSON object");
    else if (!json_is_string(name))
        reply_error(q, json_object_get(request, "id"), "GenericError",
                    "QMP input lacks member 'execute'");
    else
        run_command(q, json_string_value(name), json_object_get(request, "arguments"),
                    json_object_get(request, "id"));
    json_decref(request);
}

static void begin_request(struct qmp *q)
{
    q->used = 0;
    q->depth = 0;
    q->is_too_long = q->in_string = q->escaped = false;
}

/* Whether the byte ends a request. */
static bool ends_request(struct qmp *q, char byte)
{
    if (q->in_string) {
        q->in_string = q->escaped || byte != '"';
        q->escaped = !q->escaped && byte == '\\';
        return false;
    }
    if (byte == '"')
        q->in_string = true;
    else if (byte == '{' || byte == '[')
        q->depth++;
    else if (byte == '}' || byte == ']')
        return --q->depth <= 0;
    return q->depth > DEPTH_MOST || (q->depth == 0 && byte == '\n' && q->used > 1);
}

static void take_byte(struct qmp *q, char byte)
{
    if (q->used == 0 && strchr(" \t\r\n", byte))
        return;
    if (q->used == sizeof q->request) {
        q->is_too_long = true;
        q->used = 1; /* no JSON: it will be refused at its end */
    }
    q->request[q->used++] = byte;
    if (!ends_request(q, byte))
        return;
    take_request(q);
    begin_request(q);
}

void qmp_receive(struct qmp *q, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        take_byte(q, (char)bytes[i]);
}

void qmp_greet(struct qmp *q)
{
    q->may_command = false;
    begin_request(q);
    send(q, json_pack("{s:{s:o,s:[]}}", "QMP", "version", version(), "capabilities"));
}

/* --- life -------------------------------------------------------------------------------- */

struct qmp *qmp_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                       struct error *err)
{
    struct qmp *q = calloc(1, sizeof *q);
    if (!q) {
        error_set(err, "no memory for QMP");
        return NULL;
    }
    q->control = c;
    q->monitor = m;
    q->out = *out;
    q->quitting = (struct control_work){.work = quit_now, .owner = q};
    q->observer = (struct control_observer){.tell = on_news, .owner = q};
    control_observe(c, &q->observer);
    return q;
}

void qmp_destroy(struct qmp *q)
{
    if (!q)
        return;
    control_unobserve(q->control, &q->observer);
    control_cancel(q->control, &q->quitting);
    free(q);
}
