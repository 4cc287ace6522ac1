"""Debian with disks and networks: what it writes is on the image, and it reaches the host."""

import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cases import WORK, expect, run
from debian import Rivulet, load_modules
from network import free_port

MIB = 1 << 20
GREETING = b"hello from the host\n"


def make_disk(name, form):
    """An ext4 disk of 64 MiB in an image of this format."""
    raw = WORK / f"{name}.raw"
    raw.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", raw, "64M"], check=True,
                   stdout=subprocess.DEVNULL)
    if form == "raw":
        return raw
    image = WORK / f"{name}.{form}"
    image.unlink(missing_ok=True)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, raw, image], check=True)
    raw.unlink()
    return image


def check_disk(image, form):
    """The file system is whole, and so is the image."""
    raw = image
    if form != "raw":
        run(["qemu-img", "check", image]).must_end_with(0)
        raw = image.with_suffix(".checked")
        subprocess.run(["qemu-img", "convert", "-O", "raw", image, raw], check=True)
    run(["e2fsck", "-fn", raw]).must_end_with(0)


DISKS = {
    "virtio-mmio": ["-device", "virtio-blk-device,drive=d"],
    "virtio-mmio version 2": ["-global", "virtio-mmio.force-legacy=false",
                              "-device", "virtio-blk-device,drive=d"],
    "PCI": ["-device", "virtio-blk-pci,drive=d"],
}


def disk_round_trip(rivulet, guest, form, place):
    """Writes files in one run, reads them in the next."""
    def case():
        name = f"disk-{form}-{place}".replace(" ", "-")
        image = make_disk(name, form)
        options = guest.options() + ["-drive", f"file={image},format={form},if=none,id=d",
                                     *DISKS[place]]
        off = ("poweroff -f", "reboot: Power down")
        write = [load_modules(), ("mkdir /d; mount -t ext4 /dev/vda /d; echo mounted=$?", "mounted=0"),
                 ("dd if=/dev/urandom of=/d/a bs=64k count=300 && cp -a /bin /d/; echo wrote=$?",
                  "wrote=0"),
                 ("(cd /d && md5sum a bin/busybox >sums); umount /d; echo away=$?", "away=0"), off]
        read = [load_modules(), ("mkdir /d; mount -t ext4 /dev/vda /d; echo mounted=$?", "mounted=0"),
                ("(cd /d && md5sum -c sums); echo same=$?", "same=0"), off]
        Rivulet(rivulet).run(name, options, write).must_end_with(0)
        Rivulet(rivulet).run(name, options, read).must_end_with(0)
        check_disk(image, form)

    return case


def snapshot_is_thrown_away(rivulet, guest):
    def case():
        image = make_disk("disk-snapshot", "raw")
        before = image.read_bytes()
        options = guest.options() + ["-snapshot", "-drive", f"file={image},format=raw,if=virtio"]
        pairs = [load_modules(), ("dd if=/dev/urandom of=/dev/vda bs=1M count=60 conv=fsync; "
                                  "echo wrote=$?", "wrote=0"), ("poweroff -f", "reboot: Power down")]
        Rivulet(rivulet).run("disk-snapshot", options, pairs).must_end_with(0)
        expect(image.read_bytes() == before, "the image has changed")

    return case


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(GREETING)))
        self.end_headers()
        self.wfile.write(GREETING)

    def log_message(self, *_):
        pass


def network(rivulet, guest, device):
    """DHCP, a page from the host, and a page for the host through a forward."""
    def case():
        server = ThreadingHTTPServer(("127.0.0.1", 0), Greeter)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = free_port()
        options = guest.options() + [
            "-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:80", "-device", f"{device},netdev=n"]
        fetched = []

        def fetch():
            for _ in range(600):
                try:
                    with socket.create_connection(("127.0.0.1", port), 1) as peer:
                        peer.sendall(b"GET /page HTTP/1.0\r\n\r\n")
                        answer = b"".join(iter(lambda: peer.recv(4096), b""))
                    if b"from the guest" in answer:
                        fetched.append(answer)
                        return
                except OSError:
                    pass
                threading.Event().wait(0.1)

        client = threading.Thread(target=fetch, daemon=True)
        client.start()
        pairs = [load_modules(),
                 ("ip link set eth0 up; udhcpc -i eth0 -n -q; echo dhcp=$?", "dhcp=0"),
                 ("ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2; echo ip=$?",
                  "ip=0"),
                 (f"wget -q -O - http://10.0.2.2:{server.server_port}/; echo got=$?", "got=0"),
                 ("mkdir /w; echo page from the guest >/w/page; httpd -p 80 -h /w; sleep 5; echo up=$?",
                  "up=0"),
                 ("poweroff -f", "reboot: Power down")]
        ended = Rivulet(rivulet).run(f"network-{device}", options, pairs).must_end_with(0)
        server.shutdown()
        client.join(5)
        expect(GREETING.decode().strip() in ended.out, "the guest did not show the host's page")
        expect(fetched, "the host did not get the guest's page")

    return case


def same_state_with_a_disk(rivulet, guest, harts):
    """With icount, saving and loading while the disk works does not show in the state."""
    def case():
        hashes = []
        for extra in ([], ["-save-load", "2s", "-save-load", "2300ms"]):
            image = make_disk(f"disk-hash-{harts}", "qcow2")
            script = WORK / f"disk-hash-{harts}.script"
            load, _ = load_modules()
            script.write_text(f'expect "~ # "\nsend "{load}; dd if=/dev/vda of=/dev/null bs=64k; '
                              'dd if=/dev/urandom of=/dev/vda bs=64k count=400 conv=fsync\\n"\n')
            ended = run([rivulet, *guest.options(append="quiet", harts=harts), "-icount", "shift=1",
                         "-drive", f"file={image},format=qcow2,if=virtio", "-script", script,
                         "-until", "3s", "-hash", *extra])
            hashes.append(ended.state_hash())
        expect(hashes[0] == hashes[1], f"the states differ: {hashes}")

    return case


def device_cases(rivulet, guest, is_long):
    places = [("qcow2", "PCI"), ("raw", "virtio-mmio"), ("qcow2", "virtio-mmio version 2")]
    cases = [(f"a file system on a {form} image at {place} is whole after a second boot",
              disk_round_trip(rivulet, guest, form, place))
             for form, place in (places if is_long else places[:1])]
    cases.append(("-snapshot leaves the image as it was", snapshot_is_thrown_away(rivulet, guest)))
    cases += [(f"{device} reaches the host, and the host reaches the guest",
               network(rivulet, guest, device))
              for device in ("virtio-net-device", "virtio-net-pci")]
    cases += [(f"{harts} harts and a disk: save and load do not show in the state",
               same_state_with_a_disk(rivulet, guest, harts)) for harts in (1, 4)]
    return cases
