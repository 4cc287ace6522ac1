/* Types a text on a machine's keyboard, as its user would: for a clipboard that is pasted. */
#ifndef RIVULET_FRONTEND_TYPIST_H
#define RIVULET_FRONTEND_TYPIST_H

#include "base/error.h"
#include "frontend/screen_view.h"

/* More is nothing that somebody meant to type: it takes minutes. */
#define TYPIST_BYTES_MOST 65536u

/* A character of the text, and where it is there. */
struct typist_character {
    uint32_t value;
    size_t at, bytes;
};

/* All zero: types nothing. */
struct typist {
    char *text; /* UTF-8; NULL: nothing is being typed */
    size_t bytes, at;
    unsigned typed, left_out;      /* characters */
    struct typist_character first; /* of those left out */
};

/* Begins with a copy of n bytes, in place of what was not finished. False and err: there is no
 * text, or too much, or no keyboard. */
bool typist_begin(struct typist *t, const struct screen_view *v, const char *text, size_t n,
                  struct error *err) MUST_CHECK;
/* Types a little, if the guest has taken what came before; called behind each look of the view. The
 * end, and what has no key on a US keyboard, is told on stderr. */
void typist_go_on(struct typist *t, struct screen_view *v);
/* Types no more, which is told if something is left. */
void typist_stop(struct typist *t);
void typist_deinit(struct typist *t);

static inline bool typist_is_busy(const struct typist *t)
{
    return t->text != NULL;
}

#endif
