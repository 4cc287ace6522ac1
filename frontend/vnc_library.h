/* Loads libvncserver; before any of its functions is called. */
#ifndef RIVULET_FRONTEND_VNC_LIBRARY_H
#define RIVULET_FRONTEND_VNC_LIBRARY_H

#include "base/bits.h"
#include "base/error.h"

bool vnc_load(struct error *err) MUST_CHECK;

#endif
