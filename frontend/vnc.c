/* The VNC server (contract: vnc.h), by libvncserver.
 *
 * One thread serves all viewers; all of the library is called on it. Sockets are opened here, so
 * that addresses and their errors are those of the other sockets. The library's picture is the
 * view's copy, which changes in screen_view_update alone: never while something is sent. Passwords
 * are changed by the machine's thread. */
#include "frontend/vnc.h"

#include "base/os.h"
#include "base/os_net.h"
#include "debug/keysyms.h"
#include "frontend/screen_view.h"
#include "frontend/typist.h"
#include "frontend/vnc_library.h"

#include <rfb/rfb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOW_CLIENT_MS 5000 /* a viewer that takes nothing for so long is given up */
#define BLANK_WIDTH    640u /* what is shown while the display shows nothing */
#define BLANK_HEIGHT   480u
#define PIXEL_BYTES    4
#define BUTTON_BITS    3u /* left, middle, right; then the wheel, up and down */

#define NS_PER_S 1000000000ull

#define KEY_LEFT_CTRL  29u
#define KEY_RIGHT_CTRL 97u
#define KEY_LEFT_ALT   56u
#define KEY_RIGHT_ALT  100u
#define KEY_V          47u

struct vnc {
    struct vnc_config config;
    struct os_thread *thread;
    struct os_wake *wake;
    struct os_poll *poll;
    atomic_bool ends;
    int listener;
    struct vnc_access access;
    struct os_mutex *mutex;
    /* Under the mutex. */
    char password[VNC_PASSWORD_BYTES + 1]; /* "": nobody is let in */
    uint64_t expiry_s;                     /* nor from then on, in seconds since 1970 */

    /* The server's thread. */
    struct screen_view view;
    rfbScreenInfoPtr screen;
    uint32_t *blank; /* black */
    rfbCursorPtr cursor;
    int buttons, last_x, last_y;
    struct typist typist;
    char checked[VNC_PASSWORD_BYTES + 1]; /* the password that a viewer is to know */
    char *passwords[2];                   /* what the library wants: a list of it */
};

/* What a viewer has cut, the newest: of its own, as it may be meant for another viewer's user. */
struct cut {
    size_t bytes;
    char text[]; /* UTF-8 */
};

static struct vnc *vnc_of(rfbClientPtr client)
{
    return client->screen->screenData;
}

/* --- who is let in ----------------------------------------------------------------------- */

static rfbBool check_password(rfbClientPtr client, const char *response, int n)
{
    struct vnc *v = vnc_of(client);
    os_mutex_lock(v->mutex);
    memcpy(v->checked, v->password, sizeof v->checked);
    bool is_valid = *v->checked && os_wall_clock_ns() / NS_PER_S < v->expiry_s;
    os_mutex_unlock(v->mutex);
    return is_valid && rfbCheckPasswordByList(client, response, n);
}

static bool asks_password(const struct vnc *v, struct error *err)
{
    return v->config.asks_password ||
           error_set(err, "the VNC server asks for no password; start it with password=on");
}

static bool set_password(void *owner, const char *password, struct error *err)
{
    struct vnc *v = owner;
    if (!asks_password(v, err))
        return false;
    os_mutex_lock(v->mutex);
    snprintf(v->password, sizeof v->password, "%s", password);
    os_mutex_unlock(v->mutex);
    return true;
}

static bool set_expiry(void *owner, uint64_t seconds, struct error *err)
{
    struct vnc *v = owner;
    if (!asks_password(v, err))
        return false;
    os_mutex_lock(v->mutex);
    v->expiry_s = seconds;
    os_mutex_unlock(v->mutex);
    return true;
}

const struct vnc_access *vnc_access(const struct vnc *v)
{
    return &v->access;
}

/* --- input ------------------------------------------------------------------------------- */

/* Viewers send all that their user cuts anywhere: it is kept until it is asked for. */
static struct cut *new_cut(rfbClientPtr client, size_t room)
{
    struct cut *cut = malloc(sizeof *cut + room);
    free(client->clientData);
    client->clientData = cut;
    if (cut)
        cut->bytes = 0;
    return cut;
}

/* RFC 6143, 7.5.6: Latin-1, of which the second half takes two bytes. */
static void on_cut(char *text, int n, rfbClientPtr client)
{
    struct cut *cut = new_cut(client, n > 0 ? 2 * (size_t)n : 0);
    for (int i = 0; cut && i < n; i++) {
        const uint8_t c = (uint8_t)text[i];
        if (c >= 0x80)
            cut->text[cut->bytes++] = (char)(0xc0 | c >> 6);
        cut->text[cut->bytes++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
}

/* By the extension "extended clipboard", which ends the text with a zero. */
static void on_cut_utf8(char *text, int n, rfbClientPtr client)
{
    size_t bytes = n > 0 ? strnlen(text, (size_t)n) : 0;
    struct cut *cut = new_cut(client, bytes);
    if (!cut)
        return;
    cut->bytes = bytes;
    memcpy(cut->text, text, bytes);
}

static void paste(struct vnc *v, const struct cut *cut)
{
    struct error err;
    screen_view_release_keys(&v->view);
    if (!typist_begin(&v->typist, &v->view, cut ? cut->text : NULL, cut ? cut->bytes : 0, &err))
        fprintf(stderr, "rivulet: %s\n", err.text);
}

static bool is_paste(const struct vnc *v, uint16_t code)
{
    const bool *down = v->view.down;
    return code == KEY_V && (down[KEY_LEFT_CTRL] || down[KEY_RIGHT_CTRL]) &&
           (down[KEY_LEFT_ALT] || down[KEY_RIGHT_ALT]);
}

static void on_key(rfbBool is_down, rfbKeySym keysym, rfbClientPtr client)
{
    struct vnc *v = vnc_of(client);
    uint16_t code = key_by_keysym(keysym);
    if (is_down)
        typist_stop(&v->typist);
    if (is_down && is_paste(v, code))
        paste(v, client->clientData);
    else
        screen_view_key(&v->view, code, is_down);
}

static void move_pointer(struct vnc *v, int x, int y)
{
    if (x == v->last_x && y == v->last_y)
        return;
    if (v->view.has_tablet)
        screen_view_point(&v->view, x, y);
    else
        screen_view_move(&v->view, x - v->last_x, y - v->last_y);
    v->last_x = x;
    v->last_y = y;
}

static void on_pointer(int buttons, int x, int y, rfbClientPtr client)
{
    static const enum screen_view_button names[BUTTON_BITS] = {VIEW_LEFT, VIEW_MIDDLE, VIEW_RIGHT};
    struct vnc *v = vnc_of(client);
    int changed = buttons ^ v->buttons;
    move_pointer(v, x, y);
    for (unsigned bit = 0; bit < BUTTON_BITS; bit++)
        if (changed >> bit & 1)
            screen_view_button(&v->view, names[bit], buttons >> bit & 1);
    if (changed & buttons & 1 << BUTTON_BITS)
        screen_view_wheel(&v->view, 1);
    if (changed & buttons & 2 << BUTTON_BITS)
        screen_view_wheel(&v->view, -1);
    v->buttons = buttons;
    rfbDefaultPtrAddEvent(buttons, x, y, client);
}

static int on_desktop_size(int width, int height, int count, rfbExtDesktopScreen *screens,
                           rfbClientPtr client)
{
    (void)screens;
    if (width <= 0 || height <= 0 || count != 1)
        return rfbExtDesktopSize_InvalidScreenLayout;
    return screen_view_prefer_size(&vnc_of(client)->view, (uint32_t)width, (uint32_t)height)
               ? rfbExtDesktopSize_Success
               : rfbExtDesktopSize_ResizeProhibited;
}

/* A viewer that vanishes may have held keys down. */
static void on_gone(rfbClientPtr client)
{
    struct vnc *v = vnc_of(client);
    free(client->clientData);
    screen_view_release_keys(&v->view);
    for (unsigned button = VIEW_LEFT; v->buttons && button <= VIEW_MIDDLE; button++)
        screen_view_button(&v->view, button, false);
    v->buttons = 0;
}

static enum rfbNewClientAction on_new(rfbClientPtr client)
{
    client->clientGoneHook = on_gone;
    return RFB_CLIENT_ACCEPT;
}

/* --- picture ----------------------------------------------------------------------------- */

/* The library knows red first alone. */
static void set_format(rfbScreenInfoPtr s)
{
    s->serverFormat.redShift = 16;
    s->serverFormat.greenShift = 8;
    s->serverFormat.blueShift = 0;
    rfbClientIteratorPtr all = rfbGetClientIterator(s);
    for (rfbClientPtr client; (client = rfbClientIteratorNext(all));)
        s->setTranslateFunction(client);
    rfbReleaseClientIterator(all);
}

static void show_new_size(struct vnc *v)
{
    bool is_blank = !v->view.width;
    v->view.is_resized = false;
    rfbNewFramebuffer(v->screen, (char *)(is_blank ? v->blank : v->view.pixels),
                      (int)(is_blank ? BLANK_WIDTH : v->view.width),
                      (int)(is_blank ? BLANK_HEIGHT : v->view.height), 8, 3, PIXEL_BYTES);
    set_format(v->screen);
}

/* The library frees a cursor with free(), as told, and so are its parts. */
static rfbCursorPtr make_cursor(const struct screen_cursor *from)
{
    const unsigned row_bytes = SCREEN_CURSOR_SIDE / 8;
    rfbCursorPtr c = calloc(1, sizeof *c);
    unsigned char *pixels = malloc(sizeof from->pixels);
    unsigned char *mask = calloc(SCREEN_CURSOR_SIDE, row_bytes);
    if (!c || !pixels || !mask) {
        free(c);
        free(pixels);
        free(mask);
        return NULL;
    }
    memcpy(pixels, from->pixels, sizeof from->pixels);
    for (unsigned i = 0; i < SCREEN_CURSOR_PIXELS; i++)
        if (from->pixels[i] >> 31) /* more than half opaque */
            mask[i / 8] |= (unsigned char)(0x80 >> i % 8);
    *c = (rfbCursor){.cleanup = TRUE,
                     .cleanupMask = TRUE,
                     .cleanupRichSource = TRUE,
                     .mask = mask,
                     .width = SCREEN_CURSOR_SIDE,
                     .height = SCREEN_CURSOR_SIDE,
                     .xhot = (unsigned short)min_u64(from->hot_x, SCREEN_CURSOR_SIDE - 1),
                     .yhot = (unsigned short)min_u64(from->hot_y, SCREEN_CURSOR_SIDE - 1),
                     .richSource = pixels};
    return c;
}

static void show_cursor(struct vnc *v)
{
    rfbSetCursor(v->screen, v->view.cursor.is_shown ? make_cursor(&v->view.cursor) : NULL);
}

static void show_changes(struct vnc *v)
{
    screen_view_update(&v->view);
    typist_go_on(&v->typist, &v->view);
    if (v->view.is_resized)
        show_new_size(v);
    const struct screen_rect *r = &v->view.changed;
    if (v->view.width && !rect_is_empty(*r))
        rfbMarkRectAsModified(v->screen, (int)r->x, (int)r->y, (int)(r->x + r->width),
                              (int)(r->y + r->height));
    if (v->view.has_new_cursor)
        show_cursor(v);
}

/* --- life -------------------------------------------------------------------------------- */

static void accept_viewers(struct vnc *v)
{
    for (int fd; (fd = os_net_accept(v->listener)) >= 0;)
        rfbNewClientConnection(v->screen, fd);
}

/* Sleeps until somebody comes. */
static void wait_for_viewers(struct vnc *v)
{
    os_poll_clear(v->poll);
    os_poll_add(v->poll, v->listener, OS_EVENT_IN);
    os_poll_add(v->poll, os_wake_fd(v->wake), OS_EVENT_IN);
    os_poll_wait(v->poll, -1);
}

static void main_of_thread(void *owner)
{
    struct vnc *v = owner;
    while (!atomic_load(&v->ends)) {
        if (v->screen->clientHead)
            rfbProcessEvents(v->screen, 1000L * screen_view_wait_ms(&v->view));
        else
            wait_for_viewers(v);
        accept_viewers(v);
        show_changes(v);
    }
    rfbShutdownServer(v->screen, TRUE);
}

static bool make_screen(struct vnc *v)
{
    int argc = 0;
    v->blank = calloc(BLANK_WIDTH * BLANK_HEIGHT, sizeof *v->blank);
    rfbLogEnable(FALSE);
    v->screen = rfbGetScreen(&argc, NULL, BLANK_WIDTH, BLANK_HEIGHT, 8, 3, PIXEL_BYTES);
    if (!v->screen || !v->blank)
        return false;
    rfbScreenInfoPtr s = v->screen;
    s->screenData = v;
    s->desktopName = "Rivulet";
    s->frameBuffer = (char *)v->blank;
    s->port = s->ipv6port = 0; /* it listens to nothing itself */
    s->ignoreSIGPIPE = FALSE;  /* the program does already */
    s->deferUpdateTime = 0;    /* changes are collected for a frame anyway */
    s->maxClientWait = SLOW_CLIENT_MS;
    s->alwaysShared = v->config.is_shared;
    s->kbdAddEvent = on_key;
    s->ptrAddEvent = on_pointer;
    s->setXCutText = on_cut;
    s->setXCutTextUTF8 = on_cut_utf8;
    s->newClientHook = on_new;
    s->setDesktopSizeHook = on_desktop_size;
    if (v->config.asks_password) {
        v->passwords[0] = v->checked;
        s->authPasswdData = v->passwords;
        s->passwordCheck = check_password;
    }
    set_format(s);
    rfbSetCursor(s, NULL); /* until the guest has one, the viewer shows its own */
    rfbInitServer(s);
    return true;
}

static bool listen_at(struct vnc *v, struct error *err)
{
    struct os_address address = {.path = *v->config.path ? v->config.path : NULL};
    char port[8];
    for (unsigned i = 0; i <= v->config.more_ports; i++) {
        snprintf(port, sizeof port, "%u", v->config.port + i);
        address.host = v->config.host;
        address.port = port;
        v->listener = os_net_listen(&address, err);
        if (v->listener < 0)
            continue;
        if (address.path)
            fprintf(stderr, "rivulet: VNC server at unix:%s\n", address.path);
        else
            fprintf(stderr, "rivulet: VNC server at %s:%s\n", *address.host ? address.host : "*",
                    port);
        if (v->config.asks_password && !*v->config.password)
            fprintf(stderr,
                    "rivulet: nobody is let in until the monitor's set_password vnc WORD\n");
        return true;
    }
    return false;
}

struct vnc *vnc_open(struct control *c, const struct vnc_config *config, struct error *err)
{
    if (!vnc_load(err))
        return NULL;
    struct vnc *v = calloc(1, sizeof *v);
    if (!v) {
        error_set(err, "no memory for a VNC server");
        return NULL;
    }
    v->config = *config;
    v->access = (struct vnc_access){set_password, set_expiry, v, v->config.id};
    memcpy(v->password, config->password, sizeof v->password);
    v->expiry_s = UINT64_MAX;
    v->listener = -1;
    screen_view_init(&v->view, c);
    v->wake = os_wake_create();
    v->poll = os_poll_create();
    v->mutex = os_mutex_create();
    if (!v->wake || !v->poll || !v->mutex || !make_screen(v))
        error_set(err, "no memory for a VNC server");
    else if (listen_at(v, err)) {
        v->thread = os_thread_start(main_of_thread, v);
        if (v->thread)
            return v;
        error_set(err, "no thread for a VNC server");
    }
    vnc_close(v);
    return NULL;
}

void vnc_close(struct vnc *v)
{
    if (!v)
        return;
    atomic_store(&v->ends, true);
    if (v->thread) {
        os_wake_signal(v->wake);
        os_thread_join(v->thread);
    }
    os_net_close(v->listener);
    if (v->listener >= 0 && *v->config.path)
        os_net_remove(v->config.path);
    if (v->screen)
        rfbScreenCleanup(v->screen);
    if (v->wake)
        os_wake_destroy(v->wake);
    os_poll_destroy(v->poll);
    os_mutex_destroy(v->mutex);
    typist_deinit(&v->typist);
    screen_view_deinit(&v->view);
    free(v->blank);
    free(v);
}
