/* A file of packets as tcpdump and Wireshark read it (pcap, version 2.4), with time stamps of
 * virtual time in nanoseconds. */
#ifndef RIVULET_DEVICES_NET_PCAP_H
#define RIVULET_DEVICES_NET_PCAP_H

#include "devices/net/link.h"

#define PCAP_MAXLEN_DEFAULT 65536u

struct pcap;

/* `directions` is enum link_direction; of longer frames the first maxlen bytes are kept. Replaces
 * the file. */
struct pcap *pcap_open(const char *path, uint32_t maxlen, unsigned directions, struct error *err);
/* False and err: what was written is not complete; pcap is gone all the same. */
bool pcap_close(struct pcap *p, struct error *err);
/* For link_observe; lives as long as the pcap. */
struct link_observer *pcap_observer(struct pcap *p);

#endif
