/* A fuzzer of QMP: bytes from a client, cut at a byte 0, on a machine that runs a little between
 * the pieces. */
#include "debug/qmp.h"
#include "tests/fuzz/text.h"

/* A slash, as itself or by an escape, may be part of a file's name. */
static bool names_a_place(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] == '/' || (data[i] == '\\' && i + 1 < size && data[i + 1] != '"'))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char hello[] = "{\"execute\":\"qmp_capabilities\"}";
    struct text_rig r;
    struct byte_sink out = {.write = text_ignore};
    if (names_a_place(data, size))
        return 0;
    text_open(&r);
    struct qmp *q = qmp_create(r.control, r.monitor, &out, size & 1, &r.err);
    if (!q)
        abort();
    qmp_greet(q);
    qmp_receive(q, (const uint8_t *)hello, sizeof hello - 1);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, 0, size - at);
        size_t n = end ? (size_t)(end - data) - at : size - at;
        qmp_receive(q, data + at, n);
        at += n + 1;
        if (!text_run(&r))
            break;
    }
    qmp_destroy(q);
    text_close(&r);
    return 0;
}
