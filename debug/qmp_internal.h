/* What the files of QMP share: its state, and how commands are written. */
#ifndef RIVULET_DEBUG_QMP_INTERNAL_H
#define RIVULET_DEBUG_QMP_INTERNAL_H

#include "debug/qmp.h"

#include <jansson.h>

#define QMP_REQUEST_BYTES 65536u

struct qmp {
    struct control *control;
    struct monitor *monitor;
    struct control_observer observer;
    struct control_work quitting;
    struct byte_sink out;
    size_t style;     /* of answers: jansson's flags */
    bool may_command; /* after qmp_capabilities */
    char failing[64]; /* the drive that the machine stopped for last, and why */
    bool no_space;
    const char *error_class; /* of the command that runs, should it fail */
    /* The request that is being read. */
    char request[QMP_REQUEST_BYTES];
    size_t used;
    bool is_too_long;
    int depth; /* of brackets */
    bool in_string, escaped;
};

/* A new reference to what goes into "return"; NULL: the command has failed, and err says why. */
typedef json_t *qmp_command(struct qmp *q, json_t *arguments, struct error *err);

struct qmp_row {
    const char *name;
    /* What it takes, with a space between two, each with a letter for its type: s text, i number,
     * b switch, a list ("S:filename i:head"); in upper case it must be there. */
    const char *arguments;
    qmp_command *run;
};

/* The tables end with a row without a name. */
extern const struct qmp_row qmp_control_rows[]; /* qmp_control.c: what changes something */
extern const struct qmp_row qmp_query_rows[];   /* qmp_query.c: what only looks */
extern const struct qmp_row qmp_object_rows[];  /* qmp_objects.c: the tree of objects */

/* Why the command that runs fails, by another of QEMU's classes than GenericError. */
#define QMP_NOT_FOUND  "DeviceNotFound"
#define QMP_NOT_ACTIVE "DeviceNotActive"
/* Whether -device has made something with this id; else false and err, QMP_NOT_FOUND. */
bool qmp_has_device(struct qmp *q, const char *id, struct error *err) MUST_CHECK;

/* What the greeting and query-version say. */
json_t *qmp_version(void);

#endif
