/* SDL, loaded when a window is opened: it brings 40 more libraries, and linked in they would take
 * more than half of the time in which a guest starts.
 *
 * Each row is a function of SDL that sdl.c calls, and becomes one of the same name here, which
 * looks SDL's own up. A missing row is a symbol that the linker misses. */
#include "frontend/sdl_library.h"

#include "base/os.h"

#include <SDL.h>

#define SDL_LIBRARY "libSDL2-2.0.so.0"

bool sdl_load(struct error *err)
{
    return os_library_load(SDL_LIBRARY, err);
}

#define SDL_ROW(type, name, parameters, arguments)                                                 \
    type name parameters                                                                           \
    {                                                                                              \
        union {                                                                                    \
            void *symbol;                                                                          \
            type(*function) parameters;                                                            \
        } own = {.symbol = os_library_symbol(SDL_LIBRARY, #name)};                                 \
        return own.function arguments;                                                             \
    }

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
SDL_ROW(SDL_Renderer *, SDL_CreateRenderer, (SDL_Window *window, int index, Uint32 flags),
        (window, index, flags))
SDL_ROW(void, SDL_DestroyRenderer, (SDL_Renderer *renderer), (renderer))
SDL_ROW(int, SDL_RenderSetLogicalSize, (SDL_Renderer *renderer, int w, int h), (renderer, w, h))
SDL_ROW(int, SDL_RenderClear, (SDL_Renderer *renderer), (renderer))
SDL_ROW(int, SDL_RenderCopy,
        (SDL_Renderer *renderer, SDL_Texture *texture, const SDL_Rect *from, const SDL_Rect *to),
        (renderer, texture, from, to))
SDL_ROW(void, SDL_RenderPresent, (SDL_Renderer *renderer), (renderer))
SDL_ROW(SDL_Texture *, SDL_CreateTexture,
        (SDL_Renderer *renderer, Uint32 format, int access, int w, int h),
        (renderer, format, access, w, h))
SDL_ROW(int, SDL_UpdateTexture,
        (SDL_Texture *texture, const SDL_Rect *rect, const void *pixels, int pitch),
        (texture, rect, pixels, pitch))
SDL_ROW(void, SDL_DestroyTexture, (SDL_Texture *texture), (texture))
// clang-format on
