/* Typing (contract: typist.h).
 *
 * A guest keeps few keys for a program that is slow to read them: Linux 64 events, of which a
 * capital is eight. So there are few at a look, and none while some of the last wait at the door.
 */
#include "frontend/typist.h"

#include "debug/keysyms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CHARACTERS_A_LOOK 2u
#define KEY_LEFT_SHIFT    42u
#define NO_CHARACTER      0xfffdu /* Unicode's replacement for what is none */
#define FIRST_SHOWN       0xa0u   /* behind ASCII and the second control characters */

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

/* The character at the text's place, of UTF-8 (RFC 3629); what is no UTF-8 is one that has no key.
 */
static uint32_t next_character(struct typist *t)
{
    const uint8_t first = (uint8_t)t->text[t->at++];
    unsigned more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t value = more ? first & 0x3fu >> more : first;
    for (; more && t->at < t->bytes && ((uint8_t)t->text[t->at] & 0xc0) == 0x80; more--)
        value = value << 6 | ((uint8_t)t->text[t->at++] & 0x3f);
    bool is_whole = first < 0x80 || (first >= 0xc0 && !more && value >= 0x80);
    return is_whole ? value : NO_CHARACTER;
}

/* Any of the ends that a line can have is one. */
static uint32_t next_to_type(struct typist *t)
{
    uint32_t character = next_character(t);
    if (character != '\r')
        return character;
    if (t->at < t->bytes && t->text[t->at] == '\n')
        t->at++;
    return '\n';
}

static void type_character(struct typist *t, struct screen_view *v)
{
    bool is_shifted;
    const size_t at = t->at;
    uint32_t character = next_to_type(t);
    uint16_t code = key_by_character(character, &is_shifted);
    if (!code) {
        if (!t->left_out++)
            t->first = (struct typist_character){character, at, t->at - at};
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

/* The first one is named, as it is if a terminal shows it and does nothing else. */
static void tell_left_out(const struct typist *t)
{
    const struct typist_character *c = &t->first;
    bool is_shown = c->value >= FIRST_SHOWN && c->value != NO_CHARACTER;
    fprintf(stderr, "rivulet: %u of %u characters are on no key of a US keyboard, first ",
            t->left_out, t->left_out + t->typed);
    if (is_shown)
        fprintf(stderr, "'%.*s' ", (int)c->bytes, t->text + c->at);
    fprintf(stderr, "U+%04" PRIX32 ": left out\n", c->value);
}

static void end(struct typist *t)
{
    if (t->left_out)
        tell_left_out(t);
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
