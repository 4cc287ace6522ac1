/* QMP, QEMU's protocol for programs that control a machine: JSON objects in, JSON objects out, one
 * a line. What is here answers as QEMU's documents qmp-spec and qemu-qmp-ref say; commands that are
 * missing are answered as unknown.
 *
 * All of it belongs to the machine's thread (control.h). */
#ifndef RIVULET_DEBUG_QMP_H
#define RIVULET_DEBUG_QMP_H

#include "debug/monitor.h"

struct qmp;

/* Control and monitor outlive it. Pretty: an object over several lines. NULL and err; without the
 * library jansson always. */
struct qmp *qmp_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                       bool is_pretty, struct error *err);
void qmp_destroy(struct qmp *q);

/* A client has come: it is greeted, and what another one had begun is forgotten. */
void qmp_greet(struct qmp *q);
/* Bytes from the client, cut in any way. */
void qmp_receive(struct qmp *q, const uint8_t *bytes, size_t n);

#endif
