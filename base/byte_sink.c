#include "base/byte_sink.h"

#include "base/bits.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_BYTES 512u

void byte_sink_print(const struct byte_sink *sink, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0 && sink->write)
        sink->write(sink->owner, (const uint8_t *)text, min_u64((uint64_t)n, sizeof text - 1));
}

void text_make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}
