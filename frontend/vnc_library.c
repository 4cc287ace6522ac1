/* libvncserver, loaded when a server is opened: it brings 13 more libraries, GnuTLS among them, and
 * linked in they would take a third of the time in which a guest starts. */
#include "frontend/vnc_library.h"

#include "base/library.h"

#include <rfb/rfb.h>

#define VNC_LIBRARY "libvncserver.so.1"

bool vnc_load(struct error *err)
{
    return os_library_load(VNC_LIBRARY, err);
}

#define VNC_ROW(type, name, parameters, arguments)                                                 \
    LIBRARY_FUNCTION(VNC_LIBRARY, type, name, parameters, arguments)

// clang-format off
VNC_ROW(void, rfbLogEnable, (int enabled), (enabled))
VNC_ROW(rfbScreenInfoPtr, rfbGetScreen,
        (int *argc, char **argv, int w, int h, int bits, int samples, int pixel_bytes),
        (argc, argv, w, h, bits, samples, pixel_bytes))
VNC_ROW(void, rfbInitServer, (rfbScreenInfoPtr screen), (screen))
VNC_ROW(void, rfbShutdownServer, (rfbScreenInfoPtr screen, rfbBool disconnects),
        (screen, disconnects))
VNC_ROW(void, rfbScreenCleanup, (rfbScreenInfoPtr screen), (screen))
VNC_ROW(rfbBool, rfbProcessEvents, (rfbScreenInfoPtr screen, long us), (screen, us))
VNC_ROW(void, rfbNewFramebuffer,
        (rfbScreenInfoPtr screen, char *pixels, int w, int h, int bits, int samples,
         int pixel_bytes),
        (screen, pixels, w, h, bits, samples, pixel_bytes))
VNC_ROW(void, rfbMarkRectAsModified, (rfbScreenInfoPtr screen, int x1, int y1, int x2, int y2),
        (screen, x1, y1, x2, y2))
VNC_ROW(void, rfbSetCursor, (rfbScreenInfoPtr screen, rfbCursorPtr cursor), (screen, cursor))
VNC_ROW(rfbClientIteratorPtr, rfbGetClientIterator, (rfbScreenInfoPtr screen), (screen))
VNC_ROW(rfbClientPtr, rfbClientIteratorNext, (rfbClientIteratorPtr all), (all))
VNC_ROW(void, rfbReleaseClientIterator, (rfbClientIteratorPtr all), (all))
VNC_ROW(void, rfbNewClientConnection, (rfbScreenInfoPtr screen, int fd), (screen, fd))
VNC_ROW(rfbBool, rfbCheckPasswordByList, (rfbClientPtr client, const char *response, int n),
        (client, response, n))
VNC_ROW(void, rfbDefaultPtrAddEvent, (int buttons, int x, int y, rfbClientPtr client),
        (buttons, x, y, client))
// clang-format on
