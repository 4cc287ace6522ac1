/* SDL, loaded when a window is opened: it brings 40 more libraries, and linked in they would take
 * more than half of the time in which a guest starts. */
#include "frontend/sdl_library.h"

#include "base/library.h"

#include <SDL.h>
#include <SDL_syswm.h>

#define SDL_LIBRARY "libSDL2-2.0.so.0"

bool sdl_load(struct error *err)
{
    return os_library_load(SDL_LIBRARY, err);
}

#define SDL_ROW(type, name, parameters, arguments)                                                 \
    LIBRARY_FUNCTION(SDL_LIBRARY, type, name, parameters, arguments)

// clang-format off
SDL_ROW(int, SDL_InitSubSystem, (Uint32 flags), (flags))
SDL_ROW(void, SDL_QuitSubSystem, (Uint32 flags), (flags))
SDL_ROW(const char *, SDL_GetError, (void), ())
SDL_ROW(SDL_bool, SDL_SetHint, (const char *name, const char *value), (name, value))
SDL_ROW(int, SDL_PollEvent, (SDL_Event *event), (event))
SDL_ROW(int, SDL_WaitEventTimeout, (SDL_Event *event, int timeout), (event, timeout))
SDL_ROW(SDL_Window *, SDL_CreateWindow,
        (const char *title, int x, int y, int w, int h, Uint32 flags), (title, x, y, w, h, flags))
SDL_ROW(void, SDL_DestroyWindow, (SDL_Window *window), (window))
SDL_ROW(void, SDL_SetWindowTitle, (SDL_Window *window, const char *title), (window, title))
SDL_ROW(void, SDL_SetWindowSize, (SDL_Window *window, int w, int h), (window, w, h))
SDL_ROW(int, SDL_SetWindowFullscreen, (SDL_Window *window, Uint32 flags), (window, flags))
SDL_ROW(Uint32, SDL_GetWindowFlags, (SDL_Window *window), (window))
SDL_ROW(int, SDL_SetRelativeMouseMode, (SDL_bool enabled), (enabled))
SDL_ROW(SDL_bool, SDL_GetWindowWMInfo, (SDL_Window *window, SDL_SysWMinfo *info), (window, info))
SDL_ROW(const char *, SDL_GetCurrentVideoDriver, (void), ())
SDL_ROW(Uint32, SDL_GetTicks, (void), ())
SDL_ROW(SDL_Surface *, SDL_GetWindowSurface, (SDL_Window *window), (window))
SDL_ROW(int, SDL_UpdateWindowSurface, (SDL_Window *window), (window))
SDL_ROW(int, SDL_UpdateWindowSurfaceRects, (SDL_Window *window, const SDL_Rect *rects, int count),
        (window, rects, count))
SDL_ROW(SDL_Surface *, SDL_CreateRGBSurfaceWithFormatFrom,
        (void *pixels, int w, int h, int depth, int pitch, Uint32 format),
        (pixels, w, h, depth, pitch, format))
SDL_ROW(void, SDL_FreeSurface, (SDL_Surface *surface), (surface))
SDL_ROW(int, SDL_FillRect, (SDL_Surface *to, const SDL_Rect *rect, Uint32 color), (to, rect, color))
SDL_ROW(int, SDL_UpperBlit,
        (SDL_Surface *from, const SDL_Rect *source, SDL_Surface *to, SDL_Rect *target),
        (from, source, to, target))
SDL_ROW(int, SDL_UpperBlitScaled,
        (SDL_Surface *from, const SDL_Rect *source, SDL_Surface *to, SDL_Rect *target),
        (from, source, to, target))
SDL_ROW(int, SDL_SoftStretchLinear,
        (SDL_Surface *from, const SDL_Rect *source, SDL_Surface *to, const SDL_Rect *target),
        (from, source, to, target))
SDL_ROW(SDL_Cursor *, SDL_CreateColorCursor, (SDL_Surface *surface, int x, int y), (surface, x, y))
SDL_ROW(SDL_Cursor *, SDL_GetDefaultCursor, (void), ())
SDL_ROW(void, SDL_SetCursor, (SDL_Cursor *cursor), (cursor))
SDL_ROW(void, SDL_FreeCursor, (SDL_Cursor *cursor), (cursor))
SDL_ROW(char *, SDL_GetClipboardText, (void), ())
SDL_ROW(void *, SDL_malloc, (size_t n), (n))
SDL_ROW(void, SDL_free, (void *bytes), (bytes))
// clang-format on
