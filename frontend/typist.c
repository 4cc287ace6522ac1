/* Typing (contract: typist.h).
 *
 * A guest keeps few keys for a program that is slow to read them: Linux 64 events, of which a
 * capital is eight. So there are few at a look, and none while some of the last wait at the door.
 */
#include "frontend/typist.h"

#include "debug/keysyms.h"

#include <stdio.h>
#include <stdlib.h>

#define CHARACTERS_A_LOOK 2u
#define KEY_LEFT_SHIFT    42u

bool typist_begin(struct typist *t, const struct screen_view *v, const char *text, size_t n,
                  struct error *err)
{
    if (!v->has_keyboard)
        return error_set(err, "no text is typed: the machine has no keyboard; give "
                              "-device virtio-keyboard-pci");
    if (!n)
        return error_set(err, "no text is typed: there is none in the clipboard");
    if (n > TYPIST_BYTES_MOST)
        return error_set(err, "no text is typed: %zu bytes are more than %u", n, TYPIST_BYTES_MOST);
    char *copy = malloc(n);
    if (!copy)
        return error_set(err, "no memory for the text");
    memcpy(copy, text, n);
    typist_stop(t);
    *t = (struct typist){.text = copy, .bytes = n};
    return true;
}

void typist_deinit(struct typist *t)
{
    free(t->text);
    *t = (struct typist){0};
}

/* How many bytes the character at the text's place has, by UTF-8's first byte (RFC 3629); the value
 * is right for ASCII, and for all others none that has a key. */
static uint32_t next_character(struct typist *t)
{
    uint8_t first = (uint8_t)t->text[t->at++];
    while (first >= 0xc0 && t->at < t->bytes && ((uint8_t)t->text[t->at] & 0xc0) == 0x80)
        t->at++;
    if (first != '\r')
        return first;
    if (t->at < t->bytes && t->text[t->at] == '\n')
        t->at++; /* one line end */
    return '\n';
}

static void type_character(struct typist *t, struct screen_view *v)
{
    bool is_shifted;
    uint16_t code = key_by_character(next_character(t), &is_shifted);
    if (!code) {
        t->left_out++;
        return;
    }
    t->typed++;
    if (is_shifted)
        screen_view_key(v, KEY_LEFT_SHIFT, true);
    screen_view_key(v, code, true);
    screen_view_key(v, code, false);
    if (is_shifted)
        screen_view_key(v, KEY_LEFT_SHIFT, false);
}

static void end(struct typist *t)
{
    if (t->left_out)
        fprintf(stderr, "rivulet: %u of %u characters are on no key of a US keyboard: left out\n",
                t->left_out, t->left_out + t->typed);
    typist_deinit(t);
}

void typist_go_on(struct typist *t, struct screen_view *v)
{
    if (!t->text || v->keys_wait)
        return;
    for (unsigned i = 0; i < CHARACTERS_A_LOOK && t->at < t->bytes; i++)
        type_character(t, v);
    if (t->at == t->bytes)
        end(t);
}

void typist_stop(struct typist *t)
{
    if (!t->text)
        return;
    fprintf(stderr, "rivulet: typing is stopped after %u characters\n", t->typed);
    end(t);
}
