/* QMP (contract: qmp.h). A request is everything up to the bracket that closes the first one: so
 * requests need no lines, and what is no JSON is thrown away up to there or to the line's end. */
#include "debug/qmp_internal.h"

#include "base/bits.h"
#include "base/os.h"

#include <ctype.h>
#include <stdlib.h>

#define DEPTH_MOST 64

/* --- answers ----------------------------------------------------------------------------- */

/* Takes the reference. */
static void send(struct qmp *q, json_t *object)
{
    static const char no_text[] =
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"the answer is no UTF-8\"}}";
    char *text = object ? json_dumps(object, q->style) : NULL;
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

json_t *qmp_version(void)
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

/* QEMU's, without what it knows of its block graph. */
static void send_disk_error(struct qmp *q, const struct machine_disk_error *e)
{
    send_event(q, "BLOCK_IO_ERROR",
               json_pack("{s:s,s:s,s:s,s:s,s:b,s:s}", "device", e->drive, "node-name", e->drive,
                         "operation", e->is_write ? "write" : "read", "action", e->action,
                         "nospace", e->no_space, "reason", e->reason));
}

static void on_news(void *owner, const struct control_news *news)
{
    struct qmp *q = owner;
    bool by_guest = news->by_guest;
    if (news->event == CONTROL_DISK_ERROR && strcmp(news->disk_error->action, "stop") == 0) {
        snprintf(q->failing, sizeof q->failing, "%s", news->disk_error->drive);
        q->no_space = news->disk_error->no_space;
    }
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
    case CONTROL_DISK_ERROR:
        send_disk_error(q, news->disk_error);
        break;
    }
}

/* --- commands ---------------------------------------------------------------------------- */

static json_t *accept_capabilities(struct qmp *q, json_t *arguments, struct error *err)
{
    if (json_array_size(json_object_get(arguments, "enable"))) {
        error_set(err, "there are no capabilities to enable");
        return NULL;
    }
    q->may_command = true;
    return json_object();
}

static qmp_command query_commands;

static const struct qmp_row general_rows[] = {
    {"qmp_capabilities", "a:enable", accept_capabilities},
    {"query-commands", "", query_commands},
    {.name = NULL},
};

static const struct qmp_row *const all_rows[] = {general_rows, qmp_control_rows, qmp_query_rows,
                                                 qmp_object_rows};

static json_t *query_commands(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(all_rows); i++)
        for (const struct qmp_row *row = all_rows[i]; row->name; row++)
            json_array_append_new(list, json_pack("{s:s}", "name", row->name));
    return list;
}

static void quit_now(void *owner)
{
    struct qmp *q = owner;
    control_quit(q->control);
}

/* --- requests ---------------------------------------------------------------------------- */

static const struct qmp_row *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(all_rows); i++)
        for (const struct qmp_row *row = all_rows[i]; row->name; row++)
            if (strcmp(row->name, name) == 0)
                return row;
    return NULL;
}

/* The next word "T:NAME" of a row's arguments; false at the end. */
static bool next_argument(const char **list, char *type, char *name, size_t size)
{
    size_t n = strcspn(*list, " ");
    if (n == 0)
        return false;
    *type = **list;
    snprintf(name, size, "%.*s", (int)n - 2, *list + 2);
    *list += n + ((*list)[n] == ' ');
    return true;
}

static bool check_type(char type, const char *name, json_t *value, struct error *err)
{
    static const struct {
        char letter;
        const char *word;
    } types[] = {{'s', "string"}, {'i', "integer"}, {'b', "boolean"}, {'a', "array"}};
    const bool fits[] = {json_is_string(value), json_is_integer(value), json_is_boolean(value),
                         json_is_array(value)};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].letter == tolower(type) && !fits[i])
            return error_set(err, "Invalid parameter type for '%s', expected: %s", name,
                             types[i].word);
    return true;
}

/* Whether the command takes every argument that is given, and has all that it needs. */
static bool check_arguments(const struct qmp_row *row, json_t *arguments, struct error *err)
{
    char type, name[32];
    const char *given;
    json_t *value;
    size_t known = 0;
    if (arguments && !json_is_object(arguments))
        return error_set(err, "QMP input member 'arguments' must be an object");
    for (const char *list = row->arguments; next_argument(&list, &type, name, sizeof name);) {
        value = json_object_get(arguments, name);
        known += value != NULL;
        if (!value && isupper(type))
            return error_set(err, "Parameter '%s' is missing", name);
        if (value && !check_type(type, name, value, err))
            return false;
    }
    if (known == json_object_size(arguments))
        return true;
    json_object_foreach(arguments, given, value)
    {
        bool is_known = false;
        for (const char *list = row->arguments; next_argument(&list, &type, name, sizeof name);)
            is_known |= strcmp(given, name) == 0;
        if (!is_known)
            return error_set(err, "Parameter '%.80s' is unexpected", given);
    }
    return true;
}

static void run_command(struct qmp *q, const char *name, json_t *arguments, json_t *id)
{
    char text[160];
    struct error err;
    const struct qmp_row *row = find(name);
    if (!q->may_command && (!row || row->run != accept_capabilities)) {
        reply_error(q, id, "CommandNotFound",
                    "Expecting capabilities negotiation with 'qmp_capabilities'");
        return;
    }
    if (q->may_command && row && row->run == accept_capabilities) {
        reply_error(q, id, "CommandNotFound",
                    "Capabilities negotiation is already complete, command ignored");
        return;
    }
    if (!row) {
        snprintf(text, sizeof text, "The command %.80s has not been found", name);
        reply_error(q, id, "CommandNotFound", text);
        return;
    }
    q->error_class = "GenericError";
    json_t *result = check_arguments(row, arguments, &err) ? row->run(q, arguments, &err) : NULL;
    if (result)
        reply(q, id, json_pack("{s:o}", "return", result));
    else
        reply_error(q, id, q->error_class, err.text);
}

/* What no request has; NULL: nothing. "control" is for a capability that is not offered. */
static const char *unexpected_member(json_t *request)
{
    static const char *const members[] = {"execute", "arguments", "id"};
    const char *given;
    json_t *value;
    json_object_foreach(request, given, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LEN(members); i++)
            is_known |= strcmp(given, members[i]) == 0;
        if (!is_known)
            return given;
    }
    return NULL;
}

static void reply_unexpected(struct qmp *q, json_t *request, const char *member)
{
    char text[160];
    snprintf(text, sizeof text, "QMP input member '%.80s' is unexpected", member);
    reply_error(q, json_object_get(request, "id"), "GenericError", text);
}

static void take_request(struct qmp *q)
{
    json_error_t why;
    const char *unexpected;
    json_t *request = json_loadb(q->request, q->used, JSON_REJECT_DUPLICATES, &why);
    json_t *name = json_object_get(request, "execute");
    if (!request)
        reply_error(q, NULL, "GenericError",
                    q->is_too_long ? "the request is too long" : "JSON parse error");
    else if (!json_is_object(request))
        reply_error(q, NULL, "GenericError", "QMP input must be a JSON object");
    else if ((unexpected = unexpected_member(request)) != NULL)
        reply_unexpected(q, request, unexpected);
    else if (!json_is_string(name))
        reply_error(q, json_object_get(request, "id"), "GenericError",
                    name ? "QMP input member 'execute' must be a string"
                         : "QMP input lacks member 'execute'");
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
    send(q, json_pack("{s:{s:o,s:[]}}", "QMP", "version", qmp_version(), "capabilities"));
}

/* --- life -------------------------------------------------------------------------------- */

struct qmp *qmp_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                       bool is_pretty, struct error *err)
{
    struct qmp *q = calloc(1, sizeof *q);
    if (!q) {
        error_set(err, "no memory for QMP");
        return NULL;
    }
    q->control = c;
    q->monitor = m;
    q->out = *out;
    q->style = is_pretty ? JSON_INDENT(4) : JSON_COMPACT;
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
