/* Displays, keyboards and pointers: the create functions of their drivers. */
#ifndef RIVULET_MACHINE_DISPLAYS_H
#define RIVULET_MACHINE_DISPLAYS_H

#include "machine/drivers.h"

extern const struct property_rule gpu_rules[], input_rules[], bochs_rules[],
    simple_framebuffer_rules[];

struct virtio *gpu_create(struct machine *m, const struct properties *p, struct error *err);
struct virtio *keyboard_create(struct machine *m, const struct properties *p, struct error *err);
struct virtio *mouse_create(struct machine *m, const struct properties *p, struct error *err);
struct virtio *tablet_create(struct machine *m, const struct properties *p, struct error *err);

struct pci_function *bochs_add(struct machine *m, const struct properties *p, struct error *err);
bool ramfb_add(struct machine *m, const struct properties *p, struct error *err) MUST_CHECK;
bool simple_framebuffer_add(struct machine *m, const struct properties *p,
                            struct error *err) MUST_CHECK;

#endif
