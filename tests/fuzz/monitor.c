/* A fuzzer of the monitor: what is typed at its console, on a machine that runs a little after each
 * line. Keys of editing are among the bytes. */
#include "debug/console.h"
#include "tests/fuzz/text.h"

/* A slash is for formats (x/4i), not for files. */
static bool names_a_place(const char *line, size_t n)
{
    const char *slash = memchr(line, '/', n);
    return slash && (slash - line > 5 || memchr(slash + 1, '/', (size_t)(line + n - slash - 1)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text_rig r;
    struct byte_sink out = {.write = text_ignore};
    text_open(&r);
    struct console *console = console_create(r.control, r.monitor, &out, true, &r.err);
    console_turn(console);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t n = end ? (size_t)(end - data) + 1 - at : size - at;
        if (names_a_place((const char *)data + at, n))
            break;
        console_type(console, data + at, n);
        at += n;
        if (!text_run(&r))
            break;
    }
    console_destroy(console);
    text_close(&r);
    return 0;
}
