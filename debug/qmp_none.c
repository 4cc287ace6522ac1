/* QMP (contract: qmp.h) where the library jansson is missing. */
#include "debug/qmp.h"

struct qmp *qmp_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                       bool is_pretty, struct error *err)
{
    (void)c, (void)m, (void)out, (void)is_pretty;
    error_set(err, "this program was built without jansson, which QMP needs");
    return NULL;
}

void qmp_destroy(struct qmp *q)
{
    (void)q;
}

void qmp_greet(struct qmp *q)
{
    (void)q;
}

void qmp_receive(struct qmp *q, const uint8_t *bytes, size_t n)
{
    (void)q, (void)bytes, (void)n;
}
