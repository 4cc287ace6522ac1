/* TAP interfaces of Linux (Documentation/networking/tuntap.rst; contract: os_net.h). */
#include "base/os_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool refuse(const char *what, int reason, struct error *err)
{
    const char *advice = reason == EPERM || reason == EACCES
                             ? "; it takes root, or an interface made for you by "
                               "`ip tuntap add NAME mode tap user YOU`"
                         : reason == EBUSY ? "; another program uses it"
                                           : "";
    return error_set(err, "cannot open the tap interface %s: %s%s", what, strerror(reason), advice);
}

int os_tap_open(const char *name, struct error *err)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    const char *what = name && *name ? name : "(any)";
    if (name && strlen(name) >= sizeof request.ifr_name) {
        error_set(err, "the name of an interface has at most %zu letters: %.100s",
                  sizeof request.ifr_name - 1, name);
        return -1;
    }
    if (name)
        strcpy(request.ifr_name, name);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        refuse(what, errno, err);
        return -1;
    }
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        refuse(what, errno, err);
        close(fd);
        return -1;
    }
    return fd;
}
