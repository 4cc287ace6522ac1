/* What firmware finds in fw_cfg: the number of harts, the files of -fw_cfg, and the kernel when a
 * flash holds the firmware that is to start it. */
#ifndef RIVULET_MACHINE_FW_ITEMS_H
#define RIVULET_MACHINE_FW_ITEMS_H

#include "devices/fw_cfg.h"
#include "machine/machine.h"

struct fw_items;

/* with_kernel: the kernel, its initrd and its command line too. NULL and err. */
struct fw_items *fw_items_create(const struct machine_config *config, bool with_kernel,
                                 struct error *err) MUST_CHECK;
void fw_items_destroy(struct fw_items *f);

const struct fw_cfg_item *fw_items_list(const struct fw_items *f, unsigned *count);

#endif
